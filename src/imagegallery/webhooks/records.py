"""The SQL of webhooks."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record
from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SEED
from imagegallery.database.removal import removing
from imagegallery.holdings.holding import Holding
from imagegallery.webhooks.webhook import Webhook

HELD: Final = (Holding("webhooks", left_out=("secret", "request_digest"), is_last=True),)

_COLUMNS = "id, owner_id, url, event_types, active, disabled_reason, failures, failing_since, created_at"

# Counting and adding exclude each other: the count holds until the transaction ends.
_LOCK_OWNER = f"SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || $1, {SEED}))"

_COUNT = "SELECT count(*) FROM webhooks WHERE owner_id = $1"

_INSERT = """
INSERT INTO webhooks (id, owner_id, url, secret, event_types, created_at, request_digest)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""

# The request that made a webhook whose id follows from a key.
_REQUEST = "SELECT request_digest FROM webhooks WHERE id = $1"

_GET = f"SELECT {_COLUMNS} FROM webhooks WHERE id = $1"

# Locks a webhook that will be changed, until the transaction ends.
_LOCK = f"SELECT {_COLUMNS} FROM webhooks WHERE id = $1 FOR UPDATE"

_SECRET = "SELECT secret FROM webhooks WHERE id = $1"  # noqa: S105 - the statement, not a secret

_LIST = f"SELECT {_COLUMNS} FROM webhooks WHERE owner_id = $1 ORDER BY id"

_ACTIVE = f"SELECT {_COLUMNS} FROM webhooks WHERE owner_id = ANY ($1) AND active ORDER BY id"

_DELETE = "DELETE FROM webhooks WHERE id = $1"

_ENABLE = """
UPDATE webhooks SET active = true, disabled_reason = NULL, failures = 0, failing_since = NULL WHERE id = $1"""

_SUCCEEDED = "UPDATE webhooks SET failures = 0, failing_since = NULL WHERE id = $1 AND failures > 0"

_FAILED = """
UPDATE webhooks
SET failures = failures + 1, failing_since = coalesce(failing_since, $2),
    active = $3::text IS NULL, disabled_reason = $3
WHERE id = $1"""


@frozen
class NewWebhook:
    """What to write. ``secret``: 32 bytes known only to the owner and us; ``request_digest``: of a request with a
    key."""

    id: UUID
    owner_id: str
    url: str
    secret: bytes
    event_types: tuple[str, ...]
    request_digest: bytes | None = None


async def count_held(connection: Connection, owner_id: str) -> int:
    """Count the owner's webhooks, and prevent others from adding one until the transaction ends."""
    await connection.execute(_LOCK_OWNER, owner_id)
    count: int = await connection.fetchval(_COUNT, owner_id)
    return count


async def insert(connection: Connection, new: NewWebhook, *, now: datetime) -> None:
    values = (new.id, new.owner_id, new.url, new.secret, list(new.event_types), now, new.request_digest)
    await connection.execute(_INSERT, *values)


async def request_digest_of(connection: Connection, webhook_id: UUID) -> bytes | None:
    digest: bytes | None = await connection.fetchval(_REQUEST, webhook_id)
    return digest


async def get(connection: Connection, webhook_id: UUID) -> Webhook | None:
    row = await connection.fetchrow(_GET, webhook_id)
    return None if row is None else _webhook(row)


async def lock(connection: Connection, webhook_id: UUID) -> Webhook | None:
    row = await connection.fetchrow(_LOCK, webhook_id)
    return None if row is None else _webhook(row)


async def secret_of(connection: Connection, webhook_id: UUID) -> bytes:
    """The secret of an existing webhook."""
    secret: bytes = await connection.fetchval(_SECRET, webhook_id)
    return secret


async def list_owned(connection: Connection, owner_id: str) -> Sequence[Webhook]:
    return [_webhook(row) for row in await connection.fetch(_LIST, owner_id)]


async def list_active(connection: Connection, owner_ids: Collection[str]) -> Sequence[Webhook]:
    return [_webhook(row) for row in await connection.fetch(_ACTIVE, list(owner_ids))]


async def delete(connection: Connection, webhook_id: UUID) -> None:
    """Delete it. Raises `Conflict` if other tables refer to it."""
    async with removing(connection):
        await connection.execute(_DELETE, webhook_id)


async def enable(connection: Connection, webhook_id: UUID) -> None:
    await connection.execute(_ENABLE, webhook_id)


async def record_success(connection: Connection, webhook_id: UUID) -> None:
    await connection.execute(_SUCCEEDED, webhook_id)


async def record_failure(
    connection: Connection, webhook_id: UUID, *, disabled_reason: str | None, now: datetime
) -> None:
    """Count a failed attempt. With a reason, switch the webhook off."""
    await connection.execute(_FAILED, webhook_id, now, disabled_reason)


def _webhook(row: Record) -> Webhook:
    return Webhook(**{**row, "event_types": tuple(row["event_types"])})
