"""Cursors that nobody issued, or long ago: what they cost is bounded, and none is misread."""

from datetime import timedelta
from uuid import UUID

import pytest
from asyncpg.connection import LoggedQuery
from tests.support.clock import START, ManualClock
from tests.support.library import Library, make_image

from imagegallery.access.audience import VisibilityLike
from imagegallery.errors import InvalidCursor, NotFound
from imagegallery.galleries import walk as walking
from imagegallery.galleries.gallery import ImageOrder
from imagegallery.galleries.input import check_selection
from imagegallery.galleries.listing_records import LIST_AT_RANDOM
from imagegallery.galleries.order_records import KEPT_FOR
from imagegallery.galleries.walk import SLOTS_A_PAGE, Walk
from imagegallery.images.image.image import Image
from imagegallery.images.library.filter import NO_FILTER, ImageFilter
from imagegallery.pagination import FIRST_ID, CursorPage, encode_cursor
from imagegallery.principal import Principal

ANA, BEN = Principal.user("ana"), Principal.user("ben")
SEED = 7

_PACK = """
UPDATE gallery_images m SET position = packed.place
FROM (SELECT image_id, row_number() OVER (ORDER BY position) AS place FROM gallery_images WHERE gallery_id = $1) packed
WHERE m.gallery_id = $1 AND m.image_id = packed.image_id"""


async def gallery_of(library: Library, count: int, visibility: VisibilityLike = "public") -> tuple[UUID, list[UUID]]:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility=visibility)
    return gallery.id, [(await library.add_image(make_image(), gallery.id)).id for _ in range(count)]


def at_slot(gallery_id: UUID, bits: int, step: int = 0, where: ImageFilter = NO_FILTER) -> str:
    """A cursor of a walk through ``2^bits`` slots, before the first image of one of them."""
    scope = check_selection(ImageOrder.RANDOM, SEED, where).scope(gallery_id)
    return encode_cursor(scope, (bits, step, -1, FIRST_ID))


async def shuffled(library: Library, gallery_id: UUID, cursor: str) -> CursorPage[Image]:
    return await library.galleries.list_images(ANA, gallery_id, order="random", seed=SEED, cursor=cursor, limit=100)


@pytest.mark.parametrize("where", [NO_FILTER, ImageFilter(mime_type="image/gif")])
async def test_a_page_reads_so_many_slots_and_says_where_to_go_on(library: Library, where: ImageFilter) -> None:
    gallery_id, _ = await gallery_of(library, 3)
    cursor = at_slot(gallery_id, bits=20, step=5, where=where)
    walk = Walk(ANA, START, gallery_id, check_selection(ImageOrder.RANDOM, SEED, where), cursor, 101)
    statements: list[LoggedQuery] = []

    async with library.database.connection() as connection:
        with connection.query_logger(statements.append):
            members = await walking.read(connection, walk)

    assert members is not None
    # asyncpg's own, about types, are not ours to count.
    listing = LIST_AT_RANDOM.plain if where.is_empty else LIST_AT_RANDOM.filtered
    starts = listing.names.index("starts")
    slots = [len(statement.args[starts]) for statement in statements if "gallery_images" in statement.query]
    assert sum(slots) == SLOTS_A_PAGE
    assert len(slots) <= 9
    assert walking.cut(walk, members).next_cursor == at_slot(gallery_id, bits=20, step=5 + SLOTS_A_PAGE, where=where)


@pytest.mark.parametrize("bits", [22, 30])
async def test_far_more_slots_than_a_gallery_needs_are_refused(library: Library, bits: int) -> None:
    gallery_id, _ = await gallery_of(library, 3)

    with pytest.raises(InvalidCursor, match="Begin again"):
        await shuffled(library, gallery_id, at_slot(gallery_id, bits))


async def test_a_walk_ends_although_its_gallery_was_all_but_emptied(library: Library) -> None:
    """As it was begun with some 60,000 images; a page may be empty, but the next goes on."""
    gallery_id, ids = await gallery_of(library, 3)
    cursor: str | None = at_slot(gallery_id, bits=16)
    pages = []

    while cursor is not None:
        page = await shuffled(library, gallery_id, cursor)
        pages.append([image.id for image in page.items])
        cursor = page.next_cursor

    assert len(pages) == 2**16 // SLOTS_A_PAGE
    assert sorted(image_id for page in pages for image_id in page) == sorted(ids)


async def test_a_walk_ends_although_its_gallery_was_emptied(library: Library) -> None:
    gallery_id, ids = await gallery_of(library, 3)
    await library.galleries.remove_images(ANA, gallery_id, ids)

    first = await shuffled(library, gallery_id, at_slot(gallery_id, bits=13))
    last = await shuffled(library, gallery_id, first.next_cursor or "")

    assert (first.items, last.items) == ((), ())
    assert last.next_cursor is None


async def crowded_gallery(library: Library, visibility: VisibilityLike = "public") -> tuple[UUID, list[UUID]]:
    """Six images without a number left between any two."""
    gallery_id, ids = await gallery_of(library, 6, visibility)
    async with library.database.connection() as connection:
        await connection.execute(_PACK, gallery_id)
    return gallery_id, ids


async def after_two(library: Library, gallery_id: UUID) -> str:
    """A cursor, of a walk by position that has shown two images."""
    return (await library.galleries.list_images(ANA, gallery_id, limit=2)).next_cursor or ""


async def renumber(library: Library, gallery_id: UUID, ids: list[UUID]) -> None:
    """Move the last two images behind the first in turn, which closes the gap there whatever its width was."""
    for number in range(40):
        await library.galleries.move(ANA, gallery_id, [ids[-1 - number % 2]], after=ids[0])


async def rest_after(library: Library, gallery_id: UUID, cursor: str) -> list[UUID]:
    return [image.id for image in (await library.galleries.list_images(ANA, gallery_id, cursor=cursor)).items]


async def test_a_cursor_from_before_a_forgotten_renumbering_is_refused(library: Library, clock: ManualClock) -> None:
    gallery_id, ids = await crowded_gallery(library)
    old = await after_two(library, gallery_id)
    await renumber(library, gallery_id, ids)
    recent = await after_two(library, gallery_id)
    clock.advance(KEPT_FOR + timedelta(seconds=1))
    assert await rest_after(library, gallery_id, old) == ids[2:4]  # nothing was forgotten yet

    await renumber(library, gallery_id, ids)

    with pytest.raises(InvalidCursor, match="Begin again"):
        await rest_after(library, gallery_id, old)
    assert await rest_after(library, gallery_id, recent) == ids[1:4]


async def test_what_is_refused_does_not_tell_that_a_private_gallery_exists(
    library: Library, clock: ManualClock
) -> None:
    gallery_id, ids = await crowded_gallery(library, "private")
    old = await after_two(library, gallery_id)
    await renumber(library, gallery_id, ids)
    clock.advance(KEPT_FOR + timedelta(seconds=1))
    await renumber(library, gallery_id, ids)

    with pytest.raises(InvalidCursor):
        await rest_after(library, gallery_id, old)
    for cursor, order, seed in ((old, "position", None), (at_slot(gallery_id, bits=30), "random", SEED)):
        with pytest.raises(NotFound):
            await library.galleries.list_images(BEN, gallery_id, order=order, seed=seed, cursor=cursor)  # type: ignore[arg-type]
