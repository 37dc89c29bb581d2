"""A walk by cursor while others write: in every order it shows no image twice, and every one that stayed.

An image *stayed* if it was in the gallery all the time and kept its place in the order walked: by position, if it was
not moved; by name, if it was not renamed. One that did not stay may be missing.
"""

from datetime import timedelta
from uuid import UUID

import anyio
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.clock import START
from tests.support.library import Library, make_image

from imagegallery.galleries.gallery import ImageOrder
from imagegallery.images.image import membership
from imagegallery.images.image.image import Image
from imagegallery.pagination import CursorPage
from imagegallery.principal import Principal

ANA = Principal.user("ana")

# What happens between two pages, and to which images: numbers are places in the model's lists, ages or names.
WAYS_TO_CHANGE = ("comes", "is removed", "is deleted", "is moved", "is moved", "is renamed", "comes back")
changes = st.tuples(st.sampled_from(WAYS_TO_CHANGE), st.integers(0, 99), st.integers(0, 99))
between_pages = st.lists(st.lists(changes, max_size=4), max_size=8)

_PACK = """
UPDATE gallery_images m SET position = packed.place
FROM (SELECT image_id, row_number() OVER (ORDER BY position) AS place FROM gallery_images WHERE gallery_id = $1) packed
WHERE m.gallery_id = $1 AND m.image_id = packed.image_id"""


class Model:
    """What is in the gallery, as arranged, what was taken out, and what did not stay."""

    def __init__(self, library: Library, gallery_id: UUID, order: ImageOrder) -> None:
        self.library, self.gallery_id, self.order = library, gallery_id, order
        self.present: list[UUID] = []
        self.out: list[UUID] = []
        self.restless: set[UUID] = set()

    async def change(self, how: str, number: int, other: int) -> None:
        galleries, images = self.library.galleries, self.library.images
        if how == "comes":
            await self.add(number)
        elif how == "comes back" and self.out:
            image_id = self.out.pop(number % len(self.out))
            await galleries.add_images(ANA, self.gallery_id, [image_id])
            self.present.append(image_id)
        elif how == "is moved" and len(self.present) > 1:
            await self.move(number, other)
        elif how == "is renamed" and self.present:
            image_id = self.present[number % len(self.present)]
            await images.update(ANA, image_id, filename=f"{other}.jpg")
            self.restless |= {image_id} if self.order is ImageOrder.FILENAME else set()
        elif how.startswith("is ") and self.present and how != "is moved":
            await self.remove(self.present.pop(number % len(self.present)), how)

    async def add(self, number: int) -> Image:
        image = evolve(make_image(age=timedelta(days=number)), filename=f"{number}.jpg")
        await self.library.add_image(image, self.gallery_id)
        self.present.append(image.id)
        return image

    async def move(self, number: int, other: int) -> None:
        image_id = self.present.pop(number % len(self.present))
        place = other % len(self.present)
        await self.library.galleries.move(ANA, self.gallery_id, [image_id], before=self.present[place])
        self.present.insert(place, image_id)
        self.restless |= {image_id} if self.order is ImageOrder.POSITION else set()

    async def remove(self, image_id: UUID, how: str) -> None:
        self.restless.add(image_id)
        if how == "is deleted":
            await self.library.images.delete(ANA, image_id)
        else:
            self.out.append(image_id)
            await self.library.galleries.remove_images(ANA, self.gallery_id, [image_id])

    async def page(self, cursor: str | None, limit: int) -> CursorPage[Image]:
        seed = 3 if self.order is ImageOrder.RANDOM else None
        return await self.library.galleries.list_images(
            ANA, self.gallery_id, order=self.order, seed=seed, cursor=cursor, limit=limit
        )

    async def in_order(self) -> list[UUID]:
        """All of it in one page, which is what the walk's order comes to in the end."""
        return [image.id for image in (await self.page(None, 100)).items]


