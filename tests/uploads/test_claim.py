"""Images whose ids come in forms, and those that nothing uses."""

from datetime import timedelta
from uuid import UUID, uuid4

import anyio
import asyncpg
import pytest
from tests.support.library import make_image
from tests.support.uploads import Uploading

from imagegallery.errors import AlreadyUsed, InvalidCursor, NotFound, Unauthenticated
from imagegallery.images.library import records as library_records
from imagegallery.principal import Principal

BEN = Principal.user("ben")


async def uploaded(uploading: Uploading, gallery_id: UUID | None = None, age: timedelta = timedelta(0)) -> UUID:
    image = make_image("ada", age=age)
    return (await uploading.library.add_image(image, gallery_id)).id


async def unattached(uploading: Uploading, older_than: timedelta = timedelta(0)) -> list[UUID]:
    page = await uploading.library.images.unattached(uploading.me, older_than=older_than)
    return [image.id for image in page.items]


async def test_an_image_is_claimed_once_by_its_owner(uploading: Uploading) -> None:
    image_id = await uploaded(uploading)
    for principal in (BEN, Principal.user("guest")):
        with pytest.raises(NotFound, match=r"There is no such image\."):
            await uploading.service.claim(principal, image_id)
    with pytest.raises(Unauthenticated):
        await uploading.service.claim(Principal.anonymous(), image_id)

    assert (await uploading.service.claim(uploading.me, image_id)).id == image_id
    with pytest.raises(AlreadyUsed) as refused:
        await uploading.service.claim(uploading.me, image_id)
    assert refused.value.details == {"image_id": str(image_id)}


async def test_what_is_public_is_no_more_anothers_to_claim(uploading: Uploading) -> None:
    """An id in a form must not tell whether there is such an image."""
    gallery = await uploading.gallery(visibility="public")
    image_id = await uploaded(uploading, gallery.id)
    assert (await uploading.library.images.get(BEN, image_id)).id == image_id
    with pytest.raises(NotFound):
        await uploading.service.claim(BEN, image_id)


async def test_an_image_of_a_gallery_is_in_use_and_one_in_the_trash_is_not_there(uploading: Uploading) -> None:
    gallery = await uploading.gallery()
    image_id = await uploaded(uploading, gallery.id)
    with pytest.raises(AlreadyUsed):
        await uploading.service.claim(uploading.me, image_id)
    await uploading.library.images.delete(uploading.me, image_id)
    for missing in (image_id, uuid4()):
        with pytest.raises(NotFound):
            await uploading.service.claim(uploading.me, missing)


async def test_of_many_who_claim_it_at_once_one_gets_it(uploading: Uploading) -> None:
    image_id = await uploaded(uploading)
    outcomes = []

    async def attempt() -> None:
        try:
            await uploading.service.claim(uploading.me, image_id)
        except AlreadyUsed:
            outcomes.append("no")
        else:
            outcomes.append("yes")

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(attempt)
    assert sorted(outcomes) == ["no", "no", "no", "yes"]


async def test_a_claim_that_the_host_rolls_back_was_none(uploading: Uploading, database_dsn: str) -> None:
    image_id = await uploaded(uploading)
    connection = await asyncpg.connect(database_dsn)
    transaction = connection.transaction()
    await transaction.start()
    await uploading.service.claim(uploading.me, image_id, connection=connection)
    await transaction.rollback()
    assert await unattached(uploading) == [image_id]
    async with connection.transaction():
        await uploading.service.claim(uploading.me, image_id, connection=connection)
    assert await unattached(uploading) == []
    await connection.close()


async def test_unattached_are_those_in_no_gallery_that_nobody_claimed(
    uploading: Uploading, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = await uploading.gallery()
    days = [await uploaded(uploading, age=timedelta(days=age)) for age in (9, 7, 5, 3)]
    await uploaded(uploading, gallery.id, timedelta(days=8))
    claimed, trashed = [await uploaded(uploading, age=timedelta(days=8)) for _ in range(2)]
    await uploading.service.claim(uploading.me, claimed)
    await uploading.library.images.delete(uploading.me, trashed)
    await uploading.library.add_image(make_image("ben", age=timedelta(days=8)))

    assert await unattached(uploading) == days
    assert await unattached(uploading, timedelta(days=5)) == days[:3]
    assert await unattached(uploading, timedelta(days=10)) == []

    monkeypatch.setattr(library_records, "EXAMINED_UNATTACHED", 2)
    found, cursor = [], None
    while True:
        page = await uploading.library.images.unattached(uploading.me, cursor=cursor, limit=1)
        found += [image.id for image in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == days
    with pytest.raises(InvalidCursor):
        await uploading.library.images.unattached(uploading.me, cursor="nonsense")
