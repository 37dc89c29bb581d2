"""The SQL of images: one statement a page, with variants and visibility."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from asyncpg import Record
from attrs import evolve, frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.condition import open_image, pages_of_image
from imagegallery.access.contributor import Contributor
from imagegallery.access.decision import Facts
from imagegallery.access.hotlinks import ANY_PAGE, HotlinkRule
from imagegallery.common.meta import Meta
from imagegallery.common.unset import Unset
from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SUFFIX
from imagegallery.errors import Failure
from imagegallery.holdings.holding import Holding
from imagegallery.images.duplicates.hamming import signed, unsigned
from imagegallery.images.image.image import Image, OriginalState, ProcessingStatus, Variant
from imagegallery.images.image.told_records import told_galleries
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.metadata.metadata import Metadata, from_json, to_json
from imagegallery.images.words.records import TAGS_OF_IMAGE
from imagegallery.images.words.words import WordChanges
from imagegallery.imaging.protocol import Removal

CHANNEL = "imagegallery_images"

_OF_IMAGES = "t.image_id IN (SELECT id FROM images WHERE owner_id = :owner_id)"
HELD: Final = (Holding("images"), Holding("image_variants", _OF_IMAGES, "t.image_id, t.id"))

# The columns for `image_from`, of an image `i`; its variants are in one array, smallest first.
IMAGE_COLUMNS = f"""
    i.id, i.owner_id, i.original_key, i.key_prefix, i.filename, i.mime_type, i.width, i.height, i.frames,
    i.is_truncated, i.file_size, i.sha256, i.alt_text, i.blurhash, i.exif_data, i.taken_at, i.taken_at_source,
    i.latitude, i.longitude,
    i.processing_status, i.failure_code, i.failure_message, i.is_favorite, i.is_archived, i.created_at,
    i.updated_at, i.deleted_at, i.phash, i.left_out, i.original_state, i.meta AS image_meta,
    i.visibility AS image_visibility, i.policy, i.removed_metadata, i.added_by, i.added_by_name,
    coalesce(i.deleted_at = 'infinity', false) AS is_pending,
    i.title, i.description AS image_description, i.rating, i.people, i.own_words, {TAGS_OF_IMAGE} AS tags,
    ARRAY(
        SELECT ROW(v.variant_type, v.format, v.key, v.width, v.height, v.file_size, v.fingerprint, v.frames)
        FROM image_variants v
        WHERE v.image_id = i.id
        ORDER BY v.width, v.height, v.variant_type, v.format
    ) AS variants"""

# What everybody may see of an image `i`.
VISIBILITY = f"CASE WHEN {open_image('i')} THEN 'unlisted' ELSE 'private' END AS visibility"

# Whether nothing uses an image `i`: no row of the application attached or claimed it, and it is in no gallery. Scalar,
# so that it is evaluated image by image.
UNUSED = """(
    i.attached_at IS NULL
    AND (SELECT true FROM gallery_images m WHERE m.image_id = i.id LIMIT 1) IS NULL
)"""

# One image, by id, in the trash or not.
GET = f"SELECT {IMAGE_COLUMNS}, {VISIBILITY} FROM images i WHERE i.id = $1"

# Images by their ids.
GET_MANY = f"SELECT {IMAGE_COLUMNS}, {VISIBILITY} FROM images i WHERE i.id = ANY($1)"

# The same with what its events tell.
GET_TOLD = f"""
SELECT {IMAGE_COLUMNS}, {VISIBILITY}, {told_galleries("i.id")} AS gallery_ids FROM images i WHERE i.id = $1"""

# A page of all images by id, starting with one.
LIST_ALL = f"SELECT {IMAGE_COLUMNS} FROM images i WHERE i.id >= $1 ORDER BY i.id LIMIT $2"

_COUNT_ALL = "SELECT count(*) FROM images WHERE id >= $1"

# The owner's oldest image of this content outside of the trash, or (with $3) in one gallery. PostgreSQL could evaluate
# an EXISTS here for all images at once.
FIND_BY_CONTENT = """
SELECT i.id
FROM images i
WHERE i.owner_id = $1 AND i.sha256 = $2 AND i.deleted_at IS NULL AND i.original_state <> 'refused'
  AND ($3::uuid IS NULL OR (SELECT true FROM gallery_images m WHERE m.gallery_id = $3 AND m.image_id = i.id))
