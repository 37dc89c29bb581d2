"""The SQL of what the service stores.

No statement reads more than a bounded number of pages or rows, however large the tables are: of a large one it reads
some of its pages, evenly spread (``TABLESAMPLE SYSTEM``), and the caller takes them for the whole.
"""

from datetime import datetime
from typing import Final

from imagegallery.administration.storage import Amount, StorageState, StoredImages
from imagegallery.database.connection import Connection
from imagegallery.owners.owner import Owner

PAGES: Final = 16_384  # of 8 KiB: 128 MiB
OPEN_UPLOADS: Final = 10_000

# The part of a table, from 0 to 1, that $2 pages are; of a table that grows at this moment, a little less.
SHARE: Final = """
SELECT least(1, $2::float8 * current_setting('block_size')::int / greatest(pg_relation_size($1::regclass), 1))"""

# $1: percent of the pages; $2: the first moment of growth.
IMAGES: Final = """
SELECT kept.state, kept.day, count(*) AS count, sum(kept.file_size)::bigint AS bytes
FROM (
    SELECT CASE WHEN i.deleted_at IS NOT NULL THEN 'trash'
                WHEN i.processing_status = 'complete' THEN 'images'
                WHEN i.processing_status = 'failed' THEN 'failed'
                ELSE 'processing' END AS state,
           CASE WHEN i.created_at >= $2 THEN (i.created_at AT TIME ZONE 'UTC')::date END AS day,
           i.file_size
    FROM images i TABLESAMPLE SYSTEM ($1)
) AS kept
GROUP BY GROUPING SETS ((kept.state), (kept.day))
HAVING kept.state IS NOT NULL OR kept.day IS NOT NULL"""

VARIANTS: Final = """
SELECT count(*) AS count, coalesce(sum(v.file_size), 0)::bigint AS bytes
FROM image_variants v TABLESAMPLE SYSTEM ($1)"""

OWNERS: Final = """
SELECT count(*) AS count, coalesce(sum(o.storage_used), 0)::bigint AS bytes FROM owners o TABLESAMPLE SYSTEM ($1)"""

# What is open has an index of its own (migration 0001).
INCOMING: Final = """
SELECT count(*) AS count, coalesce(sum(awaited.declared_size), 0)::bigint AS bytes
FROM (
    SELECT declared_size FROM upload_sessions
    WHERE state NOT IN ('completed', 'rejected', 'expired', 'cancelled')
    LIMIT $1
) AS awaited"""

# A page of owners, those who store most first: a range of an index (migration 0037).
LARGEST: Final = """
SELECT owner_id, storage_used, storage_limit FROM owners
WHERE storage_used <= $1 AND (storage_used < $1 OR owner_id > $2)
ORDER BY storage_used DESC, owner_id
LIMIT $3"""


async def images(connection: Connection, *, since: datetime, pages: int = PAGES) -> list[StoredImages]:
    """The images by state, and by day ``since`` then."""
    share = await _share(connection, "images", pages)
    return [
        StoredImages(
            None if row["state"] is None else StorageState(row["state"]),
            row["day"],
            Amount(row["count"], row["bytes"]).scaled(share),
        )
        for row in await connection.fetch(IMAGES, share * 100, since)
    ]


async def variants(connection: Connection, *, pages: int = PAGES) -> Amount:
    return await _amount(connection, VARIANTS, "image_variants", pages)


async def owners(connection: Connection, *, pages: int = PAGES) -> Amount:
    return await _amount(connection, OWNERS, "owners", pages)


async def incoming(connection: Connection, *, limit: int = OPEN_UPLOADS) -> Amount:
    """The open uploads, with the sizes that are known."""
    row = await connection.fetchrow(INCOMING, limit)
    assert row is not None, "an aggregate has one row"
    return Amount(row["count"], row["bytes"], is_exact=row["count"] < limit)


async def largest(connection: Connection, before: tuple[int, str], limit: int) -> list[Owner]:
    return [Owner(**row) for row in await connection.fetch(LARGEST, *before, limit)]


async def _amount(connection: Connection, statement: str, table: str, pages: int) -> Amount:
    share = await _share(connection, table, pages)
    row = await connection.fetchrow(statement, share * 100)
    assert row is not None, "an aggregate has one row"
    return Amount(*row).scaled(share)


async def _share(connection: Connection, table: str, pages: int) -> float:
    share: float = await connection.fetchval(SHARE, table, pages)
    return share
