"""The SQL that reads, counts and erases what features declare to hold of an owner (`Holding`)."""

from collections.abc import AsyncIterator
from typing import Final

from imagegallery.database.connection import Connection
from imagegallery.database.removal import removing
from imagegallery.database.statement import Statement
from imagegallery.holdings.holding import Holding

READ_AT_ONCE: Final = 200


async def tell(connection: Connection, holding: Holding, owner_id: str) -> AsyncIterator[str]:
    """Yield each of the rows as the text of a JSON object, without what is left out. In a transaction."""
    told = "".join(f" - '{column}'" for column in holding.left_out)
    statement = Statement.of(
        f"SELECT (to_jsonb(t){told})::text FROM {holding.table} t WHERE {holding.rows} ORDER BY {holding.order}"
    )
    given = statement.arguments({"owner_id": owner_id})
    async for row in connection.cursor(statement.sql, *given, prefetch=READ_AT_ONCE):
        yield row[0]


async def count(connection: Connection, holding: Holding, owner_id: str) -> int:
    statement = Statement.of(f"SELECT count(*) FROM {holding.table} t WHERE {holding.rows}")
    (row,) = await statement.fetch(connection, owner_id=owner_id)
    counted: int = row[0]
    return counted


async def erase(connection: Connection, holding: Holding, owner_id: str, limit: int) -> int:
    """Delete some of the rows, or take the owner out of them. Returns the number; fewer than ``limit``: it was all.

    In a transaction. Raises `StillReferenced` if records of the application refer to one of them.
    """
    some = f"ARRAY(SELECT t.ctid FROM {holding.table} t WHERE {holding.rows} LIMIT :limit FOR UPDATE)"
    what = (
        f"DELETE FROM {holding.table}"
        if holding.changed_to is None
        else f"UPDATE {holding.table} SET {holding.changed_to}"
    )
    statement = Statement.of(f"{what} WHERE ctid = ANY ({some})")
    given = statement.arguments({"owner_id": owner_id, "limit": limit})
    async with removing(connection):
        tag: str = await connection.execute(statement.sql, *given)
    return int(tag.rpartition(" ")[2])
