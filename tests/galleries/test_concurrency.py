"""Several tasks at once: counts stay exact, and nobody deadlocks. See test_walks.py and test_moving.py for lists."""

from contextlib import suppress
from uuid import UUID

import anyio
from tests.support.library import Library, make_image

from imagegallery.errors import InvalidInput, NotFound
from imagegallery.galleries.gallery import Gallery
from imagegallery.principal import Principal

ANA = Principal.user("ana")


async def count_rows(library: Library, gallery_id: UUID) -> int:
    async with library.database.connection() as connection:
        found: int = await connection.fetchval("SELECT count(*) FROM gallery_images WHERE gallery_id = $1", gallery_id)
        return found


async def test_counts_are_exact_under_concurrent_adds_and_removes(library: Library) -> None:
    old, new = [await library.galleries.create(ANA, name=name) for name in ("old", "new")]

    async def add(gallery: Gallery, batch: list[UUID]) -> None:
        with suppress(InvalidInput):  # one of them was deleted already
            await library.galleries.add_images(ANA, gallery.id, batch)

    async def remove(gallery: Gallery, image_id: UUID) -> None:
        with suppress(NotFound):
            await library.galleries.remove_image(ANA, gallery.id, image_id)

    async def choose_cover(gallery: Gallery, image_id: UUID) -> None:
        with suppress(InvalidInput):
            await library.galleries.update(ANA, gallery.id, cover_image_id=image_id)

    for _ in range(12):
        ids = [(await library.add_image(make_image(), old.id)).id for _ in range(5)]
        async with anyio.create_task_group() as tasks:
            for batch in (ids, ids[:2], ids[::-1]):
                tasks.start_soon(add, new, batch)
            for image_id in (ids[0], ids[3]):
                tasks.start_soon(choose_cover, old, image_id)
                tasks.start_soon(library.images.delete, ANA, image_id)
            tasks.start_soon(remove, old, ids[1])
            tasks.start_soon(remove, new, ids[2])
        for gallery in (old, new):
            await check_gallery(library, gallery.id)


async def check_gallery(library: Library, gallery_id: UUID) -> None:
    """The count is that of the rows, and the cover is one of them."""
    shown = await library.galleries.get(ANA, gallery_id)
    members = {image.id for image in (await library.galleries.list_images(ANA, gallery_id, limit=100)).items}
    assert shown.image_count == await count_rows(library, gallery_id) == len(members)
    assert shown.cover_image_id is None or shown.cover_image_id in members


async def test_everything_added_at_once_has_a_place_of_its_own(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    ids = [(await library.add_image(make_image())).id for _ in range(20)]

    async with anyio.create_task_group() as tasks:
        for start in range(0, 20, 2):
            tasks.start_soon(library.galleries.add_images, ANA, gallery.id, ids[start : start + 4])

    shown = [image.id for image in (await library.galleries.list_images(ANA, gallery.id)).items]
    assert sorted(shown) == sorted(ids)
    await check_gallery(library, gallery.id)


async def test_a_gallery_and_its_images_can_be_deleted_at_the_same_time(library: Library) -> None:
    for _ in range(5):
        gallery = await library.galleries.create(ANA, name="Lisbon")
        images = [await library.add_image(make_image(), gallery.id) for _ in range(3)]

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(library.galleries.delete, ANA, gallery.id)
            for image in images:
                tasks.start_soon(library.images.delete, ANA, image.id)

    assert (await library.images.library.list(ANA)).items == ()
    assert (await library.galleries.list(ANA)).items == ()
