"""The SQL of variants, and of the image status that follows from them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs

from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SUFFIX
from imagegallery.errors import Failure
from imagegallery.ids import new_id
from imagegallery.images.image.image import Image, Variant
from imagegallery.images.image.records import CHANNEL

# From here on somebody works on it. A complete image stays one while it gets more variants. One that was given up is
# worked on again when its dead letter is requeued.
_START = """
UPDATE images
SET processing_status = 'processing', failure_code = NULL, failure_message = NULL, updated_at = $2
WHERE id = $1 AND (processing_status = 'pending' OR failure_code = $3)"""

# The image's row, locked until the transaction ends: no deletion and no other recording in between.
_LOCK = "SELECT id FROM images WHERE id = $1 FOR NO KEY UPDATE"

# The same, telling those who wait for the image that it changes.
_TOUCH = f"""
WITH held AS (UPDATE images SET updated_at = $2 WHERE id = $1 RETURNING id)
SELECT pg_notify($3::text || {SUFFIX}, id::text) FROM held"""

# Replaces an existing variant; written once its object is stored.
_PUT = """
INSERT INTO image_variants (
    id, image_id, variant_type, format, key, width, height, file_size, fingerprint, frames, created_at
)
SELECT given.id, $1, variant_type, format, key, width, height, file_size, fingerprint, frames, $3
FROM jsonb_to_recordset($2) AS given (
    id uuid, variant_type text, format text, key text, width integer, height integer, file_size bigint,
    fingerprint text, frames integer
)
ON CONFLICT (image_id, variant_type, format) DO UPDATE
SET key = excluded.key, width = excluded.width, height = excluded.height, file_size = excluded.file_size,
    fingerprint = excluded.fingerprint, frames = excluded.frames, created_at = excluded.created_at"""

# Variants that no preset has any more.
_DROP = """
DELETE FROM image_variants
WHERE image_id = $1 AND (variant_type, format) IN (SELECT * FROM unnest($2::text[], $3::text[]))"""

# Variants that were made and not kept.
_LEAVE_OUT = "UPDATE images SET left_out = $2 WHERE id = $1 AND left_out <> $2"

# The same, when the image is usable, and all of its file was looked at.
_COMPLETE = f"""
WITH held AS (
    UPDATE images
    SET processing_status = 'complete', failure_code = NULL, failure_message = NULL, updated_at = $2,
        width = $4, height = $5, frames = $6, is_truncated = $7, sha256 = $8, original_state = 'verified'
    WHERE id = $1
    RETURNING id
)
SELECT pg_notify($3::text || {SUFFIX}, id::text) FROM held"""

# An image that is usable stays so, whatever happens to further variants.
_FAIL = """
UPDATE images
SET processing_status = 'failed', failure_code = $2, failure_message = $3, updated_at = $4
WHERE id = $1 AND processing_status <> 'complete'"""

_IS_IN_PROCESS = "SELECT processing_status IN ('pending', 'processing') FROM images WHERE id = $1"

# The keys without a variant.
WITHOUT_ROW = """
SELECT given.key
FROM unnest($1::text[]) AS given (key)
WHERE NOT EXISTS (SELECT FROM image_variants v WHERE v.key = given.key)"""

# Lock the images in whose folders these keys are: nobody deletes them or records variants of them meanwhile.
_HOLD_IMAGES_OF = """
SELECT i.id
FROM images i JOIN unnest($1::uuid[], $2::text[]) AS given (id, key)
    ON i.id = given.id AND starts_with(given.key, i.key_prefix)
ORDER BY i.id
FOR NO KEY UPDATE OF i"""

# The images that a worker is, or will be, processing; it may have stored what it has not recorded yet. One lookup in
# the jobs for all.
_WITH_JOB = """
SELECT DISTINCT payload ->> 'image_id' AS image_id
FROM jobs WHERE state IN ('waiting', 'running') AND payload ->> 'image_id' = ANY ($1)"""

# A variant whose object is gone. By its key: another one may have taken its place.
_DROP_VARIANT = "DELETE FROM image_variants WHERE image_id = $1 AND key = $2 RETURNING id"

_HAS_IMAGES = "SELECT EXISTS (SELECT FROM images)"


async def start(connection: Connection, image_id: UUID, *, given_up: str, now: datetime) -> None:
    """Set an image that is pending, or has failed with the code ``given_up``, to ``processing``, and no other."""
    await connection.execute(_START, image_id, now, given_up)


async def lock(connection: Connection, image_id: UUID) -> bool:
    """Lock the image until the transaction ends. False if it is gone."""
    return await connection.fetchval(_LOCK, image_id) is not None


async def touch(connection: Connection, image_id: UUID, *, now: datetime) -> bool:
    """Lock the image, which changes, and notify its waiters. False if it is gone."""
    return await connection.execute(_TOUCH, image_id, now, CHANNEL) == "SELECT 1"


async def put_variants(connection: Connection, image_id: UUID, variants: Sequence[Variant], *, now: datetime) -> None:
    """Record variants whose objects are stored, replacing those of the same type and format."""
    if variants:
        rows = [{"id": str(new_id()), **attrs.asdict(each)} for each in variants]
        await connection.execute(_PUT, image_id, rows, now)


async def drop_variants(connection: Connection, image_id: UUID, variants: Sequence[Variant]) -> None:
    """Delete these variants' rows; the caller deletes the objects after the commit."""
    if not variants:
        return
    types, formats = [each.variant_type for each in variants], [each.format for each in variants]
    await connection.execute(_DROP, image_id, types, formats)


async def leave_out(connection: Connection, image_id: UUID, verdicts: Collection[str]) -> None:
    """Replace the record of variants that were made and not kept."""
    await connection.execute(_LEAVE_OUT, image_id, sorted(verdicts))


async def complete(connection: Connection, image: Image, *, now: datetime) -> bool:
    """Write that an image can be shown, and what its file was found to be; otherwise like `touch`."""
    found = image.width, image.height, image.frames, image.is_truncated, image.sha256
    return await connection.execute(_COMPLETE, image.id, now, CHANNEL, *found) == "SELECT 1"


async def fail(connection: Connection, image_id: UUID, failure: Failure, *, now: datetime) -> bool:
    """Record why there are no variants. False if the image is gone, or usable nevertheless."""
    return await connection.execute(_FAIL, image_id, failure.code, failure.message, now) == "UPDATE 1"


async def is_in_process(connection: Connection, image_id: UUID) -> bool:
    """Whether a job is, or will be, processing the image; false for a deleted one."""
    return await connection.fetchval(_IS_IN_PROCESS, image_id) is True


async def without_row(connection: Connection, keys: Sequence[str]) -> list[str]:
    """The ``keys`` that no variant has."""
    return [row["key"] for row in await connection.fetch(WITHOUT_ROW, keys)]


async def has_images(connection: Connection) -> bool:
    """Whether there is any image, including the trash."""
    return bool(await connection.fetchval(_HAS_IMAGES))


async def hold_images_of(connection: Connection, keys: Mapping[str, UUID]) -> None:
    """Lock the image of each key until the transaction ends, if it exists and the key is in its folder."""
    await connection.fetch(_HOLD_IMAGES_OF, list(keys.values()), list(keys))


async def with_job(connection: Connection, image_ids: Collection[UUID]) -> set[UUID]:
    """The images that have a waiting or running job."""
    rows = await connection.fetch(_WITH_JOB, [str(image_id) for image_id in image_ids])
    return {UUID(row["image_id"]) for row in rows}


async def drop_variant(connection: Connection, image_id: UUID, key: str) -> None:
    await connection.execute(_DROP_VARIANT, image_id, key)
