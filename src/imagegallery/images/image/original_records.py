"""The SQL of originals: images of one owner with the same bytes share one object.

The images that share an original are not counted, but looked up under a lock on *this owner's content* (a transaction's
advisory lock on owner and SHA-256). Two rules make that safe:

* a transaction that sets an ``original_key``, or deletes an image, holds the lock of its content until the commit;
* a key is only taken over from an existing image.

So while a key has an image, it has one in every snapshot; and a key without images never gets one again, so its object
may be deleted at any time later. The lock comes before those of images (see `membership`). With images locked already,
only `try_hold` may be used.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.images.image.image import Image

_LOCK = "hashtextextended('original ' || owner_id || ' ' || encode(sha256, 'hex'), 0)"

_HOLD_CONTENT = (
    f"SELECT pg_advisory_xact_lock({_LOCK}) FROM (SELECT $1::text AS owner_id, $2::bytea AS sha256) AS content"
)

# Lock the images whose content nobody holds. The images are determined before any lock is tried.
_TRY_HOLD = f"""
WITH chosen AS MATERIALIZED (SELECT id, owner_id, sha256 FROM images WHERE id = ANY($1))
SELECT id FROM chosen WHERE pg_try_advisory_xact_lock({_LOCK})"""

# The owner's original of this content, if there is one.
FIND_ORIGINAL = """
SELECT original_key, file_size FROM images
WHERE owner_id = $1 AND sha256 = $2
ORDER BY created_at, id
LIMIT 1"""

# The owner's oldest image of this content outside of the trash, kept there until the transaction ends.
HOLD_IMAGE = """
SELECT id FROM images
WHERE owner_id = $1 AND sha256 = $2 AND deleted_at IS NULL
ORDER BY created_at, id
LIMIT 1
FOR KEY SHARE"""

_KEEP_BESIDE_COPIES = "UPDATE images SET kept_beside_copies = true WHERE id = $1"

# Which of these keys are originals of images.
NAMED = "SELECT DISTINCT original_key FROM images WHERE original_key = ANY($1)"


@frozen
class Original:
    """An original in the store: its key and its size in bytes."""

    key: str
    size: int


async def hold_content(connection: Connection, owner_id: str, sha256: bytes) -> None:
    """Keep others from adding or deleting an image of these bytes for this owner until the transaction ends.

    Must be called before any image is locked.
    """
    await connection.fetchval(_HOLD_CONTENT, owner_id, sha256)


async def try_hold(connection: Connection, image_ids: Sequence[UUID]) -> list[UUID]:
    """Do so for each of these images, without waiting. Returns those that succeeded."""
    return [row["id"] for row in await connection.fetch(_TRY_HOLD, list(image_ids))]


async def find(connection: Connection, owner_id: str, sha256: bytes) -> Original | None:
    """The owner's original of this content, which must be held."""
    row = await connection.fetchrow(FIND_ORIGINAL, owner_id, sha256)
    return None if row is None else Original(row["original_key"], row["file_size"])


async def hold_image(connection: Connection, owner_id: str, sha256: bytes) -> UUID | None:
    """The owner's oldest image of these bytes outside of the trash, kept there until the transaction ends."""
    held: UUID | None = await connection.fetchval(HOLD_IMAGE, owner_id, sha256)
    return held


async def keep_beside_copies(connection: Connection, image_id: UUID) -> None:
    """Note that the owner wants this image beside others of the same bytes."""
    await connection.execute(_KEEP_BESIDE_COPIES, image_id)


async def unnamed(connection: Connection, keys: Collection[str]) -> set[str]:
    """The ``keys`` that are no image's original."""
    named = {row["original_key"] for row in await connection.fetch(NAMED, list(keys))}
    return set(keys) - named


async def freed_by(connection: Connection, deleted: Sequence[Image]) -> dict[UUID, Image]:
    """Of images whose contents are held and whose rows are deleted: those, by id, whose originals no image has any
    more.

    Of several that shared one, the last.
    """
    free = await unnamed(connection, {image.original_key for image in deleted})
    last = {image.original_key: image for image in deleted if image.original_key in free}
    return {image.id: image for image in last.values()}
