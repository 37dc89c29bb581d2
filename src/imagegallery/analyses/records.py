"""The SQL of analyses: the results of each image, and copies for those who read them elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from imagegallery.analyses.analysis import AnalysisResult, AnalysisState
from imagegallery.database.connection import Connection
from imagegallery.holdings.holding import Holding
from imagegallery.images.duplicates import lookalike_records
from imagegallery.images.image import membership
from imagegallery.images.image.image import Image
from imagegallery.images.image.records import IMAGE_COLUMNS, image_from
from imagegallery.images.metadata.metadata import from_json
from imagegallery.images.words import records as tag_records
from imagegallery.images.words.file_words import Words
from imagegallery.images.words.words import distinct

HELD: Final = (
    Holding("image_analyses", "t.image_id IN (SELECT id FROM images WHERE owner_id = :owner_id)", "t.image_id, t.name"),
)

# An image, in the trash or not, with what is recorded of it.
GET = f"""
SELECT {IMAGE_COLUMNS}, ARRAY(SELECT ROW(a.name, a.version) FROM image_analyses a WHERE a.image_id = i.id) AS analyses
FROM images i WHERE i.id = $1"""

_VERSIONS = "SELECT image_id, name, version FROM image_analyses WHERE image_id = ANY($1)"

_PUT = """
INSERT INTO image_analyses (image_id, name, version, state, data, created_at)
SELECT $1, name, version, state, data, $3
FROM jsonb_to_recordset($2) AS given (name text, version integer, state text, data jsonb)
ON CONFLICT (image_id, name) DO UPDATE
SET version = excluded.version, state = excluded.state, data = excluded.data, created_at = excluded.created_at"""

_SET_BLURHASH = "UPDATE images SET blurhash = $2 WHERE id = $1"

# What its owner has said stays, and people whom a sidecar named.
_SET_WORDS = """
UPDATE images
SET title = CASE WHEN 'title' = ANY(own_words) THEN title ELSE $2 END,
    description = CASE WHEN 'description' = ANY(own_words) THEN description ELSE $3 END,
    rating = CASE WHEN 'rating' = ANY(own_words) THEN rating ELSE $4 END,
    people = CASE WHEN $5::text[] = '{}' THEN people ELSE $5 END
WHERE id = $1
RETURNING own_words"""

# NULL: the file does not say when, and other knowledge stands.
_SET_METADATA = """
UPDATE images
SET exif_data = $2, latitude = $3, longitude = $4,
    taken_at = coalesce($5, taken_at), taken_at_source = coalesce($6, taken_at_source)
WHERE id = $1"""


async def versions(connection: Connection, image_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """The recorded version of each analysis of these images, by image and name."""
    found: dict[UUID, dict[str, int]] = {image_id: {} for image_id in image_ids}
    for row in await connection.fetch(_VERSIONS, list(image_ids)):
        found[row["image_id"]][row["name"]] = row["version"]
    return found


async def image_with_versions(connection: Connection, image_id: UUID) -> tuple[Image, Mapping[str, int]] | None:
    """An image, with the version of each analysis that is recorded of it."""
    row = await connection.fetchrow(GET, image_id)
    return None if row is None else (image_from(row), dict(row["analyses"]))


async def put(
    connection: Connection, image: Image, results: Sequence[AnalysisResult], *, now: datetime, write: bool = True
) -> None:
    """Record results about a locked image; late in the transaction, see `membership`.

    Without ``write`` they are already where they are read.
    """
    if not results:
        return
    rows = [
        {"name": each.analysis.name, "version": each.analysis.version, "state": each.state.value, "data": each.data}
        for each in results
    ]
    await connection.execute(_PUT, image.id, rows, now)
    for each in results:
        if write and each.analysis.write is not None and each.state is AnalysisState.DONE:
            await each.analysis.write(connection, image, each.data, now)


async def write_blurhash(connection: Connection, image: Image, data: object, _now: datetime) -> None:
    """Store what lists show until the picture has loaded."""
    await connection.execute(_SET_BLURHASH, image.id, data)


async def write_phash(connection: Connection, image: Image, data: object, _now: datetime) -> None:
    """Store the hash, and its look-alikes."""
    phash = int(str(data), 16)
    if image.phash not in (None, phash):
        await lookalike_records.unnote(connection, image)
    await lookalike_records.note(connection, image.owner_id, image.id, phash)


async def write_words(connection: Connection, image: Image, data: object, now: datetime) -> None:
    """Store what the file says in words, unless they were removed from what is left of it."""
    if image.removed_metadata is not None:
        return
    assert isinstance(data, dict)
    words = Words.from_json(data)
    words = words if image.added_by is None else words.by_others()
    kept = (image.title, image.description, image.rating, image.people, image.tags)
    if kept == (words.title, words.description, words.rating, words.people, words.tags):
        return
    said = (words.title, words.description, words.rating, list(words.people))
    if "tags" not in await connection.fetchval(_SET_WORDS, image.id, *said):
        await tag_records.replace(connection, image.owner_id, image.id, distinct(words.tags), now=now)


async def write_metadata(connection: Connection, image: Image, data: object, now: datetime) -> None:
    """Store the image's place in time, also in its galleries, and in space; unless metadata was removed from what is
    left of its file, which says less than is known."""
    if image.removed_metadata is not None:
        return
    assert isinstance(data, dict)
    metadata = from_json(data)
    source = None if metadata.taken_at_source is None else metadata.taken_at_source.value
    await connection.execute(
        _SET_METADATA, image.id, data, metadata.latitude, metadata.longitude, metadata.taken_at, source
    )
    if metadata.taken_at not in (None, image.taken_at):
        await membership.rekey(connection, image.id, now=now, taken_at=metadata.taken_at)
        await tag_records.set_taken_at(connection, image.id, metadata.taken_at)
