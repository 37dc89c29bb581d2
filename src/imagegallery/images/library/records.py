"""The SQL of an owner's library: pages by time, and months. Without images in the trash."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Final, Generic, TypeVar
from uuid import UUID

from asyncpg import Record
from attrs import evolve, frozen

from imagegallery.database.connection import Connection
from imagegallery.database.statement import Statement
from imagegallery.images.image.image import LibraryOrder
from imagegallery.images.image.records import IMAGE_COLUMNS, UNUSED, VISIBILITY, FoundImage, found_from
from imagegallery.images.library.filter import ImageFilter, indexed_key
from imagegallery.images.library.filter_sql import FITS, arguments, meta_hash, tag_of
from imagegallery.images.library.timeline import (
    CutMonth,
    MonthColumns,
    MonthCount,
    PlaceInTime,
    TimeRange,
    cut_month,
    month_of,
)
from imagegallery.images.words.words import MAX_RATING

F = TypeVar("F")

# The images that a page examines at most, however few of them pass its filter.
EXAMINED: Final = 20_000
# Of those that may be unattached; its galleries are looked up for each.
EXAMINED_UNATTACHED: Final = 500


def listing(
    key: str,
    condition: str = "",
    source: str = "images i",
    place: tuple[str, str] | None = None,
    there: str = "i.deleted_at IS NULL",
) -> Statement:
    """A page of an owner's images of a filter, the latest ``key`` first, after a (``key``, id), which a joined row of
    the ``source`` may have, too (``place``).

    It looks at ``:examined`` of them; the last of these comes along, whether it fits or not. The range of times is said
    once more for those read by taken_at, so that the scan can begin and end by it.
    """
    moment, image_id = place or (f"i.{key}", "i.id")
    order = f"{moment} DESC, {image_id} DESC"
    return Statement.of(f"""
