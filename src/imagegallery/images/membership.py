"""Which images are in which galleries: the one place that writes ``gallery_images`` and ``image_count``.

A count changes in the statement that changes the memberships it counts, under the gallery's row lock, so it
is exact at every commit. Whoever needs several rows locks them in this order, which rules out deadlocks:
**images by id, galleries by id, then the owner**.

It lies in this room, below `galleries` and `uploads`, because both put images into galleries.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from imagegallery.database.connection import Connection
from imagegallery.errors import NotFound
from imagegallery.validation import Faults

MAX_BATCH: Final = 1000

# Room between neighbours: an image can be moved between two others 32 times before a gap closes.
POSITION_SPACING: Final = 2**32

# Keeps images from being deleted until the transaction ends; owners do not change.
_HOLD_IMAGES = "SELECT id, owner_id FROM images WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"

# Nobody else changes what is in these galleries until the transaction ends.
_LOCK_GALLERIES = "SELECT id, owner_id FROM galleries WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"

# Whoever adds this image to a gallery waits, then finds it gone.
_LOCK_IMAGE = "SELECT id FROM images WHERE id = $1 FOR UPDATE"

_GALLERIES_OF = "SELECT gallery_id FROM gallery_images WHERE image_id = $1"

_IS_MEMBER = "SELECT EXISTS (SELECT FROM gallery_images WHERE gallery_id = $1 AND image_id = $2)"

# Append, in the order given, those that are not members yet; count them. The last position is read here, under
# the lock: a statement that had waited for the lock itself would still see the positions from before.
_APPEND = """
WITH newcomer AS (
    SELECT image_id, row_number() OVER (ORDER BY place) AS place
    FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (image_id, place)
    WHERE NOT EXISTS (SELECT FROM gallery_images m WHERE m.gallery_id = $1 AND m.image_id = wanted.image_id)
), added AS (
    INSERT INTO gallery_images (gallery_id, image_id, position, image_created_at, added_at)
    SELECT $1, i.id, last.position + newcomer.place * $3::bigint, i.created_at, $4
    FROM newcomer
    JOIN images i ON i.id = newcomer.image_id,
    (SELECT coalesce(max(position), 0) AS position FROM gallery_images WHERE gallery_id = $1) AS last
    RETURNING 1
), counted AS (
    SELECT count(*) AS added FROM added
)
UPDATE galleries SET image_count = image_count + counted.added, updated_at = $4
FROM counted
WHERE id = $1 AND counted.added > 0
RETURNING counted.added"""

# An image is in a gallery once, so each gallery loses one; a cover that goes is no cover any more.
_REMOVE = """
WITH removed AS (
    DELETE FROM gallery_images WHERE gallery_id = ANY($1) AND image_id = $2 RETURNING gallery_id
)
UPDATE galleries
SET image_count = image_count - 1, cover_image_id = nullif(cover_image_id, $2), updated_at = $3
FROM removed
WHERE id = removed.gallery_id
RETURNING id"""


async def add(connection: Connection, gallery_id: UUID, image_ids: Sequence[UUID], *, now: datetime) -> int:
    """Append images to their owner's gallery; answers how many were not in it already. All or nothing.

    ``image_ids``: 1 to 1,000, each once. Raises `NotFound` when the gallery is gone, and `InvalidInput` with
    the path of each id that is repeated, unknown, or of an image with another owner (these look the same).
    """
    _check_batch(image_ids)
    owners = await hold_images(connection, image_ids)
    gallery_owner = await lock_gallery(connection, gallery_id)
    faults = Faults()
    for index, image_id in enumerate(image_ids):
        if owners.get(image_id) != gallery_owner:
            faults.add(("body", "image_ids", str(index)), "is not one of your images")
    faults.check()
    added = await connection.fetchval(_APPEND, gallery_id, list(image_ids), POSITION_SPACING, now)
    return added or 0


async def remove(connection: Connection, gallery_id: UUID, image_id: UUID, *, now: datetime) -> bool:
    """Take an image out of a gallery; false when it was not in it. Raises `NotFound` when the gallery is gone."""
    await lock_gallery(connection, gallery_id)
    return bool(await connection.fetch(_REMOVE, [gallery_id], image_id, now))


async def remove_everywhere(connection: Connection, image_id: UUID, *, now: datetime) -> list[UUID] | None:
    """Take an image that is about to be deleted out of every gallery; answers which, or ``None`` if it is gone.

    The image stays locked, so that nothing can add it again before the transaction ends.
    """
    if await connection.fetchval(_LOCK_IMAGE, image_id) is None:
        return None
    gallery_ids = [row["gallery_id"] for row in await connection.fetch(_GALLERIES_OF, image_id)]
    await connection.fetch(_LOCK_GALLERIES, gallery_ids)
    return [row["id"] for row in await connection.fetch(_REMOVE, gallery_ids, image_id, now)]


async def hold_images(connection: Connection, image_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Keep these images from being deleted until the transaction ends; answers the owner of each that exists."""
    rows = await connection.fetch(_HOLD_IMAGES, list(image_ids))
    return {row["id"]: row["owner_id"] for row in rows}


async def lock_gallery(connection: Connection, gallery_id: UUID) -> str:
    """Lock a gallery's memberships, answering its owner. Raises `NotFound`."""
    row = await connection.fetchrow(_LOCK_GALLERIES, [gallery_id])
    if row is None:
        raise NotFound("There is no such gallery.")
    owner_id: str = row["owner_id"]
    return owner_id


async def is_member(connection: Connection, gallery_id: UUID, image_id: UUID) -> bool:
    return bool(await connection.fetchval(_IS_MEMBER, gallery_id, image_id))


def _check_batch(image_ids: Sequence[UUID]) -> None:
    faults = Faults()
    if not 1 <= len(image_ids) <= MAX_BATCH:
        faults.add(("body", "image_ids"), f"must hold 1 to {MAX_BATCH:,} ids")
        faults.check()
    seen: set[UUID] = set()
    for index, image_id in enumerate(image_ids):
        if image_id in seen:
            faults.add(("body", "image_ids", str(index)), "is a repetition")
        seen.add(image_id)
    faults.check()
