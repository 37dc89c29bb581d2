"""The SQL of the cache: the database's position."""

from typing import Final

from imagegallery.cache.snapshots import Snapshot
from imagegallery.database.connection import Connection

# What this statement sees. The server's start time names it.
_SELECT_SNAPSHOT: Final = """
SELECT extract(epoch FROM pg_postmaster_start_time())::text || '/' || current_database() || ' '
    || pg_current_snapshot()::text"""


async def take_snapshot(connection: Connection) -> Snapshot:
    """Return what is committed now. Only snapshots of connections to the primary are comparable."""
    text: str = await connection.fetchval(_SELECT_SNAPSHOT)
    return Snapshot.parse(text)