SELECT i.number, {FITS} AS fits, {IMAGE_COLUMNS}, {VISIBILITY}
FROM (
    SELECT i.*, {moment} AS at_moment, {image_id} AS at_id, row_number() OVER (ORDER BY {order}) AS number
    FROM {source}
    WHERE i.owner_id = :owner_id AND {there} AND ({moment}, {image_id}) < (:moment, :image_id) {condition}
    ORDER BY {order}
    LIMIT :examined
) i
WHERE i.number = :examined OR {FITS}
ORDER BY i.at_moment DESC, i.at_id DESC
LIMIT :limit""")


_TAKEN_FROM = "AND i.taken_at >= coalesce(:taken_from::timestamptz, '-infinity')"
LISTS: Final[Mapping[LibraryOrder, Statement]] = {
    LibraryOrder.CREATED_AT: listing("created_at"),
    LibraryOrder.TAKEN_AT: listing("taken_at", _TAKEN_FROM),
}

# The same for favourites, which have indexes of their own: few among many would be far apart in the others.
FAVORITES: Final[Mapping[LibraryOrder, Statement]] = {
    LibraryOrder.CREATED_AT: listing("created_at", "AND i.is_favorite"),
    LibraryOrder.TAKEN_AT: listing("taken_at", f"{_TAKEN_FROM} AND i.is_favorite"),
}

# The same for images with one tag, in the order of its own index.
_WITH_TAG: Final = f"AND m.is_listed AND m.tag_id = {tag_of(':owner_id', ':one_tag')}"
_THEIR_TAGS: Final = "image_tags m JOIN images i ON i.id = m.image_id"
TAGGED: Final[Mapping[LibraryOrder, Statement]] = {
    LibraryOrder.CREATED_AT: listing("created_at", _WITH_TAG, _THEIR_TAGS, ("m.image_created_at", "m.image_id")),
    LibraryOrder.TAKEN_AT: listing(
        "taken_at",
        f"{_TAKEN_FROM.replace('i.', 'm.image_')} {_WITH_TAG}",
        _THEIR_TAGS,
        ("m.image_taken_at", "m.image_id"),
    ),
}


# The same for images with a wanted number of stars: the lists of each number, merged.
def _rated(key: str) -> str:
    return " UNION ALL ".join(
        f"""(
        SELECT * FROM images i
        WHERE i.owner_id = :owner_id AND i.rating = {stars} AND {stars} BETWEEN :lowest AND :highest
            AND i.deleted_at IS NULL AND (i.{key}, i.id) < (:moment, :image_id)
        ORDER BY i.{key} DESC, i.id DESC
        LIMIT :examined
    )"""
        for stars in range(MAX_RATING + 1)
    )


RATED: Final[Mapping[LibraryOrder, Statement]] = {
    LibraryOrder.CREATED_AT: listing("created_at", source=f"({_rated('created_at')}) i"),
    LibraryOrder.TAKEN_AT: listing("taken_at", _TAKEN_FROM, f"({_rated('taken_at')}) i"),
}

# The same for who has a share of the library, of what was added since it began.
_SINCE = "AND i.created_at >= :since"
SHARED: Final[Mapping[LibraryOrder, Statement]] = {
    LibraryOrder.CREATED_AT: listing("created_at", _SINCE),
    LibraryOrder.TAKEN_AT: listing("taken_at", f"{_TAKEN_FROM} {_SINCE}"),
}

# Images that were not claimed and are in no gallery, the oldest first, after a (created_at, id).
UNATTACHED: Final = Statement.of(f"""
SELECT i.number, i.is_unused, {IMAGE_COLUMNS}, {VISIBILITY}
FROM (
    SELECT i.*, {UNUSED} AS is_unused, row_number() OVER (ORDER BY i.created_at, i.id) AS number
    FROM (
        SELECT * FROM images i
        WHERE i.owner_id = :owner_id AND i.deleted_at IS NULL AND i.created_at <= :before
          AND (i.created_at, i.id) > (:moment, :image_id)
        ORDER BY i.created_at, i.id
        LIMIT :examined
    ) i
) i
WHERE i.number = :examined OR i.is_unused
ORDER BY i.created_at, i.id
LIMIT :limit""")

# The same for chosen images, which are looked up by their ids before anything else.
_BY_ID = "(SELECT * FROM images WHERE id = ANY(:ids) OFFSET 0) i"
CHOSEN: Final[Mapping[LibraryOrder, Statement]] = {order: listing(order.value, source=_BY_ID) for order in LibraryOrder}
SHARED_CHOSEN: Final[Mapping[LibraryOrder, Statement]] = {
    order: listing(order.value, _SINCE, source=_BY_ID) for order in LibraryOrder
}


@cache
def by_meta(order: LibraryOrder, key: str) -> Statement:
    """The same for images with one value of an indexed key of ``meta``, by its index (`index_records`)."""
    wanted = f"{meta_hash('i.', key)} = hashtextextended(:meta_written::jsonb ->> '{key}', 0)"
    return listing(order.value, f"AND i.meta ? '{key}' AND {wanted}")


# The images that an owner took in each month, by UTC, among archived ones or the others.
def _months(condition: str = "") -> Statement:
    return Statement.of(f"""
SELECT date_trunc('month', i.taken_at, 'UTC') AS month, count(*) AS count
FROM images i
WHERE i.owner_id = :owner_id AND i.deleted_at IS NULL AND i.is_archived = :is_archived {condition}
GROUP BY month
ORDER BY month DESC""")


# The same, and of each month the images that parts begin with: of all, latest first, each that fills a part size.
def _parts(condition: str = "") -> Statement:
    return Statement.of(f"""
SELECT date_trunc('month', i.taken_at, 'UTC') AS month, count(*) AS count, min(i.number) AS first,
       array_agg(i.number ORDER BY i.number) FILTER (WHERE i.number % :part_size = 0) AS numbers,
       array_agg(i.taken_at ORDER BY i.number) FILTER (WHERE i.number % :part_size = 0) AS moments,
       array_agg(i.id ORDER BY i.number) FILTER (WHERE i.number % :part_size = 0) AS ids
FROM (
    SELECT i.taken_at, i.id, row_number() OVER (ORDER BY i.taken_at DESC, i.id DESC) AS number
    FROM images i
    WHERE i.owner_id = :owner_id AND i.deleted_at IS NULL AND i.is_archived = :is_archived {condition}
) i
GROUP BY month
ORDER BY month DESC""")


# The images of a range of places, newest first, in columns. All columns are in the index.
def _columns(condition: str = "") -> Statement:
    return Statement.of(f"""
