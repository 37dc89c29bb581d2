"""The library: all images of one owner by time, in pages or months."""

from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.common.validation import Faults
from imagegallery.database.pool import Database
from imagegallery.images.image.image import Image, LibraryOrder, LibraryOrderLike
from imagegallery.images.image.records import FoundImage
from imagegallery.images.library import records as library_records
from imagegallery.images.library.filter import NO_FILTER, ImageFilter, check_filter
from imagegallery.images.library.records import Place
from imagegallery.images.library.timeline import MonthColumns, MonthCount, month_bounds
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
class LibraryService:
    """Reads the principal's own images, in all galleries, but not those in the trash."""

    _database: Database
    _delivery: ImageUrls
    _authority: Authority = field(factory=Authority)

    async def list(
        self,
        principal: Principal,
        *,
        order: LibraryOrderLike = LibraryOrder.CREATED_AT,
        where: ImageFilter = NO_FILTER,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CursorPage[Image]:
        """List images that pass a filter, by latest upload or latest picture.

        A page examines 20,000 images: if few of them pass, it may be short or empty and still have a next cursor.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For invalid arguments.
            InvalidCursor: For an invalid cursor.
        """
        owner_id = principal.require_user()
        chosen = _check(order, where)
        check_limit(limit)
        scope = f"images:{owner_id}:{chosen}:{where.scope}"
        after = _start(chosen, where) if cursor is None else Place(*decode_cursor(cursor, scope, datetime, UUID))
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.reading() as connection:
            indexed = self._delivery.meta.indexed
            read = await library_records.list_images(
                connection, owner_id, chosen, where, after, limit + 1, indexed=indexed
            )
        page = cut_page(
            read.found, limit, lambda last: encode_cursor(scope, _sort_key(chosen, last)), goes_on=read.goes_on
        )
        return await self._delivery.of_many(
            lambda: page.map(lambda each: show(each.image, principal, self._delivery, each.facts))
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

    async def timeline(self, principal: Principal, *, is_archived: bool = False) -> tuple[MonthCount, ...]:
        """Return the months, by UTC, that have images, latest first: archived ones, or all others.

        Raises:
            Unauthenticated: Without a user.
        """
        owner_id = principal.require_user()
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.reading() as connection:
            return tuple(await library_records.months(connection, owner_id, is_archived=is_archived))

    async def month(self, principal: Principal, month: str, *, is_archived: bool = False) -> MonthColumns:
        """Return all images of a month (``2024-06``) of the timeline.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid month.
        """
        owner_id = principal.require_user()
        month_bounds(month)
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.reading() as connection:
            return await library_records.columns(connection, owner_id, month, is_archived=is_archived)


def _check(order: str, where: ImageFilter) -> LibraryOrder:
    faults = Faults()
    chosen = faults.choice(("query", "order"), order, LibraryOrder)
    check_filter(faults, where)
    faults.check()
    return chosen


def _start(order: LibraryOrder, where: ImageFilter) -> Place:
    """The start of all images, or of the filter's range of times."""
    if order is LibraryOrder.TAKEN_AT and where.taken_before is not None:
        return Place(where.taken_before, FIRST_ID)
    return Place(LAST_MOMENT, LAST_ID)


def _sort_key(order: LibraryOrder, found: FoundImage) -> SortKey:
    image = found.image
    return (image.taken_at if order is LibraryOrder.TAKEN_AT else image.created_at, image.id)
