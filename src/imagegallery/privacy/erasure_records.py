"""The SQL of erasures."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from imagegallery.database.connection import Connection
from imagegallery.privacy.erasure import Erasure, ErasureState

_COLUMNS: Final = "id, owner_id, state, counts, requested_at, erase_at, erased_at, finished_at"

_INSERT = """
INSERT INTO erasures (id, owner_id, state, requested_at, erase_at) VALUES ($1, $2, 'requested', $3, $4)
ON CONFLICT (owner_id) WHERE owner_id IS NOT NULL DO NOTHING"""

_GET = f"SELECT {_COLUMNS} FROM erasures WHERE id = $1"

_GET_OF = f"SELECT {_COLUMNS} FROM erasures WHERE owner_id = $1"

_LOCK_OF = f"{_GET_OF} FOR UPDATE"

# A page of erasures, receipts and others, the latest first, before an id.
LIST = f"SELECT {_COLUMNS} FROM erasures WHERE id < $1 ORDER BY id DESC LIMIT $2"

_DELETE = "DELETE FROM erasures WHERE id = $1"

# Only the first to begin counts.
_BEGIN = "UPDATE erasures SET state = 'erasing', counts = $2 WHERE id = $1 AND state = 'requested'"

_TELL = "UPDATE erasures SET state = 'telling', erased_at = $2 WHERE id = $1 AND state = 'erasing'"

_FINISH = """
UPDATE erasures SET state = 'erased', owner_id = NULL, finished_at = $2 WHERE id = $1 AND state = 'telling'"""

# Jobs of the owner that still delete objects, or may still store some.
_UNFINISHED = "SELECT id, state = 'dead' AS is_dead FROM jobs WHERE owner_id = $1 AND kind = ANY($2)"

# Whether the event about the erasure was not relayed yet, or is still to be delivered.
_AWAITED = """
SELECT EXISTS (
    SELECT FROM events e
    WHERE e.owner_id = $1 AND e.type = 'owner.erased'
      AND coalesce(e.position > (SELECT position FROM event_cursors WHERE consumer = 'erasures'), true)
) OR EXISTS (
    SELECT FROM jobs WHERE owner_id = $1 AND state <> 'dead' AND (kind = 'webhook.deliver' OR kind LIKE 'event:%')
)"""

# Shares of others that name somebody by an address.
_FORGET_ADDRESSES = "DELETE FROM share_recipients WHERE kind = 'email' AND name = ANY($1)"


async def insert(connection: Connection, erasure: Erasure) -> bool:
    """Insert it; false if the owner's is under way."""
    values = (erasure.id, erasure.owner_id, erasure.requested_at, erasure.erase_at)
    return await connection.execute(_INSERT, *values) == "INSERT 0 1"


async def get(connection: Connection, erasure_id: UUID) -> Erasure | None:
    return _erasure(await connection.fetchrow(_GET, erasure_id))


async def get_of(connection: Connection, owner_id: str) -> Erasure | None:
    """The one of this owner that is under way."""
    return _erasure(await connection.fetchrow(_GET_OF, owner_id))


async def lock_of(connection: Connection, owner_id: str) -> Erasure | None:
    """The same, locked until the transaction ends."""
    return _erasure(await connection.fetchrow(_LOCK_OF, owner_id))


async def list_before(connection: Connection, erasure_id: UUID, limit: int) -> Sequence[Erasure]:
    rows = await connection.fetch(LIST, erasure_id, limit)
    return [each for each in map(_erasure, rows) if each is not None]


async def delete(connection: Connection, erasure_id: UUID) -> None:
    await connection.execute(_DELETE, erasure_id)


async def begin(connection: Connection, erasure_id: UUID, counts: Mapping[str, int]) -> None:
    await connection.execute(_BEGIN, erasure_id, dict(counts))


async def tell(connection: Connection, erasure_id: UUID, *, now: datetime) -> bool:
    """Record that all is erased but webhooks and events; false if that is known."""
    return await connection.execute(_TELL, erasure_id, now) == "UPDATE 1"


async def finish(connection: Connection, erasure_id: UUID, *, now: datetime) -> bool:
    """Forget whose it was; false if that is done."""
    return await connection.execute(_FINISH, erasure_id, now) == "UPDATE 1"


async def unfinished(connection: Connection, owner_id: str, kinds: Collection[str]) -> Mapping[UUID, bool]:
    """Jobs of these kinds on the owner's objects, and whether each is dead."""
    return {row["id"]: row["is_dead"] for row in await connection.fetch(_UNFINISHED, owner_id, list(kinds))}


async def is_awaited(connection: Connection, owner_id: str) -> bool:
    """Whether somebody has still to receive the event about the erasure."""
    awaited: bool = await connection.fetchval(_AWAITED, owner_id)
    return awaited


async def forget_addresses(connection: Connection, addresses: Collection[str]) -> None:
    """Take these e-mail addresses out of shares."""
    await connection.execute(_FORGET_ADDRESSES, list(addresses))


def _erasure(row: Record | None) -> Erasure | None:
    return None if row is None else Erasure(**{**row, "state": ErasureState(row["state"])})
