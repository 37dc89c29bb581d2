"""The SQL of galleries: one statement a page.

What is in a gallery is listed by `listing_records`, arranged by `order_records` and written by
`images.image.membership`.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

from asyncpg import Record
from attrs import frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.condition import LISTED_GALLERY
from imagegallery.access.permission import Permission
from imagegallery.access.records import OPEN_SHARE, names_of
from imagegallery.common.meta import Meta
from imagegallery.database.connection import Connection
from imagegallery.database.removal import removing
from imagegallery.database.statement import Statement
from imagegallery.galleries.filter import GalleryFilter
from imagegallery.galleries.gallery import Gallery
from imagegallery.galleries.input import Changes, GalleryDraft
from imagegallery.holdings.holding import Holding
from imagegallery.images.image.records import IMAGE_COLUMNS, image_from
from imagegallery.images.library.filter import indexed_key
from imagegallery.images.library.filter_sql import meta_arguments, meta_fits, meta_hash
from imagegallery.pagination import LAST_ID, LAST_MOMENT
from imagegallery.principal import Principal
from imagegallery.reconciliation.sums import Sum

# What `_gallery` reads, of a gallery `g` and its cover, an image `i`: the chosen one, else the first.
_GALLERY_COLUMNS = f"""
    g.id AS gallery_id, g.owner_id AS gallery_owner_id, g.name, g.description, g.visibility, g.cover_image_id,
    g.image_count, g.created_at AS gallery_created_at, g.updated_at AS gallery_updated_at, g.meta AS gallery_meta,
    g.policy AS gallery_policy, g.allowed_origins, {IMAGE_COLUMNS}"""
_COVER = """
LEFT JOIN images i ON i.id = coalesce(
    g.cover_image_id,
    (SELECT m.image_id FROM gallery_images m WHERE m.gallery_id = g.id ORDER BY m.position LIMIT 1)
)"""

# One gallery, by id.
GET = f"SELECT {_GALLERY_COLUMNS} FROM galleries g {_COVER} WHERE g.id = $1"

# Who may see it.

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
WHERE {LISTED_GALLERY} AND (g.created_at, g.id) < ($1, $2)
ORDER BY g.created_at DESC, g.id DESC
LIMIT $3"""

# The latest of each principal's names that a list of what is shared with them looks at.
EXAMINED_SHARES: Final = 10_000

# A page of others' galleries that shares let the principal see, by any of their names; likewise.
LIST_SHARED: Final = Statement.of(f"""
SELECT {_GALLERY_COLUMNS}
FROM (
    SELECT g.*
    FROM (
        SELECT DISTINCT t.gallery_id
        FROM unnest(:kinds::text[], :names::text[]) AS own (kind, name)
        CROSS JOIN LATERAL (
            SELECT r.share_id, r.permissions
            FROM share_recipients r
            WHERE r.kind = own.kind AND r.name = own.name
            ORDER BY r.share_id DESC
            LIMIT :examined
        ) r
        CROSS JOIN LATERAL (
            SELECT s.permissions FROM shares s WHERE s.id = r.share_id AND {OPEN_SHARE} OFFSET 0
        ) s
        CROSS JOIN LATERAL (
            SELECT t.gallery_id FROM share_targets t WHERE t.share_id = r.share_id AND t.gallery_id IS NOT NULL OFFSET 0
        ) t
        WHERE coalesce(r.permissions, s.permissions) & {Permission.VIEW.value} <> 0
    ) shared
    CROSS JOIN LATERAL (SELECT * FROM galleries g WHERE g.id = shared.gallery_id OFFSET 0) g
    WHERE g.owner_id <> :user_id AND (g.created_at, g.id) < (:moment, :gallery_id)
      AND (:ids::uuid[] IS NULL OR g.id = ANY(:ids))
    ORDER BY g.created_at DESC, g.id DESC
    LIMIT :limit
) g {_COVER}
ORDER BY g.created_at DESC, g.id DESC""")

# The galleries that a filtered page examines at most, however few of them pass; no owner has as many.
EXAMINED: Final = 20_000


def _filtered(condition: str) -> Statement:
    """A page of galleries that pass a filter, newest first, after a (created_at, id).

    It looks at ``:examined`` of them; the last of these comes along, whether it fits or not.
    """
    fits = f"((:ids::uuid[] IS NULL OR g.id = ANY(:ids)) AND {meta_fits('g')})"
    return Statement.of(f"""
SELECT g.number, {fits} AS fits, {_GALLERY_COLUMNS}
FROM (
    SELECT g.*, row_number() OVER (ORDER BY g.created_at DESC, g.id DESC) AS number
    FROM galleries g
    WHERE {condition} AND (g.created_at, g.id) < (:moment, :gallery_id)
    ORDER BY g.created_at DESC, g.id DESC
    LIMIT :examined
) g {_COVER}
WHERE g.number = :examined OR {fits}
ORDER BY g.created_at DESC, g.id DESC
LIMIT :limit""")


