"""How much of its owner's storage an upload may still take while its bytes arrive."""

from datetime import datetime

from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.uploads.session import records
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession


@frozen
class StorageUse:
    """An owner's storage in bytes: what images take (``used``), what they may take (``limit``), and what is kept for
    uploads under way (``awaited``); how many of those are ``open``, and how many may be (``max_open``). No ``limit``:
    any number."""

    used: int
    limit: int | None
    awaited: int
    open: int
    max_open: int


async def max_upload_size(
    connection: Connection, session: UploadSession, policy: UploadPolicy, *, now: datetime
) -> int:
    """How many bytes the whole file may have: what was announced or reserved, and has its place, or what is left.

    Asked in a transaction of its own. Several uploads that have announced nothing may be given the same room; their
    completion looks again.
    """
    if session.size is not None:
        return session.size
    if session.reserved is not None:
        return session.reserved
    room = await records.quota_for(connection, session.owner_id)
    limit = policy.limit_of(room.storage_limit)
    if limit is None:
        return policy.max_size
    awaited = await records.hold_awaited_size(connection, session.owner_id, now=now)
    return min(policy.max_size, session.received + max(0, limit - room.storage_used - awaited))