ORDER BY i.created_at, i.id
LIMIT 1"""

# Whether everybody may fetch a variant now, and the pages that may show it.
FIND_OPEN_VARIANT = f"""
SELECT i.owner_id, {pages_of_image("i")} AS origins
FROM image_variants v JOIN images i ON i.id = v.image_id
WHERE v.key = $1 AND {open_image("i")}"""

_INSERT = """
INSERT INTO images (
    id, owner_id, original_key, key_prefix, filename, mime_type, width, height, frames, file_size, sha256,
    alt_text, blurhash, exif_data, taken_at, latitude, longitude, processing_status, failure_code,
    failure_message, is_favorite, is_archived, created_at, updated_at, phash, taken_at_source, is_truncated,
    original_state, meta, visibility, policy, removed_metadata, added_by, added_by_name, title, description, rating,
    people, deleted_at
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38,
    CASE WHEN $39 THEN timestamptz 'infinity' END
)"""

# NULL leaves a column unchanged; a rating changes with $10, to none, too.
_UPDATE = """
UPDATE images
SET alt_text = coalesce($2, alt_text), filename = coalesce($3, filename),
    is_favorite = coalesce($4, is_favorite), is_archived = coalesce($5, is_archived), meta = coalesce($6, meta),
    visibility = coalesce($7, visibility), title = coalesce($8, title), description = coalesce($9, description),
    rating = CASE WHEN $10 THEN $11 ELSE rating END,
    own_words = ARRAY(SELECT unnest(own_words) UNION SELECT unnest($12::text[]) ORDER BY 1), updated_at = $13,
    people = coalesce($14, people)
WHERE id = $1"""

_ATTACH = "UPDATE images SET alt_text = $2, attached_at = $3 WHERE id = $1"

# In one row, so that of two who claim it one waits, and then finds it claimed.
_CLAIM = f"""
UPDATE images i SET attached_at = $2, updated_at = $2
WHERE i.id = $1 AND i.deleted_at IS NULL AND {UNUSED}"""

# A failed image waits again; any other stays as it is.
_REVIVE = """
UPDATE images
SET processing_status = 'pending', failure_code = NULL, failure_message = NULL, updated_at = $2
WHERE id = $1 AND processing_status = 'failed' AND original_state <> 'refused'"""

# The owner's row, created if needed and locked until the transaction ends: other changes of the sum wait.
_HOLD_OWNER = """
INSERT INTO owners (owner_id) VALUES ($1)
ON CONFLICT (owner_id) DO UPDATE SET storage_used = owners.storage_used"""

# The correct sum, counting a shared original once and a refused one not at all. In a statement of its own: one that had
# waited for the row would see older rows.
_RECOUNT_STORAGE = """
UPDATE owners
SET storage_used = (
    SELECT coalesce(sum(file_size), 0)::bigint
    FROM (SELECT DISTINCT ON (original_key) file_size FROM images
          WHERE owner_id = $1 AND original_state <> 'refused' ORDER BY original_key) AS each
)
WHERE owner_id = $1
RETURNING storage_used"""

# Never below zero: `reconcile` repairs a wrong sum, which must not prevent deletions.
_GIVE_BACK_STORAGE = "UPDATE owners SET storage_used = greatest(0, storage_used - $2) WHERE owner_id = $1"

# Sent to listeners when the transaction commits.
_ANNOUNCE = f"SELECT pg_notify($1::text || {SUFFIX}, id) FROM unnest($2::text[]) AS id"


@frozen
class FoundImage:
    """An image as stored, with the facts to decide access by, and by `get_told` galleries it is in."""

    image: Image
    facts: Facts
    gallery_ids: tuple[UUID, ...] = ()


async def insert_image(connection: Connection, image: Image) -> None:
    """Insert an image's row, without variants and tags."""
    failure = image.failure
    await connection.execute(
        _INSERT,
        image.id,
        image.owner_id,
        image.original_key,
        image.key_prefix,
        image.filename,
        image.mime_type,
        image.width,
        image.height,
        image.frames,
        image.file_size,
        image.sha256,
        image.alt_text,
        image.blurhash,
        None if image.metadata is None else to_json(image.metadata),
        image.taken_at,
        image.latitude,
        image.longitude,
        image.status.value,
        failure.code if failure else None,
        failure.message if failure else None,
        image.is_favorite,
        image.is_archived,
        image.created_at,
        image.updated_at,
        None if image.phash is None else signed(image.phash),
        image.taken_at_source.value,
        image.is_truncated,
        image.original_state.value,
        image.meta,
        image.visibility.value,
        image.policy,
        image.removed_metadata,
        image.added_by and str(image.added_by),
        image.added_by and image.added_by.name,
        image.title,
        image.description,
        image.rating,
        list(image.people),
        image.is_pending,
    )


