"""The SQL that lists a gallery's images, a page at a time in every order; the gallery's own row comes with it.

A page is cut from the index of its order alone, before anything is joined to it; what is sorted at the end is
that one page. A filter reads the images it passes over, each by its id, until the page is full or `EXAMINED` of them
were read: then the last of these comes along, whether it fits or not, to say where to go on.

What is not in a walk: an image that got its place after the walk began (``walk``, a revision of the gallery).
"""

from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts
from imagegallery.access.grant import Grant
from imagegallery.database.connection import Connection
from imagegallery.database.statement import Statement
from imagegallery.galleries.gallery import ImageOrder
from imagegallery.galleries.shuffle import Shuffle
from imagegallery.images.image.image import Image
from imagegallery.images.image.records import IMAGE_COLUMNS, image_from
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.library.filter_sql import FITS, arguments
from imagegallery.pagination import SortKey

# How many images a filtered page looks at: beyond that it ends, however few of them fit.
EXAMINED: Final = 5_000

_GALLERY = "g.owner_id AS gallery_owner_id, g.visibility, g.image_count, g.revision, g.renumbered, g.forgotten"

# Looked up one by one: a plan made for a page of any size would rather read all images there are.
_ITS_IMAGE = "LEFT JOIN LATERAL (SELECT * FROM images i WHERE i.id = m.image_id LIMIT 1) i ON true"

# Not read with the order, whose indexes need not have it, but for those that are on the page. Asked for as what comes
# first from its key on, so that it is read by that: by the gallery alone a plan for any gallery would find it, too.
_POSITION = """(
    SELECT p.position FROM gallery_images p WHERE (p.gallery_id, p.image_id) >= (:gallery_id, m.image_id)
    ORDER BY p.gallery_id, p.image_id LIMIT 1
) AS position"""


@frozen
class GalleryEntry:
    """An image in its place in a gallery, which ``sort_key`` names in the order that was asked for."""

    sort_key: SortKey
    image: Image
    position: int


@frozen
class GalleryPage:
    """A page of a gallery's images, with what decides who may see it and how many there are in all.

    ``revision`` is that of the gallery, ``renumbered`` the last one that changed positions of images at rest,
    ``forgotten`` the last one of which it is no longer known how. ``goes_on``: where a page ended before it was full.
    Cursors that go on from here begin with ``cursor_start``, before a sort key. ``grants`` are those of who reads it.
    """

    owner_id: str
    visibility: Visibility
    total: int
    revision: int
    renumbered: int
    forgotten: int
    found: tuple[GalleryEntry, ...]
    goes_on: SortKey | None = None
    cursor_start: SortKey = ()
    grants: tuple[Grant, ...] = ()

    @property
    def facts(self) -> Facts:
        """What decides who may do what with the gallery."""
        return Facts(self.owner_id, self.visibility, grants=self.grants)


@frozen
class ListStatement:
    """The same list for all images, for those that fit a filter, and for ``chosen`` ones among these; the columns
    ``key`` are its sort key."""

    plain: Statement
    filtered: Statement
    chosen: Statement
    key: tuple[str, ...]

    async def read(
        self, connection: Connection, gallery_id: UUID, where: ImageFilter, **values: object
    ) -> GalleryPage | None:
        """A page; ``None`` when there is no such gallery."""
        if where.is_empty:
            rows = await self.plain.fetch(connection, gallery_id=gallery_id, **values)
        else:
            statement = self.filtered if where.ids is None else self.chosen
            rows = await statement.fetch(connection, gallery_id=gallery_id, **values, **arguments(where))
        if not rows:
            return None
        keys = [tuple(row[name] for name in self.key) for row in rows]
        found = zip(keys, rows, strict=True)
        return GalleryPage(
            owner_id=rows[0]["gallery_owner_id"],
            visibility=Visibility(rows[0]["visibility"]),
            total=rows[0]["image_count"],
            revision=rows[0]["revision"],
            renumbered=rows[0]["renumbered"],
            forgotten=rows[0]["forgotten"],
            found=tuple(GalleryEntry(key, image_from(row), row["position"]) for key, row in found if row["fits"]),
            goes_on=keys[-1] if rows[-1]["number"] == EXAMINED else None,
        )


# A scalar, which is asked for one image after another: an EXISTS, PostgreSQL may answer for all there are.
_FITS: Final = f"(SELECT true FROM images i WHERE i.id = m.image_id AND {FITS} LIMIT 1)"


def _filter_members(source: str, columns: str, order: str) -> str:
    """Of the members in ``source`` those that fit a filter, and the last of those that are looked at. The limit comes
    first, so that no plan can begin with the filter."""
    return f"""
    SELECT m.image_id, m.number, m.number < {EXAMINED} OR {_FITS} IS NOT NULL AS fits, {columns}
    FROM (
        SELECT m.image_id, {columns}, row_number() OVER (ORDER BY {order}) AS number
        FROM ({source}) m
        ORDER BY {order}
        LIMIT {EXAMINED}
    ) m
    WHERE m.number = {EXAMINED} OR {_FITS}"""


def _make_list(columns: str, order: str, key: tuple[str, ...], beyond: str, extent: str) -> ListStatement:
    """A gallery and a page of its images: one row an image, or one row of NULLs beside an empty page.

    It names the gallery by the parameter: by ``g.id`` a large one would be planned like any other.
    """
    source = f"SELECT m.image_id, {columns} FROM gallery_images m WHERE m.gallery_id = :gallery_id {beyond}"
    return _from(source, columns, order, key, extent, chosen="AND m.image_id = ANY(:ids)")


