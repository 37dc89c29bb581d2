"""The SQL of upload sessions, and of the room their owners have left."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record, UniqueViolationError
from attrs import frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts
from imagegallery.database.connection import Connection
from imagegallery.database.removal import removing
from imagegallery.errors import NotFound, UploadLocked
from imagegallery.pagination import LAST_ID, LAST_MOMENT
from imagegallery.uploads.session.policy import OnDuplicate
from imagegallery.uploads.session.rejection import Rejection
from imagegallery.uploads.session.session import Concatenation, Transport, UploadSession, UploadState

_COLUMNS = """id, owner_id, gallery_id, transport, state, incoming_key, key_prefix, filename, content_type,
    declared_size, declared_sha256, error_code, error_message, error_details, image_id, created_at, updated_at,
    expires_at, received_offset, multipart_id, part_size, wire_metadata, concatenation, wire_concatenation,
    completes_itself, on_duplicate, is_duplicate, found_type, reserved_size, received_sha256"""

# What decides on a new session: who owns the gallery it names, and the owner's storage.
_SELECT_ROOM = """
SELECT coalesce(o.storage_used, 0) AS storage_used, o.storage_limit,
       g.owner_id AS gallery_owner_id, g.visibility AS gallery_visibility
FROM (SELECT $1::text AS owner_id, $2::uuid AS gallery_id) AS asked
LEFT JOIN owners o ON o.owner_id = asked.owner_id
LEFT JOIN galleries g ON g.id = asked.gallery_id"""

# Sessions that begin one after the other, for an owner who is limited, see each other and each other's bytes.
_HOLD_ROOM = "SELECT pg_advisory_xact_lock(hashtextextended('upload_sessions ' || $1, 0))"

# The bytes that an owner's open sessions have announced, or were promised.
AWAITED_SIZE = """
SELECT coalesce(sum(coalesce(declared_size, reserved_size, received_offset)), 0)::bigint
FROM upload_sessions
WHERE owner_id = $1 AND expires_at > $2 AND state NOT IN ('completed', 'rejected', 'expired', 'cancelled')"""

# How many sessions an owner has open.
OPEN_COUNT = """
SELECT count(*)
FROM upload_sessions
WHERE owner_id = $1 AND expires_at > $2 AND state NOT IN ('completed', 'rejected', 'expired', 'cancelled')"""

# What an owner's open sessions are, and how many bytes they have announced, or were promised.
HOLDINGS = """
SELECT count(*) AS count, coalesce(sum(coalesce(declared_size, reserved_size, received_offset)), 0)::bigint AS size
FROM upload_sessions
WHERE owner_id = $1 AND expires_at > $2 AND state NOT IN ('completed', 'rejected', 'expired', 'cancelled')"""

# A page of an owner's open sessions, the one that lasts longest first, after an (expires_at, id).
LIST_OPEN = f"""
SELECT {_COLUMNS} FROM upload_sessions
WHERE owner_id = $1 AND expires_at > $2 AND state NOT IN ('completed', 'rejected', 'expired', 'cancelled')
    AND (expires_at, id) < ($3, $4)
ORDER BY expires_at DESC, id DESC
LIMIT $5"""

_INSERT = """
INSERT INTO upload_sessions (
    id, owner_id, gallery_id, transport, state, incoming_key, key_prefix, filename, content_type, declared_size,
    declared_sha256, image_id, created_at, updated_at, expires_at, received_offset, multipart_id, part_size,
    wire_metadata, concatenation, completes_itself, on_duplicate, is_duplicate, reserved_size
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24
)"""

SELECT_SESSION = f"SELECT {_COLUMNS} FROM upload_sessions WHERE id = $1"

FIND_BY_INCOMING_KEY = f"SELECT {_COLUMNS} FROM upload_sessions WHERE incoming_key = $1"

# Whoever changes a session, or moves or deletes its objects because of its state, holds its row.
_LOCK_SESSION = f"{SELECT_SESSION} FOR NO KEY UPDATE"

# The size is set once, when it was not known at the start; the SHA-256 once, when all of it came.
_UPDATE = """
UPDATE upload_sessions
SET state = $2, declared_size = coalesce(declared_size, $3), error_code = $4, error_message = $5, error_details = $6,
    updated_at = $7, received_sha256 = coalesce(received_sha256, $8)
