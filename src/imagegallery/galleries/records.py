"""The SQL of galleries: one statement a page. What is in a gallery is written by `images.membership`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record
from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.galleries.gallery import Gallery, ImageOrder, Visibility
from imagegallery.galleries.input import Changes, Draft
from imagegallery.images.image import Image
from imagegallery.images.records import IMAGE_COLUMNS, image_from
from imagegallery.pagination import LAST_ID, LAST_MOMENT, SortKey
from imagegallery.principal import Principal

# What `_gallery` reads, of a gallery `g` and its cover, an image `i`: the chosen one, else the first.
_GALLERY_COLUMNS = f"""
    g.id AS gallery_id, g.owner_id AS gallery_owner_id, g.name, g.description, g.visibility, g.cover_image_id,
    g.image_count, g.created_at AS gallery_created_at, g.updated_at AS gallery_updated_at, {IMAGE_COLUMNS}"""
_COVER = """
LEFT JOIN images i ON i.id = coalesce(
    g.cover_image_id,
    (SELECT m.image_id FROM gallery_images m WHERE m.gallery_id = g.id ORDER BY m.position LIMIT 1)
)"""

# One gallery, by id.
GET = f"SELECT {_GALLERY_COLUMNS} FROM galleries g {_COVER} WHERE g.id = $1"

# The oldest of an owner's galleries of this name.
FIND_BY_NAME = f"""
SELECT {_GALLERY_COLUMNS}
FROM galleries g {_COVER}
WHERE g.owner_id = $1 AND g.name = $2
ORDER BY g.created_at
LIMIT 1"""

# A page of one owner's galleries, newest first, after a (created_at, id).
LIST_OWNED = f"""
SELECT {_GALLERY_COLUMNS}
FROM galleries g {_COVER}
WHERE g.owner_id = $1 AND (g.created_at, g.id) < ($2, $3)
ORDER BY g.created_at DESC, g.id DESC
LIMIT $4"""

# A page of everybody's public galleries, likewise.
LIST_PUBLIC = f"""
SELECT {_GALLERY_COLUMNS}
FROM galleries g {_COVER}
WHERE g.visibility = 'public' AND (g.created_at, g.id) < ($1, $2)
ORDER BY g.created_at DESC, g.id DESC
LIMIT $3"""


def _listing(key: str, order: str, extent: str) -> str:
    """A gallery and a page of its images: one row an image, or one row of NULLs beside an empty page.

    The page is cut from the index of its order alone, before anything is joined to it; what is sorted at the
    end is that one page. It names the gallery as $1: by ``g.id`` a large one would be planned like any other.
    """
    return f"""
SELECT g.owner_id AS gallery_owner_id, g.visibility, g.image_count, m.{key} AS sort_key, {IMAGE_COLUMNS}
FROM galleries g
LEFT JOIN (
    SELECT m.image_id, m.{key} FROM gallery_images m WHERE m.gallery_id = $1 {extent}
) m ON true
LEFT JOIN images i ON i.id = m.image_id
WHERE g.id = $1
ORDER BY {order}"""


def _by_position(beyond: str, extent: str) -> str:
    order = "m.position"
    return _listing("position", order, f"{beyond} ORDER BY {order} {extent}")


def _by_created_at(beyond: str, extent: str) -> str:
    order = "m.image_created_at DESC, m.image_id DESC"
    return _listing("image_created_at", order, f"{beyond} ORDER BY {order} {extent}")


# Images as arranged, after a position.
LIST_BY_POSITION = _by_position("AND m.position > $2", "LIMIT $3")

# Images newest first, after an (image_created_at, image_id).
LIST_BY_CREATED_AT = _by_created_at("AND (m.image_created_at, m.image_id) < ($2, $3)", "LIMIT $4")

# The same, after a number of images.
PAGE_BY_POSITION = _by_position("", "OFFSET $2 LIMIT $3")
PAGE_BY_CREATED_AT = _by_created_at("", "OFFSET $2 LIMIT $3")

_PAGES = {ImageOrder.POSITION: PAGE_BY_POSITION, ImageOrder.CREATED_AT: PAGE_BY_CREATED_AT}

_INSERT = """
INSERT INTO galleries (id, owner_id, name, description, visibility, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)"""

# NULL leaves a column as it is, except that the cover is set to what it is given as when $5 says so.
_UPDATE = """
UPDATE galleries
SET name = coalesce($2, name), description = coalesce($3, description), visibility = coalesce($4, visibility),
    cover_image_id = CASE WHEN $5 THEN $6 ELSE cover_image_id END, updated_at = $7
