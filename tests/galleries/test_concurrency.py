"""Several tasks at once: counts stay exact, nobody deadlocks, and a walk neither repeats nor skips an image."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagegallery.errors import InvalidInput, NotFound
from imagegallery.galleries.gallery import Gallery
from imagegallery.images.image import Image
from imagegallery.principal import Principal
from imagegallery.testing.library import Library, make_image

ANA = Principal.user("ana")
ORDERS = ("position", "created_at")

# Between two pages: an image of this age in days comes, or the one at this place goes, in one way or the other.
comes = st.tuples(st.just("comes"), st.integers(0, 9))
goes = st.tuples(st.sampled_from(["is removed", "is deleted"]), st.integers(0, 99))
between_pages = st.lists(st.lists(comes | goes, max_size=3), max_size=6)


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

    assert (await library.images.list_owned(ANA)).items == ()
    assert (await library.galleries.list(ANA)).items == ()


class Model:
    """What the gallery must look like: every image ever added, and which are still in it."""

    def __init__(self) -> None:
        self.images: list[Image] = []
        self.present: list[UUID] = []

    def ordered(self, order: str) -> list[UUID]:
        images = [image for image in self.images if image.id in self.present]
        if order == "created_at":
            images.sort(key=lambda image: (image.created_at, image.id), reverse=True)
        return [image.id for image in images]


async def change(library: Library, gallery_id: UUID, model: Model, action: str, number: int) -> None:
    if action == "comes":
        image = await library.add_image(make_image(age=timedelta(days=number)), gallery_id)
        model.images.append(image)
        model.present.append(image.id)
    elif model.present:
        gone = model.present.pop(number % len(model.present))
        if action == "is deleted":
            await library.images.delete(ANA, gone)
        else:
            await library.galleries.remove_image(ANA, gallery_id, gone)


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ages=st.lists(st.integers(0, 9), max_size=12), changes=between_pages, limit=st.integers(1, 4))
async def test_a_walk_repeats_nothing_and_skips_nothing_that_stayed(
    library: Library, order: str, ages: list[int], changes: list[list[tuple[str, int]]], limit: int
) -> None:
    gallery_id = (await library.galleries.create(ANA, name="Lisbon")).id
    model = Model()
    for age in ages:
        await change(library, gallery_id, model, "comes", age)
    at_first = set(model.present)
    seen: list[UUID] = []
    cursor = None

    while True:
        page = await library.galleries.list_images(ANA, gallery_id, order=order, cursor=cursor, limit=limit)
        seen += [image.id for image in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        for action, number in changes.pop() if changes else []:
            await change(library, gallery_id, model, action, number)

    assert len(seen) == len(set(seen))
    assert at_first & set(model.present) <= set(seen)
    still_there = [image_id for image_id in seen if image_id in model.present]
    assert still_there == [image_id for image_id in model.ordered(order) if image_id in seen]
    assert (await library.galleries.get(ANA, gallery_id)).image_count == len(model.present)
    everything = await library.galleries.list_images_page(ANA, gallery_id, order=order, limit=100)
    assert [image.id for image in everything.items] == model.ordered(order)


@pytest.mark.parametrize("order", ORDERS)
async def test_a_walk_while_others_write(library: Library, order: str) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    stay = [await library.add_image(make_image(age=timedelta(days=2 * day)), gallery.id) for day in range(15)]
    go = [await library.add_image(make_image(age=timedelta(days=2 * day + 1)), gallery.id) for day in range(15)]
    seen: list[UUID] = []

    async def walk() -> None:
        cursor = None
        while True:
            page = await library.galleries.list_images(ANA, gallery.id, order=order, cursor=cursor, limit=2)
            seen.extend(image.id for image in page.items)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def come_and_go() -> None:
        for day, image in enumerate(go):
            await library.galleries.remove_image(ANA, gallery.id, image.id)
            await library.add_image(make_image(age=timedelta(days=day)), gallery.id)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(walk)
        tasks.start_soon(come_and_go)

    assert len(seen) == len(set(seen))
    assert {image.id for image in stay} <= set(seen)
