"""The SQL of uploads that come little by little, beside what `imagegallery.uploads.session.records` has for all."""

from datetime import datetime
from uuid import UUID

from imagegallery.database.connection import Connection
from imagegallery.uploads.session.session import UploadState

_ATTACH = """
UPDATE upload_sessions SET multipart_id = $2, wire_concatenation = coalesce($3, wire_concatenation), updated_at = $4
WHERE id = $1"""

# How far it has come. The size is set once, when it was not known at the start.
_PROGRESS = """
UPDATE upload_sessions
SET state = $2, received_offset = $3, declared_size = coalesce(declared_size, $4), updated_at = $5,
    received_sha256 = coalesce(received_sha256, $6)
WHERE id = $1"""

# Uploads that are all there and became nothing, because whoever was about to complete them died or gave up.
LIST_INTERRUPTED = """
SELECT id FROM upload_sessions
WHERE state = 'uploaded' AND transport = 'resumable' AND concatenation IS DISTINCT FROM 'partial' AND updated_at < $1
ORDER BY updated_at
LIMIT $2"""


async def attach(
    connection: Connection, session_id: UUID, append_id: str, wire_concatenation: str | None, *, now: datetime
) -> None:
    """Write down the store's id for what grows."""
    await connection.execute(_ATTACH, session_id, append_id, wire_concatenation, now)


async def progress(
    connection: Connection,
    session_id: UUID,
    state: UploadState,
    received: int,
    *,
    size: int | None,
    now: datetime,
    sha256: bytes | None = None,
) -> None:
    """``sha256``: of all of it, if it has all come."""
    await connection.execute(_PROGRESS, session_id, state.value, received, size, now, sha256)


async def list_interrupted(connection: Connection, *, before: datetime, limit: int) -> list[UUID]:
    """Up to ``limit`` sessions that have waited to be completed since before then, longest first."""
    return [row["id"] for row in await connection.fetch(LIST_INTERRUPTED, before, limit)]
