"""The library: all images of one owner by time, in pages or months, for its owner and those it is shared with."""

from datetime import datetime
from uuid import UUID

from attrs import astuple, evolve, field, frozen

from imagegallery.access import records as access_records
from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import Facts, may_view
from imagegallery.access.disclosure import Disclosure, disclosure
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.common.validation import Faults
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.ids import Id, as_id
from imagegallery.images.image.image import Image, LibraryOrder, LibraryOrderLike
from imagegallery.images.image.records import FoundImage
from imagegallery.images.library import records as library_records
from imagegallery.images.library.filter import NO_FILTER, ImageFilter, check_filter
from imagegallery.images.library.records import Place, Timeline
from imagegallery.images.library.timeline import (
    CutMonth,
    MonthColumns,
    MonthCount,
    MonthPart,
    PlaceInTime,
    TimeRange,
    check_part_size,
    ranges,
    whole_month,
)
from imagegallery.images.presentation.disclosed import hidden_conditions
from imagegallery.images.presentation.urls import ImageUrls, show
from imagegallery.pagination import (
    DEFAULT_LIMIT,
    FIRST_ID,
    FIRST_MOMENT,
    LAST_ID,
    LAST_MOMENT,
    CursorPage,
    SortKey,
    check_limit,
    cut_page,
    decode_cursor,
    encode_cursor,
)
from imagegallery.principal import Principal


@frozen
class _Library:
    """A library to read: whose, since when what is added there belongs to it, and what is shown of it by which
    share."""

    owner_id: str
    since: datetime | None
    shown: Disclosure
    facts: Facts

    @property
    def scope(self) -> str:
        """A part of cursors' scopes: what one share shows is no other's."""
        return ":".join((self.owner_id, *(str(each.share_id) for each in self.facts.grants[:1])))

    def part_scope(self, month: str, where: ImageFilter) -> str:
        """Of the cursors of a month's parts."""
        return f"timeline:{self.scope}:{month}:{where.scope}"

    def timeline(self, where: ImageFilter) -> Timeline:
        return Timeline(self.owner_id, where, self.since)

    def narrowed(self, where: ImageFilter) -> ImageFilter:
        """What its owner has archived is in nobody else's lists."""
        return where if self.shown.is_owners else evolve(where, is_archived=False)

    def of(self, found: FoundImage) -> Facts:
        """The facts about one of its images."""
        return evolve(found.facts, grants=self.facts.grants)


