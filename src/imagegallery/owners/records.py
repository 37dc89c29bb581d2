"""The SQL of owners, for whoever runs the service."""

from asyncpg import Record

from imagegallery.database.connection import Connection
from imagegallery.owners.owner import Owner

_COLUMNS = "owner_id, storage_used, storage_limit"

_GET = f"SELECT {_COLUMNS} FROM owners WHERE owner_id = $1"

# A page of owners, by id.
LIST = f"SELECT {_COLUMNS} FROM owners WHERE owner_id > $1 ORDER BY owner_id LIMIT $2"

# A limit may be set before the owner has stored anything.
_SET_LIMIT = f"""
INSERT INTO owners (owner_id, storage_limit) VALUES ($1, $2)
ON CONFLICT (owner_id) DO UPDATE SET storage_limit = excluded.storage_limit
RETURNING {_COLUMNS}"""


async def get(connection: Connection, owner_id: str) -> Owner | None:
    row = await connection.fetchrow(_GET, owner_id)
    return None if row is None else _owner(row)


async def list_after(connection: Connection, owner_id: str, limit: int) -> list[Owner]:
    return [_owner(row) for row in await connection.fetch(LIST, owner_id, limit)]


async def set_limit(connection: Connection, owner_id: str, storage_limit: int | None) -> Owner:
    row = await connection.fetchrow(_SET_LIMIT, owner_id, storage_limit)
    assert row is not None
    return _owner(row)


def _owner(row: Record) -> Owner:
    return Owner(**row)
