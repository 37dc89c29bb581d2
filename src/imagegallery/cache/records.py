"""The SQL of the cache: where the database stands."""

from typing import Final

from imagegallery.cache.snapshots import Snapshot
from imagegallery.database.connection import Connection

# What this very statement sees. The server is named by when it started, which no two of them did together.
_SELECT_SNAPSHOT: Final = """
SELECT extract(epoch FROM pg_postmaster_start_time())::text || '/' || current_database() || ' '
    || pg_current_snapshot()::text"""


async def take_snapshot(connection: Connection) -> Snapshot:
    """What is committed at this moment; only the primary's connections are comparable."""
    text: str = await connection.fetchval(_SELECT_SNAPSHOT)
    return Snapshot.parse(text)
