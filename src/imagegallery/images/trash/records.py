"""The SQL of the trash: its images, their memberships, and permanent deletion.

An image's memberships are set aside in ``trashed_memberships``, not hidden in ``gallery_images``, so counts stay exact
and lists simple. Locks are taken in the order of `imagegallery.images.image.membership`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from asyncpg import Record
from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.database.removal import removing
from imagegallery.holdings.holding import Holding
from imagegallery.images.image.image import Image
from imagegallery.images.image.membership import HeldGallery
from imagegallery.images.image.records import IMAGE_COLUMNS, image_from
from imagegallery.images.image.told_records import ToldImage, told_galleries
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.library.filter_sql import arguments
from imagegallery.images.library.records import EXAMINED, Stretch, listing
from imagegallery.images.words import records as tag_records
from imagegallery.pagination import LAST_ID, LAST_MOMENT

HELD: Final = (
    Holding(
        "trashed_memberships",
        "t.image_id IN (SELECT id FROM images WHERE owner_id = :owner_id)",
        "t.gallery_id, t.position",
    ),
)

# An owner's images among these ids, without those that wait for approval, locked against changes until the transaction
# ends, and whether they are in the trash.
_LOCK = """
SELECT id, deleted_at IS NOT NULL AS is_trashed
FROM images
WHERE id = ANY($1) AND owner_id = $2 AND deleted_at IS DISTINCT FROM 'infinity'
ORDER BY id
FOR UPDATE"""

# An owner's trash, latest first, after a (deleted_at, id).
LIST_TRASHED = f"""
SELECT {IMAGE_COLUMNS}
FROM images i
WHERE i.owner_id = $1 AND i.deleted_at < 'infinity' AND (i.deleted_at, i.id) < ($2, $3)
ORDER BY i.deleted_at DESC, i.id DESC
LIMIT $4"""

# The same of a filter, of which `imagegallery.images.library.records` says how far it looks.
TRASHED: Final = listing("deleted_at", there="i.deleted_at < 'infinity'")

# As `_LOCK`, those that wait for their owner's approval among them.
_LOCK_ANY = "SELECT id FROM images WHERE id = ANY($1) AND owner_id = $2 ORDER BY id FOR UPDATE"

# Some of an owner's images, in the trash or not.
_SOME_OF = "SELECT id FROM images WHERE owner_id = $1 LIMIT $2"

# Lock the content of these images' galleries until the transaction ends.
_LOCK_GALLERIES_OF = """
SELECT id FROM galleries
WHERE id IN (SELECT gallery_id FROM gallery_images WHERE image_id = ANY($1))
ORDER BY id
FOR NO KEY UPDATE"""

_LOCK_FORMER_GALLERIES_OF = """
SELECT id, policy, image_count FROM galleries
WHERE id IN (SELECT gallery_id FROM trashed_memberships WHERE image_id = ANY($1))
ORDER BY id
FOR NO KEY UPDATE"""

# Forget the places of images in a gallery, but for the first $3 of them.
_FORGET_PLACES = """
DELETE FROM trashed_memberships
WHERE gallery_id = $1 AND image_id IN (
    SELECT image_id FROM trashed_memberships WHERE gallery_id = $1 AND image_id = ANY($2)
    ORDER BY position, image_id
    OFFSET $3
)"""

# Remove from every gallery, and count; a removed cover is reset meanwhile.
_SET_ASIDE = """
WITH taken AS (
    DELETE FROM gallery_images WHERE image_id = ANY($1) RETURNING *
), aside AS (
    INSERT INTO trashed_memberships (gallery_id, image_id, position, image_created_at, image_taken_at, name_key,
                                     added_at, was_cover)
    SELECT taken.gallery_id, taken.image_id, taken.position, taken.image_created_at, taken.image_taken_at,
           taken.name_key, taken.added_at, coalesce(g.cover_image_id = taken.image_id, false)
    FROM taken JOIN galleries g ON g.id = taken.gallery_id
    RETURNING gallery_id, was_cover
), counted AS (
    SELECT gallery_id, count(*) AS members, bool_or(was_cover) AS lost_cover FROM aside GROUP BY gallery_id
)
UPDATE galleries g
SET image_count = g.image_count - counted.members, updated_at = $2,
    cover_image_id = CASE WHEN counted.lost_cover THEN NULL ELSE g.cover_image_id END