FILTER_OWNED: Final = _filtered("g.owner_id = :owner_id")
FILTER_PUBLIC: Final = _filtered(LISTED_GALLERY)
CHOOSE_OWNED: Final = _filtered("g.owner_id = :owner_id AND g.id = ANY(:ids)")
CONTAINING_OWNED: Final = _filtered("""g.owner_id = :owner_id
      AND g.id IN (SELECT m.gallery_id FROM gallery_images m WHERE m.image_id = :image_id)""")
CHOOSE_PUBLIC: Final = _filtered(f"{LISTED_GALLERY} AND g.id = ANY(:ids)")


@cache
def public_by_meta(key: str) -> Statement:
    """Public galleries with one value of an indexed key of ``meta``, by its index (`images.library.index_records`)."""
    wanted = f"{meta_hash('g.', key)} = hashtextextended(:meta_written::jsonb ->> '{key}', 0)"
    return _filtered(f"{LISTED_GALLERY} AND g.meta ? '{key}' AND {wanted}")


# Galleries by their ids.
GET_MANY = f"SELECT {_GALLERY_COLUMNS} FROM galleries g {_COVER} WHERE g.id = ANY($1)"

_INSERT = """
INSERT INTO galleries (
    id, owner_id, name, description, visibility, created_at, updated_at, request_digest, meta, policy,
    allowed_origins
)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO NOTHING
RETURNING true"""

# How many galleries an owner has, as far as $2.
_COUNT = "SELECT count(*) FROM (SELECT FROM galleries WHERE owner_id = $1 LIMIT $2) AS counted"

# The request that made a gallery whose id follows from a key.
_REQUEST = "SELECT request_digest FROM galleries WHERE id = $1"

# NULL leaves a column unchanged, except for the cover, the policy and the origins, which are set if $5, $9 and
# $11 are true.
_UPDATE = """
UPDATE galleries
SET name = coalesce($2, name), description = coalesce($3, description), visibility = coalesce($4, visibility),
    cover_image_id = CASE WHEN $5 THEN $6 ELSE cover_image_id END, meta = $7, updated_at = $8,
    policy = CASE WHEN $9 THEN $10 ELSE policy END,
    allowed_origins = CASE WHEN $11 THEN $12 ELSE allowed_origins END
WHERE id = $1"""

_OF_GALLERIES = "t.gallery_id IN (SELECT id FROM galleries WHERE owner_id = :owner_id)"

HELD: Final = (
    Holding("galleries", left_out=("request_digest",)),
    Holding("gallery_images", _OF_GALLERIES, "t.gallery_id, t.position"),
    Holding("gallery_renumberings", _OF_GALLERIES, "t.gallery_id, t.revision", is_told=False),
)

# Memberships go with the gallery, images stay.
_DELETE = "DELETE FROM galleries WHERE id = $1"

# A page of galleries, by id, each with the number of images that are in it.
COUNTS = """
SELECT g.id, g.image_count AS recorded,
       (SELECT count(*) FROM gallery_images m WHERE m.gallery_id = g.id) AS actual
FROM galleries g
WHERE g.id > $1
ORDER BY g.id
LIMIT $2"""

_COUNT_GALLERIES = "SELECT count(*) FROM galleries"


async def insert(
    connection: Connection,
    gallery_id: UUID,
    owner_id: str,
    draft: GalleryDraft,
    *,
    now: datetime,
    request_digest: bytes | None = None,
) -> bool:
    """Insert it. False if a gallery of this id exists, made with the same key."""
    values = (gallery_id, owner_id, draft.name, draft.description, draft.visibility.value, now, request_digest)
    return await connection.fetchval(_INSERT, *values, draft.meta, draft.policy, draft.allowed_origins) is not None


async def count(connection: Connection, owner_id: str, most: int) -> int:
    """Count an owner's galleries, up to ``most``."""
    counted: int = await connection.fetchval(_COUNT, owner_id, most)
    return counted


async def request_digest_of(connection: Connection, gallery_id: UUID) -> bytes | None:
    digest: bytes | None = await connection.fetchval(_REQUEST, gallery_id)
    return digest


async def get(connection: Connection, gallery_id: UUID) -> Gallery | None:
    row = await connection.fetchrow(GET, gallery_id)
    return None if row is None else _gallery(row)


async def find_by_name(connection: Connection, owner_id: str, name: str) -> Gallery | None:
    row = await connection.fetchrow(FIND_BY_NAME, owner_id, name)
    return None if row is None else _gallery(row)


