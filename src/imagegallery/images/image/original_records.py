"""The SQL of originals: images of one owner with the same bytes share one object.

The images that share an original are not counted, but looked up under a lock on *this owner's content* (a transaction's
advisory lock on owner and size: equal bytes have one size, and the SHA-256 of an unread file is unknown). Two rules
make that safe:

* a transaction that sets an ``original_key``, deletes an image or refuses its file holds the lock of its content until
  the commit;
* a key is only taken over from an existing image whose file was not refused.

So while a key has an image, it has one in every snapshot; and a key without images never gets one again, so its object
may be deleted at any time later. The lock comes before those of images (see `membership`). With images locked already,
only `try_hold` may be used.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SEED
from imagegallery.images.image.image import Image, OriginalState

_LOCK = f"hashtextextended('original ' || owner_id || ' ' || file_size, {SEED})"

_HOLD_CONTENT = (
    f"SELECT pg_advisory_xact_lock({_LOCK}) FROM (SELECT $1::text AS owner_id, $2::bigint AS file_size) AS content"
)

# The same for the contents of several images, always in one order.
_HOLD_CONTENTS = f"""
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT {_LOCK} AS key FROM images WHERE owner_id = $1 AND id = ANY($2) ORDER BY key) AS contents"""

# Lock the images whose content nobody holds. The images are determined before any lock is tried.
_TRY_HOLD = f"""
WITH chosen AS MATERIALIZED (SELECT id, owner_id, file_size FROM images WHERE id = ANY($1))
SELECT id FROM chosen WHERE pg_try_advisory_xact_lock({_LOCK})"""

# The owner's original of this content. An unread file of the same size comes before it; for content that is itself
# unread, any file of the same size is found.
FIND_ORIGINAL = """
SELECT original_key, file_size, sha256
FROM (
    (
        SELECT original_key, file_size, sha256, 1 AS place FROM images
        WHERE owner_id = $1 AND sha256 IS NULL AND file_size = $2 AND original_state <> 'refused'
          AND original_key <> ALL($4)
        LIMIT 1
    ) UNION ALL (
        SELECT original_key, file_size, sha256, 2 FROM images
        WHERE owner_id = $1 AND sha256 = $3 AND original_state <> 'refused'
        ORDER BY created_at, id
        LIMIT 1
    ) UNION ALL (
        SELECT original_key, file_size, sha256, 3 FROM images
        WHERE owner_id = $1 AND file_size = $2 AND $3::bytea IS NULL AND original_state <> 'refused'
        LIMIT 1
    )
) AS found
ORDER BY place
LIMIT 1"""

# Record the SHA-256 for all images that share the file.
_SET_SHA256 = "UPDATE images SET sha256 = $2 WHERE original_key = $1 AND sha256 IS NULL"

_REFUSE = "UPDATE images SET original_state = 'refused' WHERE id = $1"

# The owner's oldest image of this content outside of the trash, kept there until the transaction ends.
HOLD_IMAGE = """
SELECT id FROM images
WHERE owner_id = $1 AND sha256 = $2 AND deleted_at IS NULL AND original_state <> 'refused'
ORDER BY created_at, id
LIMIT 1
FOR KEY SHARE"""

_KEEP_BESIDE_COPIES = "UPDATE images SET kept_beside_copies = true WHERE id = $1"

# Which of these keys are originals of images, refused ones left out.
NAMED = "SELECT DISTINCT original_key FROM images WHERE original_key = ANY($1) AND original_state <> 'refused'"


@frozen
class Original:
    """An original in the store: its key, its size in bytes, and its SHA-256 if that is known."""

    key: str
    size: int
    sha256: bytes | None


async def hold_content(connection: Connection, owner_id: str, size: int) -> None:
    """Keep others from adding or deleting an image of this size for this owner until the transaction ends.

    Must be called before any image is locked.
    """
    await connection.fetchval(_HOLD_CONTENT, owner_id, size)


async def hold_contents(connection: Connection, owner_id: str, image_ids: Sequence[UUID]) -> None:
    """Do so for all of these images of the owner."""
    await connection.execute(_HOLD_CONTENTS, owner_id, list(image_ids))


async def try_hold(connection: Connection, image_ids: Sequence[UUID]) -> list[UUID]:
    """Do so for each of these images, without waiting. Returns those that succeeded."""
    return [row["id"] for row in await connection.fetch(_TRY_HOLD, list(image_ids))]


async def find(
    connection: Connection, owner_id: str, size: int, sha256: bytes | None, lost: Collection[str] = ()
) -> Original | None:
    """The owner's original of this content, which must be held.

    If the SHA-256 of one of the two is unknown, only the size is the same. ``lost`` are keys that cannot be read.
    """
    row = await connection.fetchrow(FIND_ORIGINAL, owner_id, size, sha256, list(lost))
    return None if row is None else Original(*row)


async def set_sha256(connection: Connection, original_key: str, sha256: bytes) -> None:
    """Record the SHA-256 of a file that was read for the first time."""
    await connection.execute(_SET_SHA256, original_key, sha256)


async def refuse(connection: Connection, image: Image) -> bool:
    """Record that an image's file is bad. Its content must be held. Return whether no other image needs the file."""
    await connection.execute(_REFUSE, image.id)
    return bool(await unnamed(connection, [image.original_key]))


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

    Of several that shared one, the last. What was refused was freed then.
    """
    had_one = [image for image in deleted if image.original_state is not OriginalState.REFUSED]
    free = await unnamed(connection, {image.original_key for image in had_one})
    last = {image.original_key: image for image in had_one if image.original_key in free}
    return {image.id: image for image in last.values()}