SELECT coalesce(array_agg(p.id), '{{}}') AS ids,
       coalesce(array_agg(p.ratio), '{{}}') AS ratios,
       coalesce(array_agg(p.blurhash), '{{}}') AS blurhashes,
       coalesce(array_agg(p.taken_at), '{{}}') AS taken_at
FROM (
    SELECT i.id, greatest(round(i.width * 10000.0::float8 / i.height), 1) / 10000 AS ratio, i.blurhash, i.taken_at
    FROM images i
    WHERE i.owner_id = :owner_id AND i.deleted_at IS NULL AND i.is_archived = :is_archived
        AND (i.taken_at, i.id) <= (:start_at, :start_id) AND (i.taken_at, i.id) > (:end_at, :end_id) {condition}
    ORDER BY i.taken_at DESC, i.id DESC
) p""")


@frozen
class TimelineStatements:
    """What is read of a timeline."""

    months: Statement
    parts: Statement
    columns: Statement

    @classmethod
    def of(cls, condition: str = "") -> "TimelineStatements":
        """Of those images that are so, too."""
        return cls(_months(condition), _parts(condition), _columns(condition))


# The range of times is said once more, for the index.
_FILTERED: Final = f"""
      AND i.taken_at >= coalesce(:taken_from::timestamptz, '-infinity')
      AND i.taken_at < coalesce(:taken_before::timestamptz, 'infinity') AND {FITS}"""
TIMELINE: Final = TimelineStatements.of()
FILTERED_TIMELINE: Final = TimelineStatements.of(_FILTERED)
# Favourites have an index of their own.
FAVORITE_TIMELINE: Final = TimelineStatements.of(f"AND i.is_favorite {_FILTERED}")
# For who has a share of the library, of what was added since it began.
SHARED_TIMELINE: Final = TimelineStatements.of(_SINCE)
SHARED_FILTERED_TIMELINE: Final = TimelineStatements.of(f"{_SINCE} {_FILTERED}")


# NULL leaves a flag unchanged; images that have it already are not touched.
_SET_FLAGS = """
UPDATE images
SET is_favorite = coalesce($2, is_favorite), is_archived = coalesce($3, is_archived), updated_at = $4
WHERE id = ANY($1) AND (is_favorite <> coalesce($2, is_favorite) OR is_archived <> coalesce($3, is_archived))
RETURNING id"""


@frozen
class Place:
    """A place in the library: after the image of this id and time."""

    moment: datetime
    image_id: UUID


@frozen
class Stretch(Generic[F]):
    """Images of a stretch of the library that pass the filter. ``goes_on``: the last one examined, if there may be
    more."""

    found: list[F]
    goes_on: F | None

    @classmethod
    def of(cls, rows: Sequence[Record], read: Callable[[Record], F]) -> "Stretch[F]":
        """What the rows of a `listing` say."""
        is_cut = bool(rows) and rows[-1]["number"] == EXAMINED
        return cls([read(row) for row in rows if row["fits"]], read(rows[-1]) if is_cut else None)


async def list_images(
    connection: Connection,
    owner_id: str,
    order: LibraryOrder,
    where: ImageFilter,
    after: Place,
    limit: int,
    *,
    indexed: Sequence[str] = (),
    since: datetime | None = None,
) -> Stretch[FoundImage]:
    """``indexed`` are the keys of ``meta`` that have an index. With ``since``, images that were added from then on."""
    statement, said = LISTS[order], where
    bounds: dict[str, object] = {} if since is None else {"since": since}
    if since is not None:
        statement = (SHARED if where.ids is None else SHARED_CHOSEN)[order]
    elif where.ids is not None:
        statement = CHOSEN[order]
    elif where.tag is not None:
        # As for favourites, what the statement says already is not repeated.
        statement, said = TAGGED[order], evolve(where, tag=None)
        bounds = {"one_tag": where.tag}
    elif where.rating is not None or where.rating_from is not None:
        statement, said = RATED[order], evolve(where, rating=None, rating_from=None)
        bounds = _stars(where)
    elif (key := indexed_key(where.meta, indexed)) is not None:
        statement = by_meta(order, key)
    elif where.is_favorite:
        # The statement has this condition already; repeated, PostgreSQL would estimate half as many rows.
        statement, said = FAVORITES[order], evolve(where, is_favorite=None)
    rows = await statement.fetch(
        connection,
        owner_id=owner_id,
        moment=after.moment,
        image_id=after.image_id,
        limit=limit,
        examined=EXAMINED,
        **arguments(said),
        **bounds,
    )
    return Stretch.of(rows, found_from)


def _stars(where: ImageFilter) -> dict[str, object]:
    """The least and the most stars that are wanted."""
    lowest = max(each for each in (where.rating, where.rating_from) if each is not None)
    return {"lowest": lowest, "highest": MAX_RATING if where.rating is None else where.rating}


async def list_unattached(
    connection: Connection, owner_id: str, before: datetime, after: Place, limit: int
) -> Stretch[FoundImage]:
    """Those that were uploaded at ``before`` or earlier."""
    rows = await UNATTACHED.fetch(
        connection,
        owner_id=owner_id,
        before=before,
        moment=after.moment,
        image_id=after.image_id,
        limit=limit,
        examined=EXAMINED_UNATTACHED,
    )
    is_cut = bool(rows) and rows[-1]["number"] == EXAMINED_UNATTACHED
    return Stretch([found_from(row) for row in rows if row["is_unused"]], found_from(rows[-1]) if is_cut else None)


@frozen
class Timeline:
    """A timeline to read: of the archived images of an owner, or of the others, that pass a filter; with ``since``, of
    those that were added from then on."""

    owner_id: str
    where: ImageFilter
    since: datetime | None

    async def months(self, connection: Connection) -> list[MonthCount]:
        rows = await self._fetch(connection, self._statements.months)
        return [MonthCount(month_of(row["month"]), row["count"]) for row in rows]

    async def cut_months(self, connection: Connection, part_size: int) -> list[CutMonth]:
        """The months in parts of at most ``part_size``."""
        rows = await self._fetch(connection, self._statements.parts, part_size=part_size)
        return [cut_month(month_of(row["month"]), row["first"], row["count"], _cuts(row), part_size) for row in rows]

    async def columns(self, connection: Connection, month: str, within: TimeRange) -> MonthColumns:
        """Return the images of the month in this range."""
        start, end = within.start, within.end
        (row,) = await self._fetch(
            connection,
            self._statements.columns,
            start_at=start.taken_at,
            start_id=start.image_id,
            end_at=end.taken_at,
            end_id=end.image_id,
        )
        return MonthColumns(
            month=month,
            ids=tuple(row["ids"]),
            ratios=tuple(row["ratios"]),
            blurhashes=tuple(row["blurhashes"]),
            taken_at=tuple(row["taken_at"]),
        )

    @property
    def _statements(self) -> TimelineStatements:
        if self._is_plain:
            return TIMELINE if self.since is None else SHARED_TIMELINE
        if self.since is not None:
            return SHARED_FILTERED_TIMELINE
        return FAVORITE_TIMELINE if self.where.is_favorite else FILTERED_TIMELINE

    @property
    def _is_plain(self) -> bool:
        """Whether there is no condition beside that of the archive, which each statement has."""
        return evolve(self.where, is_archived=None).is_empty

    async def _fetch(self, connection: Connection, statement: Statement, **asked: object) -> list[Record]:
        is_archived = bool(self.where.is_archived)
        conditions = {"is_archived": is_archived} if self._is_plain else arguments(self.where)
        bounds = {} if self.since is None else {"since": self.since}
        said = {**conditions, **bounds, **asked, "owner_id": self.owner_id, "is_archived": is_archived}
        return await statement.fetch(connection, **said)


def _cuts(row: Record) -> list[tuple[int, PlaceInTime]]:
    columns = (row["numbers"] or (), row["moments"] or (), row["ids"] or ())
    return [(number, PlaceInTime(moment, image_id)) for number, moment, image_id in zip(*columns, strict=True)]


async def set_flags(
    connection: Connection,
    image_ids: Sequence[UUID],
    *,
    is_favorite: bool | None = None,
    is_archived: bool | None = None,
    now: datetime,
) -> list[UUID]:
    """Set what is not ``None``. Returns the images that this changed."""
    rows = await connection.fetch(_SET_FLAGS, list(image_ids), is_favorite, is_archived, now)
    return [row["id"] for row in rows]