async def get_many(connection: Connection, gallery_ids: Sequence[UUID]) -> list[Gallery]:
    return [_gallery(row) for row in await connection.fetch(GET_MANY, list(gallery_ids))]


@frozen
class GalleryStretch:
    """Galleries of a stretch of a list that pass the filter. ``goes_on``: the last one examined, if there may be
    more."""

    found: list[Gallery]
    goes_on: Gallery | None = None


async def list_owned(
    connection: Connection,
    owner_id: str,
    where: GalleryFilter,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> GalleryStretch:
    created_at, gallery_id = after or (LAST_MOMENT, LAST_ID)
    if where.is_empty:
        rows = await connection.fetch(LIST_OWNED, owner_id, created_at, gallery_id, limit)
        return GalleryStretch([_gallery(row) for row in rows])
    owned: dict[str, object] = {"owner_id": owner_id}
    if where.contains is not None:
        statement = CONTAINING_OWNED
        owned["image_id"] = where.contains
    else:
        statement = FILTER_OWNED if where.ids is None else CHOOSE_OWNED
    return await _stretch(connection, statement, where, created_at, gallery_id, limit, **owned)


async def list_public(
    connection: Connection,
    where: GalleryFilter,
    after: tuple[datetime, UUID] | None,
    limit: int,
    *,
    indexed: Sequence[str] = (),
) -> GalleryStretch:
    """``indexed`` are the keys of ``meta`` that have an index."""
    created_at, gallery_id = after or (LAST_MOMENT, LAST_ID)
    if where.is_empty:
        rows = await connection.fetch(LIST_PUBLIC, created_at, gallery_id, limit)
        return GalleryStretch([_gallery(row) for row in rows])
    key = indexed_key(where.meta, indexed)
    statement = FILTER_PUBLIC if key is None else public_by_meta(key)
    if where.ids is not None:
        statement = CHOOSE_PUBLIC
    return await _stretch(connection, statement, where, created_at, gallery_id, limit)


async def list_shared(
    connection: Connection,
    principal: Principal,
    where: GalleryFilter,
    after: tuple[datetime, UUID] | None,
    limit: int,
    *,
    now: datetime,
) -> GalleryStretch:
    """Others' galleries that the user has by shares. Of a filter, the ids."""
    created_at, gallery_id = after or (LAST_MOMENT, LAST_ID)
    kinds, names = names_of(principal)
    rows = await LIST_SHARED.fetch(
        connection,
        user_id=principal.user_id,
        kinds=kinds,
        names=names,
        now=now,
        ids=where.ids,
        moment=created_at,
        gallery_id=gallery_id,
        examined=EXAMINED_SHARES,
        limit=limit,
    )
    return GalleryStretch([_gallery(row) for row in rows])


async def _stretch(
    connection: Connection,
    statement: Statement,
    where: GalleryFilter,
    created_at: datetime,
    gallery_id: UUID,
    limit: int,
    **values: object,
) -> GalleryStretch:
    rows = await statement.fetch(
        connection,
        moment=created_at,
        gallery_id=gallery_id,
        limit=limit,
        examined=EXAMINED,
        ids=where.ids,
        **meta_arguments(where.meta),
        **values,
    )
    is_cut = bool(rows) and rows[-1]["number"] == EXAMINED
    return GalleryStretch([_gallery(row) for row in rows if row["fits"]], _gallery(rows[-1]) if is_cut else None)


async def update(connection: Connection, gallery_id: UUID, changes: Changes, meta: Meta, *, now: datetime) -> None:
    """Change it; ``meta`` is all that it has then."""
    await connection.execute(
        _UPDATE,
        gallery_id,
        changes.name,
        changes.description,
        changes.visibility,
        changes.sets_cover,
        changes.cover_image_id,
        meta,
        now,
        changes.sets_policy,
        changes.policy,
        changes.sets_origins,
        changes.allowed_origins,
    )


async def delete(connection: Connection, gallery_id: UUID) -> None:
    """Delete it. Raises `Conflict` if other tables refer to it."""
    async with removing(connection):
        await connection.execute(_DELETE, gallery_id)


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
        policy=row["gallery_policy"],
        allowed_origins=None if row["allowed_origins"] is None else tuple(row["allowed_origins"]),
        cover=None if row["id"] is None else image_from(row),
        meta=row["gallery_meta"],
    )


async def counts(connection: Connection, after: UUID, limit: int) -> list[Sum]:
    """The numbers of images that galleries record, and have."""
    return [Sum(str(id_), *numbers) for id_, *numbers in await connection.fetch(COUNTS, after, limit)]


async def count_all(connection: Connection) -> int:
    count: int = await connection.fetchval(_COUNT_GALLERIES)
    return count
