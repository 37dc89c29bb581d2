"""The SQL of upload sessions, and of their owners' quotas."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record, UniqueViolationError
from attrs import frozen

from imagegallery.access.audience import Visibility
from imagegallery.access.contributor import Contributor
from imagegallery.access.decision import Facts
from imagegallery.contributions.contribution import ShareSender
from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SEED
from imagegallery.database.removal import removing
from imagegallery.errors import NotFound, UploadLocked
from imagegallery.holdings.holding import Holding
from imagegallery.imaging.protocol import Removal
from imagegallery.pagination import LAST_ID, LAST_MOMENT
from imagegallery.storage.protocol import Part
from imagegallery.uploads.session.found_picture import StagedFile
from imagegallery.uploads.session.policy import OnDuplicate
from imagegallery.uploads.session.rejection import Rejection
from imagegallery.uploads.session.session import (
    TRANSITIONS,
    Concatenation,
    Transport,
    UploadEvent,
    UploadSession,
    UploadState,
)
from imagegallery.uploads.session.session import advance as advance_state

HELD: Final = (Holding("upload_sessions"),)

_COLUMNS = """id, owner_id, gallery_id, transport, state, incoming_key, key_prefix, filename, content_type,
    declared_size, declared_sha256, error_code, error_message, error_details, image_id, created_at, updated_at,
    expires_at, received_offset, multipart_id, part_size, wire_metadata, concatenation, wire_concatenation,
    completes_itself, on_duplicate, is_duplicate, found_type, reserved_size, received_sha256, meta, visibility,
    staged, policy, asks_application, removed_metadata, share_id, added_by, added_by_name"""

_ENDED = str(tuple(each.value for each in UploadState if each.is_ended))

# Concurrent new sessions see each other and each other's bytes. The owner of the gallery pays, if there is one.
_HOLD_ROOM = f"""
SELECT payer.owner_id, pg_advisory_xact_lock(hashtextextended('upload_sessions ' || payer.owner_id, {SEED}))
FROM (SELECT coalesce((SELECT owner_id FROM galleries WHERE id = $2), $1::text) AS owner_id) AS payer"""

# The facts to decide on a new session: what its owner stores and has open, in bytes that were announced or reserved or,
# without a known size, have arrived; and the owner of the gallery.
ROOM = f"""
SELECT coalesce(o.storage_used, 0) AS storage_used, o.storage_limit, open.count, open.size,
       g.owner_id AS gallery_owner_id, g.visibility AS gallery_visibility, g.policy AS gallery_policy,
       g.image_count AS gallery_count
FROM (
    SELECT count(*) FILTER (WHERE share_id IS NULL) AS count,
           coalesce(sum(coalesce(declared_size, reserved_size, received_offset)), 0)::bigint AS size
    FROM upload_sessions
    WHERE owner_id = $1 AND expires_at > $2 AND state NOT IN {_ENDED}
) AS open
LEFT JOIN owners o ON o.owner_id = $1
LEFT JOIN galleries g ON g.id = $3"""

# What is under way by a share, besides one upload: the number of uploads, and their bytes as above.
OPEN_BY_SHARE = f"""
SELECT count(*) AS count, coalesce(sum(coalesce(declared_size, reserved_size, received_offset)), 0)::bigint AS size
FROM upload_sessions
WHERE share_id = $1 AND expires_at > $2 AND state NOT IN {_ENDED} AND id <> $3"""

# A page of an owner's open sessions, by latest expiry, after an (expires_at, id); not of what others add.
LIST_OPEN = f"""
SELECT {_COLUMNS} FROM upload_sessions
WHERE owner_id = $1 AND expires_at > $2 AND state NOT IN {_ENDED} AND share_id IS NULL
    AND (expires_at, id) < ($3, $4)
