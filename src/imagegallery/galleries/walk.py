"""A gallery's images by cursor, in each order: which statement, from where, and what the next cursor says.

A walk repeats no image and omits none that stayed where it was, whatever is added, removed, moved or renamed meanwhile.
For that its cursors contain the gallery's revision at the start, and images that got their place in the order later are
left out.

The cost of a page is bounded for any cursor and filter, which anybody can invent. A filtered page examines a limited
number of images, and in random order it reads a limited number of slots. So if few images pass, or the gallery has
shrunk since, it may be short or empty, and still have a next cursor.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from imagegallery.access import records as access_records
from imagegallery.access.decision import may_view
from imagegallery.database.connection import Connection
from imagegallery.errors import Fault, InvalidCursor
from imagegallery.galleries import listing_records, order_records
from imagegallery.galleries.gallery import ImageOrder
from imagegallery.galleries.input import Selection
from imagegallery.galleries.listing_records import FROM_NOW_ON, GalleryEntry, GalleryPage, ListStatement
from imagegallery.galleries.positions import LOWEST
from imagegallery.galleries.shuffle import MAX_BITS, Shuffle, bits_for, shuffle
from imagegallery.images.library.filter import ImageFilter
from imagegallery.pagination import (
    FIRST_ID,
    LAST_ID,
    LAST_MOMENT,
    MAX_OFFSET,
    CursorPage,
    SortKey,
    SortKeyPart,
    check_page,
    cut_page,
    decode_cursor,
    encode_cursor,
    foreign_cursor,
)
from imagegallery.principal import Principal

# In random order: the slots that a page reads at first for each image, at once, and in total.
_SLOTS_EACH: Final = 3
_MOST_SLOTS: Final = 2_048
SLOTS_A_PAGE: Final = 4_096
# By number a page in random order reads all slots up to it.
MAX_RANDOM_OFFSET: Final = 2_000

# A walk of this many slots (2^20) goes on however small its gallery has become; one of more, until the gallery has
# become so small that a new walk would have over 2^4 times fewer.
_ALWAYS_BITS: Final = 20
_MORE_BITS: Final = 4
_ALL_KEYS: Final = (-1, FIRST_ID)


@frozen
class Walk:
    """A page's worth of a walk to read: ``limit`` images after ``cursor``, or from the beginning, for the principal who
    asks ``now``."""

    principal: Principal
    now: datetime
    gallery_id: UUID
    selection: Selection
    cursor: str | None
    limit: int

    @property
    def scope(self) -> str:
        return self.selection.scope(self.gallery_id)

    @property
    def where(self) -> ImageFilter:
        return self.selection.where


async def read(connection: Connection, walk: Walk) -> GalleryPage | None:
    """The images, each with the parts of the cursor that goes on after it; ``None``: there is no such gallery, or the
    principal may not see it.

    Raises `InvalidCursor`, for what has to do with the gallery only to those who may see it.
    """
    return await _READERS[walk.selection.order](connection, walk)


def cut(walk: Walk, members: GalleryPage) -> CursorPage[GalleryEntry]:
    """The page in what was read, which is one image more than it holds, to see whether there are more."""

    def cursor_after(key: SortKey) -> str:
        return encode_cursor(walk.scope, (*members.cursor_start, *key))

    page = cut_page(members.found, walk.limit - 1, lambda last: cursor_after(last.sort_key))
    if page.has_more or members.goes_on is None:
        return page
    return evolve(page, next_cursor=cursor_after(members.goes_on))


async def read_page(connection: Connection, walk: Walk, offset: int) -> GalleryPage | None:
    """The page's images after ``offset`` others, by counting; ``None`` if there is no such gallery, or the principal
    may not see it.

    With a filter, of the first `listing_records.EXAMINED` images only.
    """
    return await _seen(
        connection, walk, await _counted(connection, walk.gallery_id, walk.selection, offset, walk.limit)
    )


async def _counted(
    connection: Connection, gallery_id: UUID, selection: Selection, offset: int, limit: int
) -> GalleryPage | None:
    if selection.order is not ImageOrder.RANDOM:
        listing = listing_records.PAGES[selection.order]
        return await listing.read(connection, gallery_id, selection.where, offset=offset, limit=limit)
    order = shuffle(selection.seed, bits_for(await listing_records.size(connection, gallery_id)))
    # The number of slots of a gallery whose images are all examined.
    steps = _SLOTS_EACH * (offset + limit) if selection.where.is_empty else SLOTS_A_PAGE
    while True:
        steps = min(steps, order.steps)
        members = await listing_records.at_random(
            connection, gallery_id, order, 0, steps, _ALL_KEYS, limit, selection.where, offset=offset
        )
        if members is None or len(members.found) == limit or steps == order.steps or not selection.where.is_empty:
            return members
        steps *= 2


def check_offset(order: ImageOrder, page: int, limit: int) -> int:
    """How many images come before page ``page``. Raises `InvalidInput` where that is too deep to be counted."""
    return check_page(page, limit, MAX_RANDOM_OFFSET if order is ImageOrder.RANDOM else MAX_OFFSET)


async def _by_position(connection: Connection, walk: Walk) -> GalleryPage | None:
    """A cursor is (revision at the beginning, revision that its position is from, position).

    Raises `InvalidCursor` if its position is from before a renumbering that is forgotten.
    """
    begun, seen_at, after = FROM_NOW_ON, FROM_NOW_ON, LOWEST
    if walk.cursor is not None:
        begun, seen_at, after = decode_cursor(walk.cursor, walk.scope, int, int, int)
    issued_at = seen_at
    seen: GalleryPage | None = None
    while True:
        members = await listing_records.LIST_BY_POSITION.read(
            connection, walk.gallery_id, walk.where, walk=begun, after=after, limit=walk.limit
        )
        members = seen = await _seen(connection, walk, members, seen)
        if members is None:
            return None
        # Each time: it may have been forgotten since the page was read, before the renumberings were.
        if issued_at < members.forgotten:
            raise _outlived_cursor()
        if members.renumbered <= seen_at:
            break
        for change in await order_records.renumberings(connection, walk.gallery_id, seen_at):
            after, seen_at = change.translate(after), change.revision
        seen_at = max(seen_at, members.renumbered)
    return evolve(members, cursor_start=(_start_revision(begun, members), members.revision))


async def _by_created_at(connection: Connection, walk: Walk) -> GalleryPage | None:
    """A cursor is (created_at, id): neither ever changes."""
    after, after_id = LAST_MOMENT, LAST_ID
    if walk.cursor is not None:
        after, after_id = decode_cursor(walk.cursor, walk.scope, datetime, UUID)
    members = await listing_records.LIST_BY_CREATED_AT.read(
        connection, walk.gallery_id, walk.where, after=after, after_id=after_id, limit=walk.limit
    )
    return await _seen(connection, walk, members)


async def _by_key(
    listing: ListStatement, first: tuple[SortKeyPart, UUID], connection: Connection, walk: Walk
) -> GalleryPage | None:
    """By a key that changes. A cursor is (revision at the beginning, key, id)."""
    begun, (after, after_id) = FROM_NOW_ON, first
    if walk.cursor is not None:
        begun, after, after_id = decode_cursor(walk.cursor, walk.scope, int, type(after), UUID)
    members = await listing.read(
        connection, walk.gallery_id, walk.where, walk=begun, after=after, after_id=after_id, limit=walk.limit
    )
    members = await _seen(connection, walk, members)
    return members and evolve(members, cursor_start=(_start_revision(begun, members),))


async def _at_random(connection: Connection, walk: Walk) -> GalleryPage | None:
    """A cursor is (bits, step, place, id): the whole walk has as many slots as fitted when it began.

    Reads up to `SLOTS_A_PAGE` of them; if they hold less than the page, it ends there and says where to go on.
    Raises `InvalidCursor`.
    """
    order, step, after = await _start_at_random(connection, walk)
    end = min(step + SLOTS_A_PAGE, order.steps)
    steps = _SLOTS_EACH * walk.limit
    found: list[GalleryEntry] = []
    seen: GalleryPage | None = None
    while True:
        steps = min(steps, end - step)
        wanted = walk.limit - len(found)
        members = await listing_records.at_random(
            connection, walk.gallery_id, order, step, steps, after, wanted, walk.where
        )
        members = seen = await _seen(connection, walk, members, seen)
        if members is None:
            return None
        if walk.cursor is not None:
            _check_bits(order, members.total)
        found += (_place(member, order.bits, step) for member in members.found)
        if members.goes_on is not None and len(found) < walk.limit:
            return evolve(members, found=tuple(found), goes_on=_place_key(members.goes_on, order.bits, step))
        step, after, steps = step + steps, _ALL_KEYS, min(2 * steps, _MOST_SLOTS)
        if len(found) == walk.limit or step >= end:
            goes_on = (order.bits, step, *_ALL_KEYS) if step < order.steps else None
            return evolve(members, found=tuple(found), goes_on=goes_on)


async def _start_at_random(connection: Connection, walk: Walk) -> tuple[Shuffle, int, tuple[int, UUID]]:
    """Raises `InvalidCursor`."""
    if walk.cursor is None:
        bits = bits_for(await listing_records.size(connection, walk.gallery_id))
        return shuffle(walk.selection.seed, bits), 0, _ALL_KEYS
    bits, step, place, image_id = decode_cursor(walk.cursor, walk.scope, int, int, int, UUID)
    if not 0 <= bits <= MAX_BITS or not 0 <= step < 1 << bits:
        raise foreign_cursor()
    return shuffle(walk.selection.seed, bits), step, (place, image_id)


async def _seen(
    connection: Connection, walk: Walk, members: GalleryPage | None, before: GalleryPage | None = None
) -> GalleryPage | None:
    """The page with the principal's grants, unless there is none that they may see. ``before`` is an earlier one of the
    same call."""
    if members is not None and before is not None:
        return evolve(members, grants=before.grants)
    asked = {walk.gallery_id: None if members is None else members.facts}
    granted = await access_records.on_galleries(connection, walk.principal, asked, now=walk.now)
    if members is None:
        return None
    facts = granted[walk.gallery_id]
    return evolve(members, grants=facts.grants) if may_view(walk.principal, facts) else None


def _check_bits(order: Shuffle, count: int) -> None:
    """Refuse a walk with far more slots than one of ``count`` images ever needs, or far fewer. Raises
    `InvalidCursor`."""
    if order.bits > max(_ALWAYS_BITS, bits_for(count) + _MORE_BITS) or listing_records.is_crowded(order, count):
        raise _outlived_cursor()


def _outlived_cursor() -> InvalidCursor:
    message = "This gallery has changed too much since this cursor was issued. Begin again."
    return InvalidCursor(message, [Fault(("query", "cursor"), message)])


def _place(member: GalleryEntry, bits: int, step: int) -> GalleryEntry:
    return evolve(member, sort_key=_place_key(member.sort_key, bits, step))


def _place_key(key: SortKey, bits: int, step: int) -> SortKey:
    """Counts its step from the beginning of the walk instead of the statement's own slots, which count from 1."""
    own_step, *rest = key
    assert isinstance(own_step, int)
    return (bits, step + own_step - 1, *rest)


def _start_revision(begun: int, found: GalleryPage) -> int:
    """The revision that a walk began with: the gallery's, if this is its first page."""
    return min(begun, found.revision)


_READERS: Mapping[ImageOrder, Callable[[Connection, Walk], Awaitable[GalleryPage | None]]] = {
    ImageOrder.POSITION: _by_position,
    ImageOrder.CREATED_AT: _by_created_at,
    ImageOrder.TAKEN_AT: partial(_by_key, listing_records.LIST_BY_TAKEN_AT, (LAST_MOMENT, LAST_ID)),
    ImageOrder.FILENAME: partial(_by_key, listing_records.LIST_BY_FILENAME, ("", FIRST_ID)),
    ImageOrder.RANDOM: _at_random,
}