WHERE id = $1"""

# With an image: the one that was settled at the start, or one of the same bytes that was there before.
_COMPLETE = """
UPDATE upload_sessions
SET state = 'completed', declared_size = coalesce(declared_size, $2), image_id = $3, is_duplicate = $4, updated_at = $5
WHERE id = $1"""

# What the store calls an object that arrives in parts: the first name stays.
_SET_MULTIPART = """
UPDATE upload_sessions
SET multipart_id = coalesce(multipart_id, $2), updated_at = $3
WHERE id = $1
RETURNING multipart_id"""

_SET_FOUND_TYPE = "UPDATE upload_sessions SET found_type = $2, updated_at = $3 WHERE id = $1"

# A batch of sessions that are over time; those that somebody is just completing or cancelling are left out.
EXPIRE = f"""
UPDATE upload_sessions
SET state = 'expired', updated_at = $1
WHERE id IN (
    SELECT id FROM upload_sessions
    WHERE state NOT IN ('completed', 'rejected', 'expired', 'cancelled') AND expires_at <= $1
    ORDER BY expires_at
    LIMIT $2
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING {_COLUMNS}"""

# A batch of sessions that ended long ago, after an (expires_at, id).
SELECT_OLD = f"""
SELECT {_COLUMNS} FROM upload_sessions
WHERE state IN ('completed', 'rejected', 'expired', 'cancelled') AND expires_at <= $1
    AND (expires_at, id) > ($2, $3)
ORDER BY expires_at, id
LIMIT $4"""

# The same id may be open again: it follows from a key that its client still uses.
_DELETE = """
DELETE FROM upload_sessions
WHERE id = ANY($1) AND state IN ('completed', 'rejected', 'expired', 'cancelled')"""

# Which of these keys under incoming/ no open session waits for.
WITHOUT_OPEN_SESSION = """
SELECT given.key
FROM unnest($1::text[]) AS given (key)
WHERE given.key NOT IN (
    SELECT incoming_key FROM upload_sessions
    WHERE state NOT IN ('completed', 'rejected', 'expired', 'cancelled')
)"""

# Those of these keys that no completion may just be moving to where its image's objects will lie.
_NOT_AWAITED = """
SELECT given.key
FROM unnest($1::text[]) AS given (key)
WHERE NOT EXISTS (
    SELECT FROM upload_sessions s
    WHERE starts_with(given.key, s.key_prefix) AND s.state NOT IN ('completed', 'rejected', 'expired', 'cancelled')
)"""


@frozen
class OwnerQuota:
    """The owner's ``storage_used`` and own ``storage_limit`` in bytes, and the gallery asked for, if there is one."""

    storage_used: int
    storage_limit: int | None
    gallery: Facts | None


async def quota_for(connection: Connection, owner_id: str, gallery_id: UUID | None = None) -> OwnerQuota:
    (row,) = await connection.fetch(_SELECT_ROOM, owner_id, gallery_id)
    owner = row["gallery_owner_id"]
    gallery = None if owner is None else Facts(owner, Visibility(row["gallery_visibility"]))
    return OwnerQuota(row["storage_used"], row["storage_limit"], gallery)


async def hold_awaited_size(connection: Connection, owner_id: str, *, now: datetime) -> int:
    """The bytes that the owner's open sessions have announced; whoever else asks waits until the transaction ends.

    A session that does not know its size yet counts what has arrived.
    """
    await connection.fetchval(_HOLD_ROOM, owner_id)
    size: int = await connection.fetchval(AWAITED_SIZE, owner_id, now)
    return size


async def hold_open_count(connection: Connection, owner_id: str, *, now: datetime) -> int:
    """How many sessions the owner has open; whoever else asks waits until the transaction ends."""
    await connection.fetchval(_HOLD_ROOM, owner_id)
    count: int = await connection.fetchval(OPEN_COUNT, owner_id, now)
    return count


async def holdings(connection: Connection, owner_id: str, *, now: datetime) -> tuple[int, int]:
    """How many sessions the owner has open, and the bytes that are kept for them."""
    (row,) = await connection.fetch(HOLDINGS, owner_id, now)
    return row["count"], row["size"]


async def list_open(
    connection: Connection, owner_id: str, after: tuple[datetime, UUID] | None, limit: int, *, now: datetime
) -> list[UploadSession]:
    expires_at, session_id = after or (LAST_MOMENT, LAST_ID)
    return [_session(row) for row in await connection.fetch(LIST_OPEN, owner_id, now, expires_at, session_id, limit)]


async def insert(connection: Connection, session: UploadSession) -> None:
    """Raises `UploadLocked` if another transaction was quicker to write a session of this id."""
    try:
        await connection.execute(
            _INSERT,
            session.id,
            session.owner_id,
            session.gallery_id,
            session.transport.value,
            session.state.value,
            session.incoming_key,
            session.key_prefix,
            session.filename,
            session.content_type,
            session.size,
            session.sha256,
            session.future_image_id,
            session.created_at,
            session.updated_at,
            session.expires_at,
            session.received,
            session.multipart_id,
            session.part_size,
            session.wire_metadata,
            session.concatenation and session.concatenation.value,
            session.completes_itself,
            session.on_duplicate and session.on_duplicate.value,
            session.is_duplicate,
            session.reserved,
        )
    except UniqueViolationError:
        raise UploadLocked("Another request is at work on this upload.") from None


async def get(connection: Connection, session_id: UUID) -> UploadSession | None:
    row = await connection.fetchrow(SELECT_SESSION, session_id)
    return None if row is None else _session(row)


async def find_by_incoming_key(connection: Connection, key: str) -> UploadSession | None:
    row = await connection.fetchrow(FIND_BY_INCOMING_KEY, key)
    return None if row is None else _session(row)


async def lock(connection: Connection, session_id: UUID) -> UploadSession:
    """The session as it is now, locked until the transaction ends. Raises `NotFound`."""
    row = await connection.fetchrow(_LOCK_SESSION, session_id)
    if row is None:
        raise NotFound("There is no such upload.")
    return _session(row)


async def update(
    connection: Connection,
    session_id: UUID,
    state: UploadState,
    *,
    now: datetime,
    size: int | None = None,
    received_sha256: bytes | None = None,
    rejection: Rejection | None = None,
) -> None:
    """Write the new state, the size and the SHA-256 if they were not known, and the ``rejection`` that ``REJECTED``
    needs."""
    error = (rejection.code, rejection.message, dict(rejection.details)) if rejection else (None, None, None)
    await connection.execute(_UPDATE, session_id, state.value, size, *error, now, received_sha256)


async def complete(connection: Connection, session: UploadSession, *, size: int, now: datetime) -> None:
    """Write that ``session`` has ended with its ``future_image_id``; and the size if it was not known."""
    await connection.execute(_COMPLETE, session.id, size, session.future_image_id, session.is_duplicate, now)


async def set_multipart(connection: Connection, session_id: UUID, multipart_id: str, *, now: datetime) -> str:
    """Answers the name that the session has from now on: another one, if somebody was quicker. Raises `NotFound`."""
    name: str | None = await connection.fetchval(_SET_MULTIPART, session_id, multipart_id, now)
    if name is None:
        raise NotFound("There is no such upload.")
    return name


async def set_found_type(connection: Connection, session_id: UUID, content_type: str, *, now: datetime) -> None:
    """Write down what the file is, where that is not what was declared."""
    await connection.execute(_SET_FOUND_TYPE, session_id, content_type, now)


async def expire(connection: Connection, *, now: datetime, limit: int) -> list[UploadSession]:
    """End up to ``limit`` sessions whose time is over; answers them."""
    return [_session(row) for row in await connection.fetch(EXPIRE, now, limit)]


async def list_old(
    connection: Connection, *, expired_before: datetime, after: tuple[datetime, UUID], limit: int
) -> list[UploadSession]:
    """Up to ``limit`` ended sessions whose time was over by then, oldest first, that follow on ``after``."""
    return [_session(row) for row in await connection.fetch(SELECT_OLD, expired_before, *after, limit)]


async def delete(connection: Connection, session_ids: Sequence[UUID]) -> None:
    """Forget those of these sessions that have ended. In a transaction; raises `Conflict`, and has forgotten none, when
    other tables do not let one of them go."""
    async with removing(connection):
        await connection.execute(_DELETE, list(session_ids))


async def without_open_session(connection: Connection, keys: Sequence[str]) -> list[str]:
    """Those of ``keys`` where no open session's bytes arrive."""
    return [row["key"] for row in await connection.fetch(WITHOUT_OPEN_SESSION, list(keys))]


async def not_awaited(connection: Connection, keys: Sequence[str]) -> list[str]:
    """Those of ``keys`` that no upload which is not over will make an original."""
    return [row["key"] for row in await connection.fetch(_NOT_AWAITED, list(keys))] if keys else []


def _session(row: Record) -> UploadSession:
    return UploadSession(
        id=row["id"],
        owner_id=row["owner_id"],
        gallery_id=row["gallery_id"],
        transport=Transport(row["transport"]),
        state=UploadState(row["state"]),
        filename=row["filename"],
        content_type=row["content_type"],
        size=row["declared_size"],
        sha256=row["declared_sha256"],
        incoming_key=row["incoming_key"],
        key_prefix=row["key_prefix"],
        future_image_id=row["image_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        expires_at=row["expires_at"],
        rejection=_rejection(row),
        received=row["received_offset"],
        multipart_id=row["multipart_id"],
        part_size=row["part_size"],
        wire_metadata=row["wire_metadata"],
        concatenation=Concatenation(row["concatenation"]) if row["concatenation"] else None,
        wire_concatenation=row["wire_concatenation"],
        completes_itself=row["completes_itself"],
        on_duplicate=OnDuplicate(row["on_duplicate"]) if row["on_duplicate"] else None,
        is_duplicate=row["is_duplicate"],
        found_type=row["found_type"],
        reserved=row["reserved_size"],
        received_sha256=row["received_sha256"],
    )


def _rejection(row: Record) -> Rejection | None:
    if row["error_code"] is None:
        return None
    return Rejection(row["error_code"], row["error_message"], row["error_details"])
