"""The SQL of dispatching: which jobs need a message, and claims of the jobs named in messages.

A dispatched job's ``jobs.dispatched_until`` goes from NULL (added, or returned) to reserved (by a relay), to sent, and
back to NULL (claimed: the worker has the message, which reappears if the worker dies).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from imagegallery.database.connection import Connection
from imagegallery.queue.dispatch.rules import ABANDONED_AFTER, LONGEST_DELAY, RESERVED_FOR, Dispatch, JobStatus
from imagegallery.queue.job import ClaimedJob

# Three index scans: jobs without a message that are due soon, those whose message (or relay) was lost, and abandoned
# ones whose message did not reappear. Concurrent relays skip what others are reserving.
RESERVE = """
WITH fresh AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE state = 'waiting' AND dispatched_until IS NULL AND run_at <= $2
    ORDER BY run_at
    LIMIT $5
    FOR UPDATE SKIP LOCKED
), lost AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE state = 'waiting' AND dispatched_until <= $1
    ORDER BY dispatched_until
    LIMIT $5
    FOR UPDATE SKIP LOCKED
), abandoned AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE state = 'running' AND lease_expires_at <= $3 AND (dispatched_until IS NULL OR dispatched_until <= $1)
    ORDER BY lease_expires_at
    LIMIT $5
    FOR UPDATE SKIP LOCKED
)
UPDATE jobs
SET dispatched_until = $4
WHERE id = ANY (ARRAY(SELECT id FROM fresh UNION ALL SELECT id FROM lost UNION ALL SELECT id FROM abandoned))
RETURNING id, kind, priority, run_at
"""

# Only while the reservation holds: a job that was claimed or made more urgent meanwhile has left that state. A locked
# one is sent again when its reservation ends: waiting for several locks could deadlock.
CONFIRM = """
WITH sent AS MATERIALIZED (
    SELECT jobs.id, message.lost_at
    FROM jobs JOIN unnest($1::uuid[], $2::timestamptz[]) AS message (id, lost_at) ON jobs.id = message.id
    WHERE jobs.dispatched_until = $3
    FOR UPDATE OF jobs SKIP LOCKED
)
UPDATE jobs SET dispatched_until = sent.lost_at FROM sent WHERE jobs.id = sent.id
"""

NEXT_FRESH = "SELECT min(run_at) FROM jobs WHERE state = 'waiting' AND dispatched_until IS NULL"

CLAIM_NAMED = """
WITH claimable AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE id = ANY ($1) AND kind = ANY ($2)
      AND (state = 'waiting' AND run_at <= $3 OR state = 'running' AND lease_expires_at <= $3)
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE jobs
    SET state = 'running', attempts = attempts + 1, lease_token = gen_random_uuid(), lease_expires_at = $4,
        dispatched_until = NULL, updated_at = $3
    WHERE id = ANY (ARRAY(SELECT id FROM claimable))
    RETURNING id, kind, payload, attempts, lease_token, lease_expires_at, created_at, priority, run_at
)
SELECT id, kind, payload, attempts, lease_token, lease_expires_at, created_at FROM claimed
ORDER BY priority DESC, run_at, id
"""

STANDINGS = """
SELECT id, kind, CASE state WHEN 'waiting' THEN run_at WHEN 'running' THEN lease_expires_at END AS claimable_at
FROM jobs WHERE id = ANY ($1)
"""


async def reserve(connection: Connection, *, now: datetime, limit: int) -> tuple[list[Dispatch], datetime]:
    """Return jobs that need a message, up to ``limit`` of each sort, and the time until which other relays skip
    them."""
    reserved_until = now + RESERVED_FOR
    rows = await connection.fetch(RESERVE, now, now + LONGEST_DELAY, now - ABANDONED_AFTER, reserved_until, limit)
    return [Dispatch(*row) for row in rows], reserved_until


async def confirm(
    connection: Connection, dispatches: Sequence[Dispatch], *, reserved_until: datetime, now: datetime
) -> None:
    """Note that the messages were sent."""
    ids = [each.job_id for each in dispatches]
    await connection.execute(CONFIRM, ids, [each.lost_at(now) for each in dispatches], reserved_until)


async def next_fresh(connection: Connection) -> datetime | None:
    """When the first job without a message is due."""
    due: datetime | None = await connection.fetchval(NEXT_FRESH)
    return due


async def claim(
    connection: Connection, ids: Sequence[UUID], kinds: Sequence[str], *, now: datetime, lease_expires_at: datetime
) -> list[ClaimedJob]:
    """Claim those of these jobs that are of these ``kinds`` and can be claimed, most urgent first."""
    rows = await connection.fetch(CLAIM_NAMED, list(ids), list(kinds), now, lease_expires_at)
    return [ClaimedJob(*row) for row in rows]


async def statuses(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, JobStatus]:
    """The status of each of these jobs that exists."""
    return {row["id"]: JobStatus(*row) for row in await connection.fetch(STANDINGS, list(ids))}