def _from(source: str, columns: str, order: str, key: tuple[str, ...], extent: str, chosen: str = "") -> ListStatement:
    position = "" if "position" in key else f"{_POSITION}, "

    def statement(members: str, looked_at: str) -> Statement:
        return Statement.of(f"""
SELECT {_GALLERY}, {looked_at}, {columns}, {position}{IMAGE_COLUMNS}
FROM galleries g
LEFT JOIN (
    {members}
    ORDER BY {order}
    {extent}
) m ON true
{_ITS_IMAGE}
WHERE g.id = :gallery_id
ORDER BY {order}""")

    plain = statement(f"SELECT m.* FROM ({source}) m", "NULL AS number, m.image_id IS NOT NULL AS fits")
    all_and_few = (source, f"{source} {chosen}")
    filtered, few = (statement(_filter_members(members, columns, order), "m.number, m.fits") for members in all_and_few)
    return ListStatement(plain, filtered, few, key)


def _page(columns: str, order: str, key: tuple[str, ...]) -> ListStatement:
    """After a number of images."""
    return _make_list(columns, order, key, "", "OFFSET :offset LIMIT :limit")


_ARRANGED = ("m.position", "m.position", ("position",))
_NEWEST = ("m.image_created_at", "m.image_created_at DESC, m.image_id DESC", ("image_created_at", "id"))
_LATEST = ("m.image_taken_at", "m.image_taken_at DESC, m.image_id DESC", ("image_taken_at", "id"))
_NAMED = ("m.name_key", "m.name_key, m.image_id", ("name_key", "id"))

# As arranged, in a walk, after a position.
LIST_BY_POSITION = _make_list(*_ARRANGED, "AND m.placed <= :walk AND m.position > :after", "LIMIT :limit")

# Newest upload first, after an (image_created_at, image_id).
LIST_BY_CREATED_AT = _make_list(*_NEWEST, "AND (m.image_created_at, m.image_id) < (:after, :after_id)", "LIMIT :limit")

# Latest taken first, in a walk, after an (image_taken_at, image_id).
LIST_BY_TAKEN_AT = _make_list(
    *_LATEST, "AND m.dated <= :walk AND (m.image_taken_at, m.image_id) < (:after, :after_id)", "LIMIT :limit"
)

# By name, in a walk, after a (name_key, image_id).
LIST_BY_FILENAME = _make_list(
    *_NAMED, "AND m.named <= :walk AND (m.name_key, m.image_id) > (:after, :after_id)", "LIMIT :limit"
)

PAGES: Final = {
    ImageOrder.POSITION: _page(*_ARRANGED),
    ImageOrder.CREATED_AT: _page(*_NEWEST),
    ImageOrder.TAKEN_AT: _page(*_LATEST),
    ImageOrder.FILENAME: _page(*_NAMED),
}


# A page of a `Shuffle`: slots of ``:width`` keys each from these ``:starts`` on, in their order, the first of them
# after a (place, image_id). A slot holds few images: it is they that are sorted. If the gallery has more than
# ``:most``, so that slots hold many, nothing is read. The OFFSET has each slot looked up by itself: a plan for
# galleries of any size would rather compare every slot with every image.
LIST_AT_RANDOM = _from(
    """SELECT slot.step, m.place, m.image_id
    FROM unnest(
        CASE WHEN (SELECT image_count FROM galleries WHERE id = :gallery_id) <= :most::bigint THEN :starts::bigint[] END
    )
        WITH ORDINALITY AS slot (start, step)
    CROSS JOIN LATERAL (
        SELECT m.image_id, m.random_key # :mask::bigint AS place
        FROM gallery_images m
        WHERE m.gallery_id = :gallery_id AND m.random_key >= slot.start AND m.random_key < slot.start + :width
        OFFSET 0
    ) m
    WHERE slot.step > 1 OR (m.place, m.image_id) > (:after, :after_id)""",
    "m.step, m.place",
    "m.step, m.place, m.image_id",
    ("step", "place", "id"),
    "LIMIT :limit OFFSET :offset",
)

# How many images of a gallery fit a filter.
COUNT = Statement.of(f"SELECT count(*) AS fitting FROM gallery_images m WHERE m.gallery_id = :gallery_id AND {_FITS}")

# How many images a gallery has.
SIZE = "SELECT image_count FROM galleries WHERE id = $1"

# The most images a slot, on average.
CROWD: Final = 1_024

# A walk that begins sees all there is.
FROM_NOW_ON = 2**63 - 1


async def at_random(
    connection: Connection,
    gallery_id: UUID,
    order: Shuffle,
    step: int,
    steps: int,
    after: tuple[int, UUID],
    limit: int,
    where: ImageFilter,
    *,
    offset: int = 0,
) -> GalleryPage | None:
    """What is in ``steps`` slots from ``step`` on, in the first of them after a (place, id).

    The sort key of an image is (how many steps after ``step``, place, id). Where slots are crowded nothing is read.
    """
    place, image_id = after
    return await LIST_AT_RANDOM.read(
        connection,
        gallery_id,
        where,
        starts=order.starts(step, steps),
        width=order.slot_width,
        mask=order.mask,
        after=place,
        after_id=image_id,
        limit=limit,
        offset=offset,
        most=CROWD << order.bits,
    )


def is_crowded(order: Shuffle, count: int) -> bool:
    """Whether slots are too full to be sorted for a page, because the gallery has grown since."""
    return count > CROWD << order.bits


async def count(connection: Connection, gallery_id: UUID, where: ImageFilter) -> int:
    """How many images fit a filter; reads all of the gallery."""
    (row,) = await COUNT.fetch(connection, gallery_id=gallery_id, **arguments(where))
    fitting: int = row["fitting"]
    return fitting


async def size(connection: Connection, gallery_id: UUID) -> int:
    """How many images the gallery has; none when there is no such gallery."""
    return await connection.fetchval(SIZE, gallery_id) or 0
