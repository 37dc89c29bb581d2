"""The SQL of owners, for operators of the service."""

from typing import Final

from asyncpg import Record

from imagegallery.database.connection import Connection
from imagegallery.holdings.holding import Holding
from imagegallery.owners.owner import Owner
from imagegallery.reconciliation.sums import Sum

HELD: Final = (Holding("owners", order="t.owner_id"),)

_COLUMNS = "owner_id, storage_used, storage_limit"

_GET = f"SELECT {_COLUMNS} FROM owners WHERE owner_id = $1"

# A page of owners, by id.
LIST = f"SELECT {_COLUMNS} FROM owners WHERE owner_id > $1 ORDER BY owner_id LIMIT $2"

# A limit may be set before the owner has stored anything.
_SET_LIMIT = f"""
INSERT INTO owners (owner_id, storage_limit) VALUES ($1, $2)
ON CONFLICT (owner_id) DO UPDATE SET storage_limit = excluded.storage_limit
RETURNING {_COLUMNS}"""

# A page of owners, by id, with the bytes of their originals, counting shared ones once: owners with a row, an image or
# both. It takes one step per owner in two indexes, however many images they have.
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
               WHERE i.owner_id = page.owner_id AND i.original_state <> 'refused'
               ORDER BY i.original_key
           ) AS originals
       ) AS actual
FROM page
LEFT JOIN owners o ON o.owner_id = page.owner_id
WHERE page.owner_id IS NOT NULL
ORDER BY page.owner_id"""


async def get(connection: Connection, owner_id: str) -> Owner | None:
    row = await connection.fetchrow(_GET, owner_id)
    return None if row is None else _owner(row)


async def list_after(connection: Connection, owner_id: str, limit: int) -> list[Owner]:
    return [_owner(row) for row in await connection.fetch(LIST, owner_id, limit)]


async def set_limit(connection: Connection, owner_id: str, storage_limit: int | None) -> Owner:
    row = await connection.fetchrow(_SET_LIMIT, owner_id, storage_limit)
    assert row is not None
    return _owner(row)


async def sums(connection: Connection, after: str, limit: int) -> list[Sum]:
    """Return how many bytes owners are recorded to store, and how many they do store."""
    return [Sum(*row) for row in await connection.fetch(SUMS, after, limit)]


def _owner(row: Record) -> Owner:
    return Owner(**row)