ORDER BY expires_at DESC, id DESC
LIMIT $5"""

_INSERT = """
INSERT INTO upload_sessions (
    id, owner_id, gallery_id, transport, state, incoming_key, key_prefix, filename, content_type, declared_size,
    declared_sha256, image_id, created_at, updated_at, expires_at, received_offset, multipart_id, part_size,
    wire_metadata, concatenation, completes_itself, on_duplicate, is_duplicate, reserved_size, meta, visibility, policy,
    asks_application, share_id, added_by, added_by_name
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31
)"""

SELECT_SESSION = f"SELECT {_COLUMNS} FROM upload_sessions WHERE id = $1"

FIND_BY_INCOMING_KEY = f"SELECT {_COLUMNS} FROM upload_sessions WHERE incoming_key = $1"

# A transaction that changes a session, or moves or deletes its objects because of its state, locks its row.
_LOCK_SESSION = f"{SELECT_SESSION} FOR NO KEY UPDATE"

# Some of an owner's sessions, whatever became of them.
_LOCK_OWNED = f"""
SELECT {_COLUMNS} FROM upload_sessions WHERE owner_id = $1 ORDER BY id LIMIT $2 FOR NO KEY UPDATE"""

# The effect of an event on a session that allows it and has not expired. The size is set once, if it was unknown; the
# SHA-256 once, when everything has come.
_ADVANCE = f"""
UPDATE upload_sessions
SET state = $2, declared_size = coalesce(declared_size, $4), received_offset = coalesce($5, received_offset),
    received_sha256 = coalesce(received_sha256, $6), updated_at = $7
