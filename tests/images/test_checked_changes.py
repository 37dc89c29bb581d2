"""A change that is made only if its thing is as its client has seen it: looked at when nobody else is at it."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import anyio
import pytest
from tests.support.library import Library, make_image

from imagegallery.errors import Conflict
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal

ANA = Principal.user("ana")


def only_untouched(image: Image) -> None:
    if image.alt_text:
        raise Conflict("changed")


@pytest.mark.parametrize("change", ["update", "put"])
async def test_what_another_change_is_about_to_write_is_seen(library: Library, change: str) -> None:
    image_id = (await library.add_image(make_image("ana"))).id
    does: dict[str, Callable[[Principal, UUID], Awaitable[object]]] = {
        "update": partial(library.images.update, alt_text="late", check=only_untouched),
        "put": partial(library.images.trash.put, check=only_untouched),
    }
    refused = []

    async def attempt() -> None:
        with pytest.raises(Conflict):
            await does[change](ANA, image_id)
        refused.append(change)

    async with anyio.create_task_group() as tasks, library.database.transaction() as connection:
        await connection.execute("UPDATE images SET alt_text = 'theirs' WHERE id = $1", image_id)
        tasks.start_soon(attempt)
        async with library.database.connection() as watching:
            while not await watching.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await anyio.sleep(0)
    assert refused == [change]
    assert (await library.images.get(ANA, image_id)).alt_text == "theirs"