async def get(connection: Connection, image_id: UUID) -> FoundImage | None:
    row = await connection.fetchrow(GET, image_id)
    return None if row is None else found_from(row)


async def get_many(connection: Connection, image_ids: Sequence[UUID]) -> list[FoundImage]:
    return [found_from(row) for row in await connection.fetch(GET_MANY, list(image_ids))]


async def get_told(connection: Connection, image_id: UUID) -> FoundImage | None:
    row = await connection.fetchrow(GET_TOLD, image_id)
    return None if row is None else evolve(found_from(row), gallery_ids=tuple(row["gallery_ids"]))


async def list_all(connection: Connection, first_id: UUID, limit: int) -> list[Image]:
    """Everybody's images by id from ``first_id`` on, for maintenance."""
    return [image_from(row) for row in await connection.fetch(LIST_ALL, first_id, limit)]


async def count_all(connection: Connection, first_id: UUID) -> int:
    """The number of images that `list_all` returns."""
    count: int = await connection.fetchval(_COUNT_ALL, first_id)
    return count


async def find_by_content(connection: Connection, owner_id: str, sha256: bytes, gallery_id: UUID | None) -> UUID | None:
    found: UUID | None = await connection.fetchval(FIND_BY_CONTENT, owner_id, sha256, gallery_id)
    return found


async def find_open_variant(connection: Connection, key: str) -> tuple[str, HotlinkRule] | None:
    """Its owner, and the pages that may show it; ``None`` unless everybody may fetch it now."""
    row = await connection.fetchrow(FIND_OPEN_VARIANT, key)
    if row is None:
        return None
    return row["owner_id"], ANY_PAGE if row["origins"] is None else HotlinkRule(frozenset(row["origins"]))


async def update(
    connection: Connection,
    image_id: UUID,
    *,
    alt_text: str | None,
    filename: str | None,
    is_favorite: bool | None,
    is_archived: bool | None,
    meta: Meta | None,
    visibility: Visibility | None,
    words: WordChanges,
    now: datetime,
) -> None:
    """Change the given fields, but no tags; ``None`` changes nothing."""
    values = (alt_text, filename, is_favorite, is_archived, meta, visibility and visibility.value)
    title, description = (None if isinstance(each, Unset) else each for each in (words.title, words.description))
    is_rated = not isinstance(words.rating, Unset)
    rating = words.rating if is_rated else None
    said = (title, description, is_rated, rating, list(words.said))
    people = None if isinstance(words.people, Unset) else list(words.people)
    await connection.execute(_UPDATE, image_id, *values, *said, now, people)


async def revive(connection: Connection, image_id: UUID, *, now: datetime) -> bool:
    """Reset a failed image to pending. False if it has not failed."""
    return await connection.execute(_REVIVE, image_id, now) == "UPDATE 1"