@frozen
class LibraryService:
    """Reads the principal's own images, in all galleries, but not those in the trash; or with a ``share_id`` those of
    another's library which that share shows them: what was added since it began, and is not archived."""

    _database: Database
    _delivery: ImageUrls
    _clock: Clock
    _authority: Authority = field(factory=Authority)

    async def list(
        self,
        principal: Principal,
        *,
        share_id: Id | None = None,
        order: LibraryOrderLike = LibraryOrder.CREATED_AT,
        where: ImageFilter = NO_FILTER,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CursorPage[Image]:
        """List images that pass a filter, by latest upload or latest picture.

        A page examines 20,000 images: if few of them pass, it may be short or empty and still have a next cursor.

        Args:
            share_id: Of a share of another's library; by the link of one, it is that share anyway.
            where: Only the owner may filter by what only owners see, and by times who is shown them.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has no share of a library of this id.
            InvalidInput: For invalid arguments.
            InvalidCursor: For an invalid cursor.
        """
        chosen = _check(order, where)
        check_limit(limit)
        library = await self._find(principal, share_id)
        self._check_told(library, chosen, where)
        scope = f"images:{library.scope}:{chosen}:{where.scope}"
        after = _start(chosen, where) if cursor is None else Place(*decode_cursor(cursor, scope, datetime, UUID))
        async with self._database.reading() as connection:
            read = await library_records.list_images(
                connection,
                library.owner_id,
                chosen,
                library.narrowed(where),
                after,
                limit + 1,
                indexed=self._delivery.meta.indexed,
                since=library.since,
            )
        page = cut_page(
            read.found, limit, lambda last: encode_cursor(scope, _sort_key(chosen, last)), goes_on=read.goes_on
        )
        return await self._delivery.of_many(
            lambda: page.map(lambda each: show(each.image, principal, self._delivery, library.of(each)))
        )

    async def unattached(
        self, principal: Principal, before: datetime, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[Image]:
        """See `ImageService.unattached`; of those that were uploaded at ``before`` or earlier."""
        owner_id = principal.require_user()
        check_limit(limit)
        scope = f"unattached:{owner_id}"
        after = (
            Place(FIRST_MOMENT, FIRST_ID) if cursor is None else Place(*decode_cursor(cursor, scope, datetime, UUID))
        )
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.reading() as connection:
            read = await library_records.list_unattached(connection, owner_id, before, after, limit + 1)
        page = cut_page(
            read.found,
            limit,
            lambda last: encode_cursor(scope, (last.image.created_at, last.image.id)),
            goes_on=read.goes_on,
        )
        return await self._delivery.of_many(
            lambda: page.map(lambda each: show(each.image, principal, self._delivery, each.facts))
        )

    async def timeline(
        self,
        principal: Principal,
        *,
        share_id: Id | None = None,
        is_archived: bool = False,
        where: ImageFilter = NO_FILTER,
        part_size: int | None = None,
    ) -> tuple[MonthCount, ...]:
        """Return the months, by UTC, that have images which pass a filter, latest first: archived ones, or all others.

        Args:
            share_id: As in `list`.
            where: As in `list`; it may say ``is_archived``, too.
            part_size: Cut months with more images than this (at most 10,000) into parts, to be read one by one.

        Raises:
            Unauthenticated: Without a user.
            NotFound: As in `list`.
            InvalidInput: For a wrong filter or ``part_size``, and for what the share does not show: when pictures were
                taken, or archived ones.
        """
        if part_size is not None:
            check_part_size(part_size)
        library, where = await self._find_timeline(principal, share_id, is_archived, where)
        async with self._database.reading() as connection:
            if part_size is None:
                return tuple(await library.timeline(where).months(connection))
            months = await library.timeline(where).cut_months(connection, part_size)
        return tuple(_counted(each, library.part_scope(each.month, where)) for each in months)

    async def month(
        self,
        principal: Principal,
        month: str,
        *,
        share_id: Id | None = None,
        is_archived: bool = False,
        where: ImageFilter = NO_FILTER,
        cursor: str | None = None,
    ) -> MonthColumns:
        """Return all images of a month (``2024-06``) of the timeline, or of a part of it.

        Args:
            share_id: As in `list`.
            where: As in `timeline`.
            cursor: Of the part.

        Raises:
            Unauthenticated: Without a user.
            NotFound: As in `list`.
            InvalidInput: For an invalid month, and as `timeline`.
            InvalidCursor: For a cursor that is no part of this month's.
        """
        within = whole_month(month)
        library, where = await self._find_timeline(principal, share_id, is_archived, where)
        if cursor is not None:
            within = _part(cursor, library.part_scope(month, where))
        async with self._database.reading() as connection:
            return await library.timeline(where).columns(connection, month, within)

    async def _find_timeline(
        self, principal: Principal, share_id: Id | None, is_archived: bool, where: ImageFilter
    ) -> tuple[_Library, ImageFilter]:
        """The library, and all that is asked of a timeline of it."""
        where = evolve(where, is_archived=is_archived or where.is_archived or None)
        _check(LibraryOrder.TAKEN_AT, where)
        library = await self._find(principal, share_id)
        self._check_told(library, LibraryOrder.TAKEN_AT, where)
        return library, where

    async def _find(self, principal: Principal, share_id: Id | None) -> _Library:
        """The library that is asked for, if the principal may see it."""
        if principal.link is not None and share_id is None:
            share_id = principal.link.share_id
        if share_id is None:
            owner_id = principal.require_user()
            await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
            facts = Facts(owner_id)
            return _Library(owner_id, None, disclosure(principal, facts), facts)
        principal.require_known()
        share_id, now = as_id(share_id, "share_id"), self._clock()
        async with self._database.reading() as connection:
            found = await access_records.shared_library(connection, principal, share_id, now=now)
        if found is None or not may_view(principal, found.facts):
            raise NotFound.of("share")
        owner_id = found.facts.owner_id
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        return _Library(owner_id, found.starts_at or FIRST_MOMENT, disclosure(principal, found.facts), found.facts)

    def _check_told(self, library: _Library, order: LibraryOrder, where: ImageFilter) -> None:
        """Raise `InvalidInput` for what is hidden by the share, and asked by."""
        faults = Faults()
        for name in hidden_conditions(where, order, library.shown, self._delivery.meta):
            faults.add(("query", name), "is for those who are shown it")
        faults.check()


def _check(order: str, where: ImageFilter) -> LibraryOrder:
    faults = Faults()
    chosen = faults.choice(("query", "order"), order, LibraryOrder)
    check_filter(faults, where)
    faults.check()
    return chosen


def _counted(cut: CutMonth, scope: str) -> MonthCount:
    if not cut.starts:
        return MonthCount(cut.month, sum(cut.counts))
    within = ranges(whole_month(cut.month), cut.starts)
    cursors = (encode_cursor(scope, (*astuple(each.start), *astuple(each.end))) for each in within)
    return MonthCount(cut.month, sum(cut.counts), tuple(map(MonthPart, cursors, cut.counts)))


def _part(cursor: str, scope: str) -> TimeRange:
    start_at, start_id, end_at, end_id = decode_cursor(cursor, scope, datetime, UUID, datetime, UUID)
    return TimeRange(PlaceInTime(start_at, start_id), PlaceInTime(end_at, end_id))


def _start(order: LibraryOrder, where: ImageFilter) -> Place:
    """The start of all images, or of the filter's range of times."""
    if order is LibraryOrder.TAKEN_AT and where.taken_before is not None:
        return Place(where.taken_before, FIRST_ID)
    return Place(LAST_MOMENT, LAST_ID)


def _sort_key(order: LibraryOrder, found: FoundImage) -> SortKey:
    image = found.image
    return (image.taken_at if order is LibraryOrder.TAKEN_AT else image.created_at, image.id)