WHERE id = $1 AND state = ANY ($3) AND expires_at > $7
RETURNING {_COLUMNS}"""

# The file is where its image's original will be. Everything is known of it now.
_STAGE = """
UPDATE upload_sessions
SET state = 'uploaded', declared_size = $2, received_sha256 = $3, staged = $4, updated_at = $5
WHERE id = $1"""

_SET_SIZE = "UPDATE upload_sessions SET declared_size = coalesce(declared_size, $2), updated_at = $3 WHERE id = $1"

_UPDATE = """
UPDATE upload_sessions
SET state = $2, error_code = $3, error_message = $4, error_details = $5, updated_at = $6
WHERE id = $1"""

# With an image: the one chosen at the start, or an existing one of the same bytes. What its owner stores goes with it.
_COMPLETE = """
WITH ended AS (
    UPDATE upload_sessions
    SET state = 'completed', declared_size = coalesce(declared_size, $2), image_id = $3, is_duplicate = $4,
        updated_at = $5, received_sha256 = coalesce(received_sha256, $7)
    WHERE id = $1
    RETURNING owner_id
)
INSERT INTO owners (owner_id, storage_used) SELECT owner_id, $6 FROM ended
ON CONFLICT (owner_id) DO UPDATE SET storage_used = owners.storage_used + excluded.storage_used
RETURNING storage_used, storage_limit"""

# The store's id for an object in parts: the first one stays.
_SET_MULTIPART = """
UPDATE upload_sessions
SET multipart_id = coalesce(multipart_id, $2), updated_at = $3
WHERE id = $1
RETURNING multipart_id"""

# The store's id for the growing object.
_ATTACH = """
UPDATE upload_sessions SET multipart_id = $2, wire_concatenation = coalesce($3, wire_concatenation), updated_at = $4
WHERE id = $1"""

# By number. A later attempt to join may be of other parts.
_SET_JOINED = """
UPDATE upload_sessions SET joined_etags = $2, joined_sizes = $3, updated_at = $4
WHERE id = $1"""

_JOINED = "SELECT joined_etags, joined_sizes FROM upload_sessions WHERE id = $1"

# Resumable uploads that have all bytes but no image, because their completion was interrupted.
LIST_INTERRUPTED = f"""
SELECT {_COLUMNS} FROM upload_sessions
WHERE state = 'uploaded' AND transport = 'resumable' AND concatenation IS DISTINCT FROM 'partial' AND updated_at < $1
ORDER BY updated_at
LIMIT $2"""

_SET_REMOVED = "UPDATE upload_sessions SET removed_metadata = $2, updated_at = $3 WHERE id = $1"

_SET_FOUND_TYPE = "UPDATE upload_sessions SET found_type = $2, updated_at = $3 WHERE id = $1"

# A batch of expired sessions, without those that somebody is completing or cancelling.
EXPIRE = f"""
UPDATE upload_sessions
SET state = 'expired', updated_at = $1
WHERE id IN (
    SELECT id FROM upload_sessions
    WHERE state NOT IN {_ENDED} AND expires_at <= $1
    ORDER BY expires_at
    LIMIT $2
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING {_COLUMNS}"""

# A batch of sessions that ended long ago, after an (expires_at, id).
SELECT_OLD = f"""
SELECT {_COLUMNS} FROM upload_sessions
WHERE state IN {_ENDED} AND expires_at <= $1
    AND (expires_at, id) > ($2, $3)
ORDER BY expires_at, id
LIMIT $4"""

# The same id may be open again: it follows from a key that its client still uses.
_DELETE = f"""
DELETE FROM upload_sessions
WHERE id = ANY($1) AND state IN {_ENDED}"""

_KEEP_UNTIL = f"UPDATE upload_sessions SET expires_at = $2 WHERE id = $1 AND state IN {_ENDED}"

# The keys under incoming/ without an open session.
WITHOUT_OPEN_SESSION = f"""
SELECT given.key
FROM unnest($1::text[]) AS given (key)
WHERE given.key NOT IN (
    SELECT incoming_key FROM upload_sessions
    WHERE state NOT IN {_ENDED}
)"""

# The keys that no completion may be moving to the image's folder.
_NOT_AWAITED = f"""
SELECT given.key
FROM unnest($1::text[]) AS given (key)
WHERE NOT EXISTS (
    SELECT FROM upload_sessions s
    WHERE starts_with(given.key, s.key_prefix) AND s.state NOT IN {_ENDED}
)"""


@frozen
class Room:
    """An owner's quota: ``storage_used`` and own ``storage_limit`` in bytes; the number of sessions that they have open
    (``open``), and the bytes that all reserve, also what others add (``awaited``); and the requested gallery, if it
    exists, with its policy and the number of its images.
    """

    owner_id: str
    storage_used: int
    storage_limit: int | None
    open: int
    awaited: int
    gallery: Facts | None
    gallery_policy: str | None = None
    gallery_count: int = 0


async def room(connection: Connection, owner_id: str, gallery_id: UUID | None = None, *, now: datetime) -> Room:
    (row,) = await connection.fetch(ROOM, owner_id, now, gallery_id)
    owner = row["gallery_owner_id"]
    gallery = None if owner is None else Facts(owner, Visibility(row["gallery_visibility"]))
    held = row["storage_used"], row["storage_limit"], row["count"], row["size"]
    return Room(owner_id, *held, gallery, row["gallery_policy"], row["gallery_count"] or 0)


async def hold_room(
    connection: Connection, user_id: str | None, gallery_id: UUID | None = None, *, now: datetime
) -> Room:
    """The same, locked: other transactions wait until this one ends. It is that of the gallery's owner, or without a
    gallery of the user. Raises `NotFound` if there is neither."""
    owner_id = await connection.fetchval(_HOLD_ROOM, user_id, gallery_id)
    if owner_id is None:
        raise NotFound.of("gallery")
    return await room(connection, owner_id, gallery_id, now=now)


async def open_by_share(connection: Connection, share_id: UUID, *, besides: UUID, now: datetime) -> tuple[int, int]:
    """How many other uploads are under way by this share, and the bytes that they bring."""
    (row,) = await connection.fetch(OPEN_BY_SHARE, share_id, now, besides)
    return row["count"], row["size"]


async def list_open(
    connection: Connection, owner_id: str, after: tuple[datetime, UUID] | None, limit: int, *, now: datetime
) -> list[UploadSession]:
    expires_at, session_id = after or (LAST_MOMENT, LAST_ID)
    return [_session(row) for row in await connection.fetch(LIST_OPEN, owner_id, now, expires_at, session_id, limit)]


async def insert(connection: Connection, session: UploadSession) -> None:
    """Insert it. Raises `UploadLocked` if another transaction has just inserted a session of this id."""
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
            session.meta,
            session.visibility.value,
            session.policy,
            session.asks_application,
            session.sender and session.sender.share_id,
            session.sender and str(session.sender.contributor),
            session.sender and session.sender.contributor.name,
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
    """The current session, locked until the transaction ends. Raises `NotFound`."""
    row = await connection.fetchrow(_LOCK_SESSION, session_id)
    if row is None:
        raise NotFound.of("upload")
    return _session(row)


async def lock_owned(connection: Connection, owner_id: str, limit: int) -> list[UploadSession]:
    """Some of the owner's sessions, locked until the transaction ends."""
    return [_session(row) for row in await connection.fetch(_LOCK_OWNED, owner_id, limit)]


async def advance(
    connection: Connection,
    session_id: UUID,
    event: UploadEvent,
    *,
    now: datetime,
    size: int | None = None,
    received: int | None = None,
    sha256: bytes | None = None,
) -> UploadSession:
    """Write the effect of an ``event`` on an open session: its state, its size and SHA-256 if they were unknown, and
    how much has arrived. Returns the
    session. Raises `NotFound`, and as `session.advance`.
    """
    after = TRANSITIONS[UploadState.UPLOADING][event]
    before = [state.value for state, events in TRANSITIONS.items() if events.get(event) is after]
    row = await connection.fetchrow(_ADVANCE, session_id, after.value, before, size, received, sha256, now)
    if row is not None:
        return _session(row)
    current = await get(connection, session_id)
    if current is None:
        raise NotFound.of("upload")
    advance_state(current.at(now).state, event)
    raise AssertionError("A session that could not go on cannot do so later.")


async def stage(connection: Connection, session: UploadSession, *, now: datetime) -> None:
    """Record that the file of a locked session is staged."""
    staged = session.staged and session.staged.to_json()
    await connection.execute(_STAGE, session.id, session.size, session.received_sha256, staged, now)


async def set_size(connection: Connection, session_id: UUID, size: int, *, now: datetime) -> None:
    await connection.execute(_SET_SIZE, session_id, size, now)


async def update(
    connection: Connection,
    session_id: UUID,
    state: UploadState,
    *,
    now: datetime,
    rejection: Rejection | None = None,
) -> None:
    """Write the new state, and the ``rejection`` for ``REJECTED``."""
    error = (rejection.code, rejection.message, dict(rejection.details)) if rejection else (None, None, None)
    await connection.execute(_UPDATE, session_id, state.value, *error, now)


async def complete(
    connection: Connection,
    session: UploadSession,
    *,
    size: int,
    sha256: bytes | None = None,
    stored: int,
    now: datetime,
) -> tuple[int, int | None]:
    """Write that ``session`` has ended with its ``future_image_id``, and the size and the SHA-256 of what came if they
    were unknown.

    Its owner stores ``stored`` bytes more by it. Return what they store now, and their own limit. Last in a
    transaction, see `imagegallery.images.image.membership`.
    """
    (row,) = await connection.fetch(
        _COMPLETE, session.id, size, session.future_image_id, session.is_duplicate, now, stored, sha256
    )
    return row["storage_used"], row["storage_limit"]


async def set_multipart(connection: Connection, session_id: UUID, multipart_id: str, *, now: datetime) -> str:
    """Record the store's id, and return the recorded one: another one, if somebody was quicker. Raises `NotFound`."""
    name: str | None = await connection.fetchval(_SET_MULTIPART, session_id, multipart_id, now)
    if name is None:
        raise NotFound.of("upload")
    return name


async def attach(
    connection: Connection, session_id: UUID, append_id: str, wire_concatenation: str | None, *, now: datetime
) -> None:
    """Record the store's id for the growing object."""
    await connection.execute(_ATTACH, session_id, append_id, wire_concatenation, now)


async def set_joined(connection: Connection, session_id: UUID, parts: Sequence[Part], *, now: datetime) -> None:
    """Record ``parts``, which are 1, 2, 3 and so on."""
    await connection.execute(_SET_JOINED, session_id, [part.etag for part in parts], [part.size for part in parts], now)


async def joined(connection: Connection, session_id: UUID) -> list[Part]:
    """The parts that the file was joined from; none before."""
    row = await connection.fetchrow(_JOINED, session_id)
    if row is None or row["joined_etags"] is None:
        return []
    parts = zip(row["joined_etags"], row["joined_sizes"], strict=True)
    return [Part(number, etag, size) for number, (etag, size) in enumerate(parts, 1)]


async def list_interrupted(connection: Connection, *, before: datetime, limit: int) -> list[UploadSession]:
    """Up to ``limit`` resumable uploads that have waited to be completed since before then, longest first."""
    return [_session(row) for row in await connection.fetch(LIST_INTERRUPTED, before, limit)]


async def set_found_type(connection: Connection, session_id: UUID, content_type: str, *, now: datetime) -> None:
    """Record the actual type, if it differs from the declared one."""
    await connection.execute(_SET_FOUND_TYPE, session_id, content_type, now)


async def set_removed_metadata(connection: Connection, session_id: UUID, removal: Removal, *, now: datetime) -> None:
    """Record what a copy is without, before it is stored."""
    await connection.execute(_SET_REMOVED, session_id, removal.value, now)


async def expire(connection: Connection, *, now: datetime, limit: int) -> list[UploadSession]:
    """End up to ``limit`` expired sessions and return them."""
    return [_session(row) for row in await connection.fetch(EXPIRE, now, limit)]


async def list_old(
    connection: Connection, *, expired_before: datetime, after: tuple[datetime, UUID], limit: int
) -> list[UploadSession]:
    """Up to ``limit`` ended sessions that expired before then, oldest first, after ``after``."""
    return [_session(row) for row in await connection.fetch(SELECT_OLD, expired_before, *after, limit)]


async def delete(connection: Connection, session_ids: Sequence[UUID]) -> None:
    """Delete those of these sessions that have ended, in a transaction. Raises `StillReferenced`, and deletes none,
    if other tables refer to one of them."""
    async with removing(connection):
        await connection.execute(_DELETE, list(session_ids))


async def keep_until(connection: Connection, session_id: UUID, expires_at: datetime) -> None:
    """Have an ended session deleted later, as if it had expired at this time."""
    await connection.execute(_KEEP_UNTIL, session_id, expires_at)


async def without_open_session(connection: Connection, keys: Sequence[str]) -> list[str]:
    """The ``keys`` without an open session."""
    return [row["key"] for row in await connection.fetch(WITHOUT_OPEN_SESSION, list(keys))]


async def not_awaited(connection: Connection, keys: Sequence[str]) -> list[str]:
    """The ``keys`` that no open upload will make an original."""
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
        removed_metadata=None if row["removed_metadata"] is None else Removal(row["removed_metadata"]),
        reserved=row["reserved_size"],
        received_sha256=row["received_sha256"],
        meta=row["meta"],
        visibility=Visibility(row["visibility"]),
        staged=None if row["staged"] is None else StagedFile.from_json(row["staged"]),
        policy=row["policy"],
        asks_application=row["asks_application"],
        sender=_sender(row),
    )


def _sender(row: Record) -> ShareSender | None:
    if row["share_id"] is None:
        return None
    return ShareSender(row["share_id"], Contributor.from_text(row["added_by"], row["added_by_name"]))


def _rejection(row: Record) -> Rejection | None:
    if row["error_code"] is None:
        return None
    return Rejection(row["error_code"], row["error_message"], row["error_details"])