FROM counted
WHERE g.id = counted.gallery_id
RETURNING g.id, g.owner_id, g.meta"""

# Return to the previous places, and count. If the position is taken, the image comes right after. If several want the
# same one, or the one after it, some wait for the next round: the first of each always finds its place.
_PUT_BACK = """
WITH wanted AS (
    SELECT t.*, row_number() OVER (PARTITION BY t.gallery_id, t.position ORDER BY t.image_id) - 1 AS place,
           (SELECT true FROM gallery_images m WHERE m.gallery_id = t.gallery_id AND m.position = t.position) AS is_taken
    FROM trashed_memberships t
    WHERE t.image_id = ANY($1)
), candidate AS (
    SELECT wanted.*, wanted.place + CASE WHEN wanted.is_taken IS NULL THEN wanted.position ELSE (
        SELECT m.position + 1
        FROM gallery_images m
        WHERE m.gallery_id = wanted.gallery_id AND m.position >= wanted.position AND NOT EXISTS (
            SELECT FROM gallery_images n WHERE n.gallery_id = m.gallery_id AND n.position = m.position + 1
        )
        ORDER BY m.position
        LIMIT 1
    ) END AS goal
    FROM wanted
), first AS (
    SELECT DISTINCT ON (c.gallery_id, c.goal) c.*
    FROM candidate c
    WHERE NOT EXISTS (SELECT FROM gallery_images m WHERE m.gallery_id = c.gallery_id AND m.position = c.goal)
    ORDER BY c.gallery_id, c.goal, c.place
), back AS (
    INSERT INTO gallery_images (gallery_id, image_id, position, image_created_at, image_taken_at, name_key, added_at,
                                placed, named, dated)
    SELECT f.gallery_id, f.image_id, f.goal, f.image_created_at, f.image_taken_at, f.name_key, f.added_at,
           g.revision + 1, g.revision + 1, g.revision + 1
    FROM first f JOIN galleries g ON g.id = f.gallery_id
), cleared AS (
    DELETE FROM trashed_memberships t
    USING first
    WHERE t.gallery_id = first.gallery_id AND t.image_id = first.image_id
), counted AS (
    SELECT gallery_id, count(*) AS members, (array_agg(image_id) FILTER (WHERE was_cover))[1] AS cover
    FROM first
    GROUP BY gallery_id
)
UPDATE galleries g
SET image_count = g.image_count + counted.members, revision = g.revision + 1, updated_at = $2,
    cover_image_id = coalesce(g.cover_image_id, counted.cover)
FROM counted
WHERE g.id = counted.gallery_id
RETURNING g.id, g.owner_id, g.meta"""

# With what an event says about each: the galleries that it left, or is back in.
_MARK_DELETED = f"""
UPDATE images i SET deleted_at = $2, updated_at = $2 WHERE id = ANY($1)
RETURNING id, meta, {told_galleries("i.id", "trashed_memberships")} AS gallery_ids"""
_MARK_RESTORED = f"""
UPDATE images i
SET deleted_at = NULL, updated_at = $2, purge_refused_by = NULL, purge_refused_at = NULL, purge_again_at = NULL
WHERE id = ANY($1)
RETURNING id, meta, {told_galleries("i.id")} AS gallery_ids"""

# Some expired images, oldest first, after a (deleted_at, id); another sweeper takes others. Those that the application
# refuses to let go wait for a while.
EXPIRED = """
SELECT id, deleted_at FROM images
WHERE deleted_at <= $1 AND (deleted_at, id) > ($2, $3) AND (purge_again_at IS NULL OR purge_again_at <= $5)
ORDER BY deleted_at, id
LIMIT $4
FOR UPDATE SKIP LOCKED"""

# The waiting time is as long as it has been refused, within limits.
_REFUSE_PURGE = """
UPDATE images
SET purge_refused_by = $2, purge_refused_at = coalesce(purge_refused_at, $3),
    purge_again_at = $3 + least(greatest($3 - coalesce(purge_refused_at, $3), $4::interval), $5::interval)
WHERE id = $1"""

# A page of images whose purge was refused, by id.
_LIST_REFUSED = """
SELECT id, owner_id, purge_refused_by, purge_refused_at FROM images
WHERE purge_refused_at IS NOT NULL AND id > $1
ORDER BY id
LIMIT $2"""

_COUNT_REFUSED = "SELECT count(*) FROM images WHERE purge_refused_at IS NOT NULL"

# In a statement of its own, which sees what was recorded while waiting for the lock.
_READ = f"SELECT {IMAGE_COLUMNS} FROM images i WHERE i.id = ANY($1) ORDER BY i.owner_id, i.id"

# Variants and memberships are deleted with their image.
_DELETE = "DELETE FROM images WHERE id = ANY($1)"


@frozen
class Moved:
    """Images that went to the trash or came back, as they were given, and the galleries that this changed."""

    images: tuple[ToldImage, ...]
    galleries: tuple[HeldGallery, ...]

    @classmethod
    def of(cls, image_ids: Sequence[UUID], images: Sequence[Record], galleries: Sequence[Record]) -> "Moved":
        told = {row["id"]: ToldImage(row["id"], row["meta"], tuple(row["gallery_ids"])) for row in images}
        changed = {row["id"]: HeldGallery(row["id"], row["owner_id"], row["meta"]) for row in galleries}
        return cls(tuple(told[each] for each in image_ids), tuple(changed[each] for each in sorted(changed)))


async def lock(connection: Connection, owner_id: str, image_ids: Sequence[UUID]) -> dict[UUID, bool]:
    """Lock the owner's images among these until the transaction ends. Returns for each whether it is in the trash."""
    rows = await connection.fetch(_LOCK, list(image_ids), owner_id)
    return {row["id"]: row["is_trashed"] for row in rows}


