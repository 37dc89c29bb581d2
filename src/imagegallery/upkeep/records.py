"""The SQL of looking for what does not fit together, over the tables of all packages."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from imagegallery.database.connection import Connection

# Which of these keys are no image's original and no variant.
WITHOUT_ROW = """
SELECT given.key
FROM unnest($1::text[]) AS given (key)
WHERE NOT EXISTS (SELECT FROM images i WHERE i.original_key = given.key)
  AND NOT EXISTS (SELECT FROM image_variants v WHERE v.key = given.key)"""

# Of those, the ones that a completion may just be moving to where its image's objects will lie.
_AWAITED = """
SELECT given.key
FROM unnest($1::text[]) AS given (key)
JOIN upload_sessions s ON starts_with(given.key, s.key_prefix)
WHERE s.state NOT IN ('completed', 'rejected', 'expired', 'cancelled')"""

_HAS_IMAGES = "SELECT EXISTS (SELECT FROM images)"

# The images in whose folders these keys lie, held: nobody deletes them or records variants of them meanwhile.
_HOLD_IMAGES_OF = """
SELECT i.id
FROM images i JOIN unnest($1::uuid[], $2::text[]) AS given (id, key)
    ON i.id = given.id AND starts_with(given.key, i.key_prefix)
ORDER BY i.id
FOR NO KEY UPDATE OF i"""

# The images that a worker is, or will be, at work on; it may have stored what it has not recorded yet. One look at the
# jobs for all of them.
_WITH_JOB = """
SELECT DISTINCT payload ->> 'image_id' AS image_id
FROM jobs WHERE state IN ('waiting', 'running') AND payload ->> 'image_id' = ANY ($1)"""

# A variant whose object is gone. By its key: another one may have taken its place.
_DROP_VARIANT = "DELETE FROM image_variants WHERE image_id = $1 AND key = $2 RETURNING id"

# A page of galleries, by id, each with the number of images that are in it.
COUNTS = """
SELECT g.id, g.image_count AS recorded,
       (SELECT count(*) FROM gallery_images m WHERE m.gallery_id = g.id) AS actual
FROM galleries g
WHERE g.id > $1
ORDER BY g.id
LIMIT $2"""

_COUNT_GALLERIES = "SELECT count(*) FROM galleries"

# A page of owners, by id, each with the bytes of their originals, those that images share counted once: owners that
# have a row or an image or both. One step an owner in two indexes, however many images they have in between.
SUMS = """
WITH RECURSIVE page (owner_id, place) AS (
    SELECT least(
        (SELECT min(o.owner_id) FROM owners o WHERE o.owner_id > $1),
        (SELECT min(i.owner_id) FROM images i WHERE i.owner_id > $1)
    ), 1
    UNION ALL
    SELECT least(
        (SELECT min(o.owner_id) FROM owners o WHERE o.owner_id > page.owner_id),
        (SELECT min(i.owner_id) FROM images i WHERE i.owner_id > page.owner_id)
    ), place + 1
    FROM page
    WHERE page.owner_id IS NOT NULL AND place < $2
)
SELECT page.owner_id AS id, coalesce(o.storage_used, 0) AS recorded,
       (
           SELECT coalesce(sum(originals.file_size), 0)::bigint
           FROM (
               SELECT DISTINCT ON (i.original_key) i.file_size FROM images i
               WHERE i.owner_id = page.owner_id
               ORDER BY i.original_key
           ) AS originals
       ) AS actual
FROM page
LEFT JOIN owners o ON o.owner_id = page.owner_id
WHERE page.owner_id IS NOT NULL
ORDER BY page.owner_id"""

_SERVER_VERSION = "SELECT current_setting('server_version')"

_SERVER_TIME = "SELECT clock_timestamp()"


@frozen
class Sum:
    """A number that is recorded, and what it ought to be."""

    id: str
    recorded: int
    actual: int


async def without_row(connection: Connection, keys: Sequence[str]) -> list[str]:
    """Those of ``keys`` that no row names, and that no upload which is not over will make an original."""
    unnamed = [row["key"] for row in await connection.fetch(WITHOUT_ROW, list(keys))]
    if not unnamed:
        return []
    awaited = {row["key"] for row in await connection.fetch(_AWAITED, unnamed)}
    return [key for key in unnamed if key not in awaited]


async def has_images(connection: Connection) -> bool:
    """Whether there is any image, the trash included."""
    return bool(await connection.fetchval(_HAS_IMAGES))


async def hold_images_of(connection: Connection, keys: Mapping[str, UUID]) -> None:
    """Hold the image of each key until the transaction ends, if it exists and the key lies in its folder."""
    await connection.fetch(_HOLD_IMAGES_OF, list(keys.values()), list(keys))


async def with_job(connection: Connection, image_ids: Collection[UUID]) -> set[UUID]:
    """Those of these images that a job waits for or runs on."""
    rows = await connection.fetch(_WITH_JOB, [str(image_id) for image_id in image_ids])
    return {UUID(row["image_id"]) for row in rows}


async def drop_variant(connection: Connection, image_id: UUID, key: str) -> None:
    await connection.execute(_DROP_VARIANT, image_id, key)


async def counts(connection: Connection, after: UUID, limit: int) -> list[Sum]:
    """How many images galleries say they hold, and do hold."""
    return [Sum(str(id_), *numbers) for id_, *numbers in await connection.fetch(COUNTS, after, limit)]


async def count_galleries(connection: Connection) -> int:
    count: int = await connection.fetchval(_COUNT_GALLERIES)
    return count


async def sums(connection: Connection, after: str, limit: int) -> list[Sum]:
    """How many bytes owners are said to store, and do store."""
    return [Sum(*row) for row in await connection.fetch(SUMS, after, limit)]


async def server_version(connection: Connection) -> str:
    version: str = await connection.fetchval(_SERVER_VERSION)
    return version


async def server_time(connection: Connection) -> datetime:
    now: datetime = await connection.fetchval(_SERVER_TIME)
    return now
