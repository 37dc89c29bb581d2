"""Whoever keeps copies of public pictures is told in time which are public no longer."""

from pathlib import Path
from uuid import UUID

import anyio
import pytest
from tests.support.clock import ManualClock
from tests.support.events import closed_urls
from tests.support.library import Library, make_image

from imagegallery.access.audience import VisibilityLike
from imagegallery.database.pool import Database
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.errors import Conflict
from imagegallery.images.image import closed_urls as closing_room
from imagegallery.images.image import membership, public_records
from imagegallery.images.image.closed_urls import ClosedUrls
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal

ANA = Principal.user("ana")
CDN = "https://cdn.example"
# Whether somebody waits for this backend.
_WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))"


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock, DeliveryOptions(cdn_url=CDN))


@pytest.fixture
async def image(library: Library) -> Image:
    return await library.add_image(make_image())


async def gallery_of(library: Library, *images: Image, visibility: VisibilityLike = "public") -> UUID:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility=visibility)
    await library.galleries.add_images(ANA, gallery.id, [each.id for each in images])
    return gallery.id


def urls(*images: Image) -> tuple[str, ...]:
    return tuple(sorted(f"{CDN}/{variant.key}" for image in images for variant in image.variants))


async def test_the_trash_closes_what_is_open(library: Library, image: Image) -> None:
    private = await library.add_image(make_image())
    await gallery_of(library, image)
    await gallery_of(library, private, visibility="private")
    for each in (image, private):
        await library.images.delete(ANA, each.id)
    assert await closed_urls(library.database) == [urls(image)]
    await library.images.trash.restore(ANA, image.id)
    await library.images.batches.run(ANA, "trash", [image.id])
    assert await closed_urls(library.database) == [urls(image)] * 2


async def test_an_image_is_closed_when_its_last_open_gallery_is_left(library: Library, image: Image) -> None:
    other = await library.add_image(make_image())
    listed = await gallery_of(library, image, other)
    unlisted = await gallery_of(library, image, other, visibility="unlisted")
    await gallery_of(library, image, other, visibility="private")
    await library.galleries.remove_image(ANA, unlisted, image.id)
    assert await closed_urls(library.database) == []
    await library.galleries.remove_image(ANA, listed, image.id)
    assert await closed_urls(library.database) == [urls(image)]
    await library.galleries.remove_images(ANA, unlisted, [other.id])
    await library.images.batches.run(ANA, "remove_from_gallery", [other.id], gallery_id=listed)
    assert await closed_urls(library.database) == [urls(image), urls(other)]


@pytest.mark.parametrize("way", ["private", "deleted"])
async def test_a_gallery_closes_what_no_other_one_opens(library: Library, image: Image, way: str) -> None:
    elsewhere = await library.add_image(make_image())
    gallery_id = await gallery_of(library, image, elsewhere)
    await gallery_of(library, elsewhere)
    await library.galleries.update(ANA, gallery_id, visibility="unlisted")
    assert await closed_urls(library.database) == []
    if way == "private":
        await library.galleries.update(ANA, gallery_id, visibility="private")
        await library.galleries.update(ANA, gallery_id, visibility="private")
    await library.galleries.delete(ANA, gallery_id)
    assert await closed_urls(library.database) == [urls(image)]


@pytest.mark.parametrize("way", ["remove", "close"])
async def test_of_two_who_close_an_image_at_once_the_last_one_tells(library: Library, image: Image, way: str) -> None:
    one, other = await gallery_of(library, image), await gallery_of(library, image)
    closing = ClosedUrls(library.delivery, library.clock)
    closed = anyio.Event()

    async def close_the_other() -> None:
        if way == "remove":
            await library.galleries.remove_image(ANA, other, image.id)
        else:
            await library.galleries.update(ANA, other, visibility="private")
        closed.set()

    async with anyio.create_task_group() as tasks, library.database.transaction() as connection:
        async with closing.watched(connection, "ana", [image.id]):
            await membership.remove(connection, one, image.id, now=library.clock())
        tasks.start_soon(close_the_other)
        async with library.database.connection() as watching:
            while not (closed.is_set() or await watching.fetchval(_WAITS, connection.get_server_pid())):
                pass
    assert await closed_urls(library.database) == [urls(image)]


async def test_many_are_told_in_several_events(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_records, "PAGE", 2)
    monkeypatch.setattr(closing_room, "URLS_AT_ONCE", 4)
    images = [await library.add_image(make_image()) for _ in range(5)]
    gallery_id = await gallery_of(library, *images)
    await library.galleries.delete(ANA, gallery_id)
    events = await closed_urls(library.database)
    assert max(map(len, events)) <= 4
    assert sorted(url for each in events for url in each) == sorted(urls(*images))


async def test_what_does_not_happen_is_not_told(library: Library, image: Image) -> None:
    gallery_id = await gallery_of(library, image)

    def refuse(_: object) -> None:
        raise Conflict("no")

    for change in (
        library.galleries.delete(ANA, gallery_id, check=refuse),
        library.images.trash.put(ANA, image.id, check=refuse),
    ):
        with pytest.raises(Conflict):
            await change
    assert await closed_urls(library.database) == []