async def attach(connection: Connection, image_id: UUID, alt_text: str, *, now: datetime) -> None:
    """Note that a row of the application has an image that this transaction has made, and with which text."""
    await connection.execute(_ATTACH, image_id, alt_text, now)


async def claim(connection: Connection, image_id: UUID, *, now: datetime) -> bool:
    """Note that a row of the application has the image. False if it is in use already, or in the trash."""
    return await connection.execute(_CLAIM, image_id, now) == "UPDATE 1"


async def give_back_storage(connection: Connection, owner_id: str, size: int) -> None:
    await connection.execute(_GIVE_BACK_STORAGE, owner_id, size)


async def recount_storage(connection: Connection, owner_id: str) -> int:
    """Correct the bytes of an owner's originals and return them. Last in a transaction."""
    await connection.execute(_HOLD_OWNER, owner_id)
    used: int = await connection.fetchval(_RECOUNT_STORAGE, owner_id)
    return used


async def announce(connection: Connection, *image_ids: UUID) -> None:
    """Notify waiters of these images when the transaction commits."""
    await connection.execute(_ANNOUNCE, CHANNEL, [str(image_id) for image_id in image_ids])


def image_from(row: Record | Mapping[str, Any]) -> Image:
    """The image in a row of `IMAGE_COLUMNS`."""
    is_pending, added_by = row["is_pending"], row["added_by"]
    return Image(
        id=row["id"],
        owner_id=row["owner_id"],
        original_key=row["original_key"],
        key_prefix=row["key_prefix"],
        filename=row["filename"],
        mime_type=row["mime_type"],
        width=row["width"],
        height=row["height"],
        frames=row["frames"],
        is_truncated=row["is_truncated"],
        file_size=row["file_size"],
        sha256=row["sha256"],
        alt_text=row["alt_text"],
        blurhash=row["blurhash"],
        metadata=_metadata(row["exif_data"]),
        taken_at=row["taken_at"],
        taken_at_source=TakenAtSource(row["taken_at_source"]),
        latitude=row["latitude"],
        longitude=row["longitude"],
        status=ProcessingStatus(row["processing_status"]),
        failure=_failure(row["failure_code"], row["failure_message"]),
        is_favorite=row["is_favorite"],
        is_archived=row["is_archived"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        variants=_variants(row["variants"]),
        deleted_at=None if is_pending else row["deleted_at"],
        phash=None if row["phash"] is None else unsigned(row["phash"]),
        left_out=frozenset(row["left_out"]),
        original_state=OriginalState(row["original_state"]),
        meta=row["image_meta"],
        visibility=Visibility(row["image_visibility"]),
        policy=row["policy"],
        removed_metadata=None if row["removed_metadata"] is None else Removal(row["removed_metadata"]),
        added_by=added_by and Contributor.from_text(added_by, row["added_by_name"]),
        is_pending=is_pending,
        tags=tuple(row["tags"]),
        title=row["title"],
        description=row["image_description"],
        rating=row["rating"],
        people=tuple(row["people"]),
        own_words=frozenset(row["own_words"]),
    )


def found_from(row: Record) -> FoundImage:
    """The image in a row of `IMAGE_COLUMNS` and `VISIBILITY`."""
    image = image_from(row)
    facts = Facts(
        image.owner_id,
        Visibility(row["visibility"]),
        is_trashed=image.deleted_at is not None,
        contributor=image.added_by if image.is_pending else None,
        is_pending=image.is_pending,
    )
    return FoundImage(image, facts)


def _metadata(document: Mapping[str, object] | None) -> Metadata | None:
    return None if document is None else from_json(document)


def _failure(code: str | None, message: str | None) -> Failure | None:
    return None if code is None else Failure(code, message or "")


def _variants(rows: Sequence[tuple[str, str, str, int, int, int, str, int]]) -> tuple[Variant, ...]:
    return tuple(Variant(*row) for row in rows)
