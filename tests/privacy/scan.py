"""A look at all that a gallery has, for what should not be there any more."""

from collections.abc import Collection

from imagegallery import ImageGallery
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database

TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
ORDER BY table_name"""


async def tables(connection: Connection) -> list[str]:
    return [row["table_name"] for row in await connection.fetch(TABLES)]


async def found_in_database(database: Database, secrets: Collection[str]) -> set[str]:
    """Where any of these texts is: in any column of any table, also in bytes, and as bytes."""
    found = set()
    patterns = [f"%{secret}%" for secret in secrets]
    patterns += [f"%{secret.encode().hex()}%" for secret in secrets]
    async with database.connection() as connection:
        for table in await tables(connection):
            sql = f"SELECT to_jsonb(t)::text AS row FROM {table} t WHERE to_jsonb(t)::text LIKE ANY ($1)"
            rows = await connection.fetch(sql, patterns)
            found |= {f"{table}: {row['row']}" for row in rows}
    return found


async def found_in_store(gallery: ImageGallery, secrets: Collection[bytes]) -> set[str]:
    """Objects whose keys or bytes have any of these."""
    found = set()
    async for each in gallery.server.store.list(""):
        async with gallery.server.store.get(each.key) as opened:
            content = each.key.encode() + b"".join([chunk async for chunk in opened.chunks])
        if any(secret in content for secret in secrets):
            found.add(each.key)
    return found