async def lock_any(connection: Connection, owner_id: str, image_ids: Sequence[UUID]) -> list[UUID]:
    """Lock the owner's images among these until the transaction ends, whatever their state. Returns them."""
    return [row["id"] for row in await connection.fetch(_LOCK_ANY, list(image_ids), owner_id)]


async def some_of(connection: Connection, owner_id: str, limit: int) -> list[UUID]:
    return [row["id"] for row in await connection.fetch(_SOME_OF, owner_id, limit)]


async def list_trashed(
    connection: Connection, owner_id: str, where: ImageFilter, after: tuple[datetime, UUID] | None, limit: int
) -> Stretch[Image]:
    deleted_at, image_id = after or (LAST_MOMENT, LAST_ID)
    if where.is_empty:
        rows = await connection.fetch(LIST_TRASHED, owner_id, deleted_at, image_id, limit)
        return Stretch([image_from(row) for row in rows], None)
    bounds = {"moment": deleted_at, "image_id": image_id, "limit": limit, "examined": EXAMINED}
    rows = await TRASHED.fetch(connection, owner_id=owner_id, **bounds, **arguments(where))
    return Stretch.of(rows, image_from)


async def put_away(connection: Connection, image_ids: Sequence[UUID], *, now: datetime) -> Moved:
    """Move locked images to the trash, out of their galleries."""
    ids = list(image_ids)
    await connection.execute(_LOCK_GALLERIES_OF, ids)
    changed = await connection.fetch(_SET_ASIDE, ids, now)
    await tag_records.set_listed(connection, ids, False)
    return Moved.of(ids, await connection.fetch(_MARK_DELETED, ids, now), changed)


async def put_back(
    connection: Connection, image_ids: Sequence[UUID], room_of: Callable[[str], int | None], *, now: datetime
) -> Moved:
    """Restore locked images to those of their galleries that exist. ``room_of``: how many images a gallery of this
    policy may hold; there is no way back into a full one."""
    ids = list(image_ids)
    for gallery in await connection.fetch(_LOCK_FORMER_GALLERIES_OF, ids):
        room = None if gallery["policy"] is None else room_of(gallery["policy"])
        if room is not None:
            await connection.execute(_FORGET_PLACES, gallery["id"], ids, max(0, room - gallery["image_count"]))
    changed: list[Record] = []
    while rows := await connection.fetch(_PUT_BACK, ids, now):
        changed += rows
    await tag_records.set_listed(connection, ids, True)
    return Moved.of(ids, await connection.fetch(_MARK_RESTORED, ids, now), changed)


async def lock_expired(
    connection: Connection, before: datetime, after: tuple[datetime, UUID], limit: int, *, now: datetime
) -> list[tuple[datetime, UUID]]:
    """Lock some unlocked images that went to the trash at ``before`` or earlier, after ``after``. Returns each with
    the time."""
    return [(row["deleted_at"], row["id"]) for row in await connection.fetch(EXPIRED, before, *after, limit, now)]


@frozen
class RefusedPurge:
    """An image in the trash that records of the application refer to: ``by`` which constraint, ``since`` when."""

    image_id: UUID
    owner_id: str
    by: str
    since: datetime


async def refuse_purge(
    connection: Connection, image_id: UUID, by: str, *, now: datetime, shortest: timedelta, longest: timedelta
) -> None:
    """Record that the application refused to let the image be purged, and when that is tried again."""
    await connection.execute(_REFUSE_PURGE, image_id, by, now, shortest, longest)


async def list_refused(connection: Connection, after: UUID, limit: int) -> list[RefusedPurge]:
    return [RefusedPurge(*row) for row in await connection.fetch(_LIST_REFUSED, after, limit)]


async def count_refused(connection: Connection) -> int:
    count: int = await connection.fetchval(_COUNT_REFUSED)
    return count


async def read(connection: Connection, image_ids: Sequence[UUID]) -> list[Image]:
    """These images, grouped by owner."""
    return [image_from(row) for row in await connection.fetch(_READ, list(image_ids))]


async def delete(connection: Connection, image_ids: Sequence[UUID]) -> None:
    """Delete the rows; the caller adds the job for the objects. Raises `StillReferenced`, and deletes none, if other
    tables refer to one of them.
    """
    async with removing(connection):
        await connection.execute(_DELETE, list(image_ids))
