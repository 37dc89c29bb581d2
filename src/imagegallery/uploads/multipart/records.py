"""The SQL of what uploads in parts were joined of, beside what `imagegallery.uploads.session.records` has for all."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from imagegallery.database.connection import Connection
from imagegallery.storage.protocol import Part

# By number. A later attempt to join may be of other parts, as long as they are parts.
_SET_JOINED = """
UPDATE upload_sessions SET joined_etags = $2, joined_sizes = $3, updated_at = $4
WHERE id = $1"""

_JOINED = "SELECT joined_etags, joined_sizes FROM upload_sessions WHERE id = $1"


async def set_joined(connection: Connection, session_id: UUID, parts: Sequence[Part], *, now: datetime) -> None:
    """Write down ``parts``, which are 1, 2, 3 and so on."""
    await connection.execute(_SET_JOINED, session_id, [part.etag for part in parts], [part.size for part in parts], now)


async def joined(connection: Connection, session_id: UUID) -> list[Part]:
    """The parts that the file was joined of; none while it was not."""
    row = await connection.fetchrow(_JOINED, session_id)
    if row is None or row["joined_etags"] is None:
        return []
    parts = zip(row["joined_etags"], row["joined_sizes"], strict=True)
    return [Part(number, etag, size) for number, (etag, size) in enumerate(parts, 1)]