WHERE id = $1"""

# Memberships go with the gallery, images stay.
_DELETE = "DELETE FROM galleries WHERE id = $1"

_BEFORE_ALL_POSITIONS = -(2**63)


@frozen
class Member:
    """An image in its place in a gallery, which ``sort_key`` names in the order that was asked for."""

    sort_key: SortKey
    image: Image


@frozen
class Members:
    """A page of a gallery's images, with what decides who may see it and how many there are in all."""

    owner_id: str
    visibility: Visibility
    total: int
    found: tuple[Member, ...]

    def is_open_to(self, principal: Principal) -> bool:
        return self.visibility.is_open or principal.owns(self.owner_id)


async def insert(connection: Connection, gallery_id: UUID, owner_id: str, draft: Draft, *, now: datetime) -> None:
    await connection.execute(_INSERT, gallery_id, owner_id, draft.name, draft.description, draft.visibility.value, now)


async def get(connection: Connection, gallery_id: UUID) -> Gallery | None:
    row = await connection.fetchrow(GET, gallery_id)
    return None if row is None else _gallery(row)


async def find_by_name(connection: Connection, owner_id: str, name: str) -> Gallery | None:
    row = await connection.fetchrow(FIND_BY_NAME, owner_id, name)
    return None if row is None else _gallery(row)


async def list_owned(
    connection: Connection, owner_id: str, after: tuple[datetime, UUID] | None, limit: int
) -> list[Gallery]:
    created_at, gallery_id = after or (LAST_MOMENT, LAST_ID)
    return [_gallery(row) for row in await connection.fetch(LIST_OWNED, owner_id, created_at, gallery_id, limit)]


async def list_public(connection: Connection, after: tuple[datetime, UUID] | None, limit: int) -> list[Gallery]:
    created_at, gallery_id = after or (LAST_MOMENT, LAST_ID)
    return [_gallery(row) for row in await connection.fetch(LIST_PUBLIC, created_at, gallery_id, limit)]


async def update(connection: Connection, gallery_id: UUID, changes: Changes, *, now: datetime) -> None:
    await connection.execute(
        _UPDATE,
        gallery_id,
        changes.name,
        changes.description,
        changes.visibility,
        changes.sets_cover,
        changes.cover_image_id,
        now,
    )


async def delete(connection: Connection, gallery_id: UUID) -> None:
    await connection.execute(_DELETE, gallery_id)


async def list_by_position(connection: Connection, gallery_id: UUID, after: int | None, limit: int) -> Members | None:
    """``None`` when there is no such gallery; so for all three lists."""
    start = _BEFORE_ALL_POSITIONS if after is None else after
    rows = await connection.fetch(LIST_BY_POSITION, gallery_id, start, limit)
    return _members(rows, ImageOrder.POSITION)


async def list_by_created_at(
    connection: Connection, gallery_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> Members | None:
    created_at, image_id = after or (LAST_MOMENT, LAST_ID)
    rows = await connection.fetch(LIST_BY_CREATED_AT, gallery_id, created_at, image_id, limit)
    return _members(rows, ImageOrder.CREATED_AT)


async def list_page(
    connection: Connection, gallery_id: UUID, order: ImageOrder, offset: int, limit: int
) -> Members | None:
    return _members(await connection.fetch(_PAGES[order], gallery_id, offset, limit), order)


def _gallery(row: Record) -> Gallery:
    return Gallery(
        id=row["gallery_id"],
        owner_id=row["gallery_owner_id"],
        name=row["name"],
        description=row["description"],
        visibility=Visibility(row["visibility"]),
        cover_image_id=row["cover_image_id"],
        image_count=row["image_count"],
        created_at=row["gallery_created_at"],
        updated_at=row["gallery_updated_at"],
        cover=None if row["id"] is None else image_from(row),
    )


def _members(rows: Sequence[Record], order: ImageOrder) -> Members | None:
    if not rows:
        return None
    return Members(
        owner_id=rows[0]["gallery_owner_id"],
        visibility=Visibility(rows[0]["visibility"]),
        total=rows[0]["image_count"],
        found=tuple(_member(row, order) for row in rows if row["id"] is not None),
    )


def _member(row: Record, order: ImageOrder) -> Member:
    key = (row["sort_key"],) if order is ImageOrder.POSITION else (row["sort_key"], row["id"])
    return Member(key, image_from(row))