@pytest.mark.parametrize("order", ImageOrder)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(st.integers(0, 9), max_size=12),
    happenings=between_pages,
    limit=st.integers(1, 4),
    is_crowded=st.booleans(),
)
async def test_a_walk_repeats_nothing_and_skips_nothing_that_stayed(
    library: Library,
    order: ImageOrder,
    numbers: list[int],
    happenings: list[list[tuple[str, int, int]]],
    limit: int,
    is_crowded: bool,
) -> None:
    model = Model(library, (await library.galleries.create(ANA, name="Lisbon")).id, order)
    for number in numbers:
        await model.add(number)
    if is_crowded:  # so that most moves renumber their neighbours
        async with library.database.connection() as connection:
            await connection.execute(_PACK, model.gallery_id)
    at_first = set(model.present)
    seen: list[UUID] = []
    cursor = None

    while True:
        page = await model.page(cursor, limit)
        seen += [image.id for image in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        for change in happenings.pop() if happenings else []:
            await model.change(*change)

    stayed = at_first - model.restless
    assert len(seen) == len(set(seen))
    assert stayed <= set(seen)
    now = await model.in_order()
    assert sorted(now) == sorted(model.present)
    if order is ImageOrder.POSITION:
        assert now == model.present
    if order is not ImageOrder.RANDOM:  # where a new walk may have more slots than an old one
        assert [each for each in seen if each in stayed] == [each for each in now if each in stayed]
    assert (await library.galleries.get(ANA, model.gallery_id)).image_count == len(model.present)


async def test_a_new_name_is_no_new_time_and_a_new_time_no_new_name(library: Library) -> None:
    """What changes the place in one order leaves a walk in the other alone; in its own it is not seen twice."""
    for order, is_missing in ((ImageOrder.FILENAME, True), (ImageOrder.TAKEN_AT, False)):
        model = Model(library, (await library.galleries.create(ANA, name="Lisbon")).id, order)
        for number in range(4):
            await model.add(number)
        first, *_, last = await model.in_order()
        page = await model.page(None, 1)
        await library.images.update(ANA, first, filename="9.jpg")
        await library.images.update(ANA, last, filename="8.jpg")
        rest = [image.id for image in (await model.page(page.next_cursor, 10)).items]
        assert first not in rest
        assert (last not in rest) is is_missing

    model = Model(library, (await library.galleries.create(ANA, name="Lisbon")).id, ImageOrder.TAKEN_AT)
    for number in range(4):
        await model.add(number)
    latest = (await model.in_order())[0]
    page = await model.page(None, 1)
    async with library.database.transaction() as connection:
        await membership.rekey(connection, latest, now=library.clock(), taken_at=START - timedelta(days=30))
    assert latest not in [image.id for image in (await model.page(page.next_cursor, 10)).items]
    assert (await model.in_order())[-1] == latest


@pytest.mark.parametrize("order", ImageOrder)
async def test_a_walk_while_others_write(library: Library, order: ImageOrder) -> None:
    model = Model(library, (await library.galleries.create(ANA, name="Lisbon")).id, order)
    stay = [(await model.add(2 * number)).id for number in range(15)]
    go = [(await model.add(2 * number + 1)).id for number in range(15)]
    async with library.database.connection() as connection:
        await connection.execute(_PACK, model.gallery_id)
    seen: list[UUID] = []

    async def walk() -> None:
        cursor = None
        while True:
            page = await model.page(cursor, 2)
            seen.extend(image.id for image in page.items)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def come_and_go() -> None:
        galleries = library.galleries
        for number, image_id in enumerate(go):
            await galleries.move(ANA, model.gallery_id, [image_id], after=stay[number * 7 % 15])
            await library.images.update(ANA, image_id, filename=f"{number * 7 % 30}.jpg")
            await galleries.remove_images(ANA, model.gallery_id, [image_id])
            await model.add(number)
            await galleries.add_images(ANA, model.gallery_id, [image_id])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(walk)
        tasks.start_soon(come_and_go)

    assert len(seen) == len(set(seen))
    assert set(stay) <= set(seen)
