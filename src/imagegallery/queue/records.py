"""The SQL of the queue: table ``jobs``; and ``periodic_tasks``.

The caller provides times. Id and lease token together identify a claim; only a running job has a token.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import attrs
from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SUFFIX
from imagegallery.database.statement import Statement
from imagegallery.holdings.holding import Holding
from imagegallery.ids import new_id
from imagegallery.queue.job import (
    Backlog,
    ClaimedJob,
    DeadJob,
    JobCounts,
    KindCount,
    NewJob,
    QueueStats,
    RunningJob,
)

HELD: Final = (
    Holding(
        "jobs",
        "t.owner_id = :owner_id AND NOT (t.kind = 'owner.erase' AND t.state = 'running')",
        is_told=False,
        is_last=True,
    ),
)

# NOTIFY without payload: PostgreSQL sends one for all jobs of a transaction.
CHANNEL = "imagegallery_jobs"

# A waiting job under the same key stands in for this one. Updating it, even to what it was, locks it until this
# transaction ends: nobody claims it and works on what was there before. Its backoff, if it has one, stays. Made more
# urgent, it is dispatched again.
#
# Its turn is the one that is being worked at now or, if later, the one after its owner's last (start-time fair
# queueing: Goyal, Vin and Cheng, 1996). So a job of somebody who has none waiting comes before all but one of the
# thousand that somebody else has. It is decided here, once: a claim reads one index in its order, whatever waits. Jobs
# that are nobody's get the present turn.
ENQUEUE = f"""
WITH present AS (
    SELECT coalesce(
        (SELECT max(turn) FROM jobs WHERE state = 'running' AND priority = $4),
        (SELECT min(turn) FROM jobs WHERE state = 'waiting' AND priority = $4),
        0) AS turn
), enqueued AS (
    INSERT INTO jobs AS waiting
        (id, kind, payload, priority, state, run_at, attempts, dedupe_key, created_at, updated_at, owner_id, turn)
    SELECT $1, $2, $3, $4, 'waiting', $5, 0, $6, $7, $7, $9, greatest(present.turn, (
        SELECT max(turn) + 1 FROM jobs WHERE state = 'waiting' AND owner_id = $9 AND priority = $4 AND $9 <> ''
    ))
    FROM present
    ON CONFLICT (kind, dedupe_key) WHERE state = 'waiting' AND dedupe_key IS NOT NULL DO UPDATE SET
        priority = greatest(waiting.priority, excluded.priority),
        turn = CASE WHEN excluded.priority > waiting.priority THEN excluded.turn ELSE waiting.turn END,
        run_at = CASE WHEN waiting.attempts = 0 THEN least(waiting.run_at, excluded.run_at) ELSE waiting.run_at END,
        dispatched_until = CASE
            WHEN excluded.priority > waiting.priority OR (waiting.attempts = 0 AND excluded.run_at < waiting.run_at)
            THEN NULL ELSE waiting.dispatched_until END
    RETURNING id
)
SELECT pg_notify($8::text || {SUFFIX}, '') FROM enqueued
"""

# Abandoned jobs first: they were the most urgent ones when they were claimed. Two index scans that lock what they
# take and pass over what others hold; an array, so that the update goes by primary key whatever the statistics say.
# Along comes when the next of these kinds can be claimed, so that nobody has to ask: also one of these, if its end
# cannot be recorded.
CLAIM = """
WITH abandoned AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE state = 'running' AND lease_expires_at <= $1 AND kind = ANY ($2)
    ORDER BY lease_expires_at
    LIMIT $3
    FOR UPDATE SKIP LOCKED
), due AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE state = 'waiting' AND run_at <= $1 AND kind = ANY ($2)
    ORDER BY priority DESC, turn, run_at, id
    LIMIT $3 - (SELECT count(*) FROM abandoned)
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE jobs
    SET state = 'running', attempts = attempts + 1, lease_token = gen_random_uuid(), lease_expires_at = $4,
        updated_at = $1
    WHERE id = ANY (ARRAY(SELECT id FROM abandoned UNION ALL SELECT id FROM due))
    RETURNING id, kind, payload, attempts, lease_token, lease_expires_at, created_at, priority, turn, run_at
), next AS (
    SELECT least(
        (SELECT min(run_at) FROM jobs
         WHERE state = 'waiting' AND kind = ANY ($2) AND id <> ALL (ARRAY(SELECT id FROM claimed))),
        (SELECT min(lease_expires_at) FROM jobs
         WHERE state = 'running' AND kind = ANY ($2) AND id <> ALL (ARRAY(SELECT id FROM claimed))),
        (SELECT min(lease_expires_at) FROM claimed)
    ) AS due
)
SELECT next.due AS next_due, claimed.* FROM next LEFT JOIN claimed ON true
ORDER BY priority DESC, turn, run_at, id
"""

# A job whose row is locked keeps its lease for now, and the others need not wait for it: the lock is our own
# handler's fence, which keeps claims off as well, or a claim that the next renewal will learn of.
EXTEND = """
WITH held AS MATERIALIZED (
    SELECT jobs.id FROM jobs JOIN unnest($1::uuid[], $2::uuid[]) AS mine (id, token)
    ON jobs.id = mine.id AND jobs.lease_token = mine.token
), unlocked AS MATERIALIZED (
    SELECT jobs.id FROM jobs JOIN unnest($1::uuid[], $2::uuid[]) AS mine (id, token)
    ON jobs.id = mine.id AND jobs.lease_token = mine.token
    FOR UPDATE OF jobs SKIP LOCKED
), renewed AS (
    UPDATE jobs SET lease_expires_at = $3 WHERE id = ANY (ARRAY(SELECT id FROM unlocked))
)
SELECT id FROM held
"""

FENCE = "SELECT id FROM jobs WHERE id = $1 AND lease_token = $2 FOR UPDATE"

COMPLETE = "DELETE FROM jobs WHERE id = $1 AND lease_token = $2 RETURNING id"

BURY = """
UPDATE jobs
SET state = 'dead', last_error = $3, lease_token = NULL, lease_expires_at = NULL, updated_at = $4
WHERE id = $1 AND lease_token = $2
RETURNING id
"""

# The ways back to waiting. If another job with the same key waits by now, this one goes on without its key.
_KEY_IF_FREE = """CASE WHEN NOT EXISTS (
        SELECT FROM jobs AS twin
        WHERE twin.kind = jobs.kind AND twin.dedupe_key = jobs.dedupe_key AND twin.state = 'waiting'
    ) THEN dedupe_key END"""

# $7: attempts to subtract (interrupted, not failed).
RETRY = f"""
WITH returned AS (
    UPDATE jobs
    SET state = 'waiting', run_at = $3, last_error = $4, lease_token = NULL, lease_expires_at = NULL,
        updated_at = $5, attempts = attempts - $7, dedupe_key = {_KEY_IF_FREE}
    WHERE id = $1 AND lease_token = $2
    RETURNING id
)
SELECT id, pg_notify($6::text || {SUFFIX}, '') FROM returned
"""

RELEASE = f"""
WITH returned AS (
    UPDATE jobs
    SET state = 'waiting', attempts = attempts - 1, lease_token = NULL, lease_expires_at = NULL,
        updated_at = $3, dedupe_key = {_KEY_IF_FREE}
    WHERE id = $1 AND lease_token = $2
    RETURNING id
)
SELECT id, pg_notify($4::text || {SUFFIX}, '') FROM returned
"""

# As if it were new, also by its age. Whatever message there was of a dead letter means nothing any more: it needs a new
# one.
REQUEUE = f"""
WITH returned AS (
    UPDATE jobs
    SET state = 'waiting', attempts = 0, run_at = $2, created_at = $2, updated_at = $2, dispatched_until = NULL,
        dedupe_key = {_KEY_IF_FREE}
    WHERE id = $1 AND state = 'dead'
    RETURNING id
)
SELECT id, pg_notify($3::text || {SUFFIX}, '') FROM returned
"""

NEXT_DUE = """
SELECT least(
    (SELECT min(run_at) FROM jobs WHERE state = 'waiting' AND kind = ANY ($1)),
    (SELECT min(lease_expires_at) FROM jobs WHERE state = 'running' AND kind = ANY ($1))
)
"""

_DEAD_COLUMNS = "id, kind, payload, attempts, coalesce(last_error, '') AS error, updated_at AS died_at"

DEAD = f"""
SELECT {_DEAD_COLUMNS} FROM jobs WHERE state = 'dead'
ORDER BY updated_at DESC, id
LIMIT $1
"""

# A page of dead letters before a place, of all kinds or of one: a range of an index either way (migration 0037).
_BEFORE = """
AND updated_at <= :died_at AND (updated_at < :died_at OR id > :id)
ORDER BY updated_at DESC, id
LIMIT :limit"""
DEAD_PAGE = Statement.of(f"SELECT {_DEAD_COLUMNS} FROM jobs WHERE state = 'dead' {_BEFORE}")
DEAD_OF_KIND = Statement.of(f"SELECT {_DEAD_COLUMNS} FROM jobs WHERE state = 'dead' AND kind = :kind {_BEFORE}")

# What became dead no later than that, locked for who deals with it.
_OLDER = "AND updated_at <= :until ORDER BY updated_at DESC, id LIMIT :limit FOR UPDATE SKIP LOCKED"
TAKE_DEAD = Statement.of(f"SELECT id FROM jobs WHERE state = 'dead' {_OLDER}")
TAKE_DEAD_OF_KIND = Statement.of(f"SELECT id FROM jobs WHERE state = 'dead' AND kind = :kind {_OLDER}")

DISCARD = "DELETE FROM jobs WHERE id = $1 AND state = 'dead' RETURNING kind"

DISCARD_MANY = "DELETE FROM jobs WHERE id = ANY ($1) AND state = 'dead'"

# However many jobs there are, this reads the ends of three indexes, and at most $1 rows by each.
COUNTS = """
WITH looked_at AS (
    (SELECT kind, state, run_at FROM jobs WHERE state = 'waiting' ORDER BY run_at LIMIT $1)
    UNION ALL
    (SELECT kind, state, NULL FROM jobs WHERE state = 'running' ORDER BY lease_expires_at LIMIT $1)
    UNION ALL
    (SELECT kind, state, NULL FROM jobs WHERE state = 'dead' ORDER BY updated_at DESC, id LIMIT $1)
)
SELECT kind,
       count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(*) FILTER (WHERE state = 'running') AS running,
       count(*) FILTER (WHERE state = 'dead') AS dead,
       min(run_at) AS due_since
FROM looked_at GROUP BY kind ORDER BY kind
"""

# The next to lose its claim comes first: it may be one whose worker is gone.
RUNNING = """
SELECT id, kind, attempts, updated_at, lease_expires_at
FROM jobs WHERE state = 'running'
ORDER BY lease_expires_at
LIMIT $1
"""

STATS = """
SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(*) FILTER (WHERE state = 'running') AS running,
       count(*) FILTER (WHERE state = 'dead') AS dead
FROM jobs
"""

# Every process asks regularly: this reads the ends of two indexes.
BACKLOG = """
SELECT least(
           (SELECT min(run_at) FROM jobs WHERE state = 'waiting'),
           (SELECT min(lease_expires_at) FROM jobs WHERE state = 'running')
       ) AS due_since,
       (SELECT max(lease_expires_at) FROM jobs WHERE state = 'running') AS held_until
"""

# A task that is done by one of all workers, now and then.
# Returns a row to the worker that begins. Concurrent ones wait, and then see that it has begun.
BEGIN_PERIODIC = """
INSERT INTO periodic_tasks (name, begun_at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET begun_at = excluded.begun_at WHERE periodic_tasks.begun_at <= $3
RETURNING true"""

# The columns that a `ClaimedJob` is made of.
_CLAIMED = ("id", "kind", "payload", "attempts", "lease_token", "lease_expires_at", "created_at")
_TIMES_A_TWIN_MAY_COME_BETWEEN = 3
COUNTED_TO: Final = 10_000


async def insert(connection: Connection, job: NewJob, *, now: datetime) -> None:
    run_at, payload = job.run_at or now, dict(job.payload)
    await connection.execute(
        ENQUEUE, new_id(), job.kind, payload, job.priority, run_at, job.dedupe_key, now, CHANNEL, job.owner_id
    )


@frozen
class Claim:
    """The jobs, and when the next one of these kinds can be claimed; ``None`` if there is none."""

    jobs: list[ClaimedJob]
    next_due: datetime | None


async def claim(
    connection: Connection, kinds: Sequence[str], *, limit: int, now: datetime, lease_expires_at: datetime
) -> Claim:
    rows = await connection.fetch(CLAIM, now, list(kinds), limit, lease_expires_at)
    jobs = [ClaimedJob(*(row[name] for name in _CLAIMED)) for row in rows if row["id"] is not None]
    return Claim(jobs, rows[0]["next_due"])


async def extend(connection: Connection, jobs: Sequence[ClaimedJob], *, lease_expires_at: datetime) -> list[ClaimedJob]:
    rows = await connection.fetch(EXTEND, [job.id for job in jobs], [job.lease_token for job in jobs], lease_expires_at)
    held = {row["id"] for row in rows}
    return [attrs.evolve(job, lease_expires_at=lease_expires_at) for job in jobs if job.id in held]


async def fence(connection: Connection, job: ClaimedJob) -> bool:
    """Whether the claim holds; if so, it does until the transaction ends."""
    return await connection.fetchval(FENCE, job.id, job.lease_token) is not None


async def delete(connection: Connection, job: ClaimedJob) -> bool:
    return await connection.fetchval(COMPLETE, job.id, job.lease_token) is not None


async def bury(connection: Connection, job: ClaimedJob, *, error: str, now: datetime) -> bool:
    return await connection.fetchval(BURY, job.id, job.lease_token, error, now) is not None


async def retry(connection: Connection, job: ClaimedJob, *, error: str, run_at: datetime, now: datetime) -> bool:
    return await _return(connection, RETRY, job.id, job.lease_token, run_at, error, now, CHANNEL, 0)


async def postpone(connection: Connection, job: ClaimedJob, *, error: str, run_at: datetime, now: datetime) -> bool:
    return await _return(connection, RETRY, job.id, job.lease_token, run_at, error, now, CHANNEL, 1)


async def release(connection: Connection, job: ClaimedJob, *, now: datetime) -> bool:
    return await _return(connection, RELEASE, job.id, job.lease_token, now, CHANNEL)


async def requeue(connection: Connection, job_id: UUID, *, now: datetime) -> bool:
    return await _return(connection, REQUEUE, job_id, now, CHANNEL)


async def next_due(connection: Connection, kinds: Sequence[str]) -> datetime | None:
    """When a job of these kinds can first be claimed; ``None`` if there is none."""
    due: datetime | None = await connection.fetchval(NEXT_DUE, list(kinds))
    return due


async def dead(connection: Connection, *, limit: int) -> list[DeadJob]:
    return [DeadJob(*row) for row in await connection.fetch(DEAD, limit)]


async def dead_page(
    connection: Connection, *, kind: str | None, before: tuple[datetime, UUID], limit: int
) -> list[DeadJob]:
    """Dead letters, the latest first, after this place; of one ``kind``, or all."""
    given = {"died_at": before[0], "id": before[1], "limit": limit}
    rows = DEAD_PAGE.fetch(connection, **given) if kind is None else DEAD_OF_KIND.fetch(connection, kind=kind, **given)
    return [DeadJob(*row) for row in await rows]


async def take_dead(connection: Connection, *, kind: str | None, until: datetime, limit: int) -> list[UUID]:
    """The ids of dead letters that died until then, the latest first, locked until the transaction ends; those that
    others hold are passed over."""
    given = {"until": until, "limit": limit}
    rows = (
        TAKE_DEAD.fetch(connection, **given)
        if kind is None
        else TAKE_DEAD_OF_KIND.fetch(connection, kind=kind, **given)
    )
    return [row["id"] for row in await rows]


async def discard(connection: Connection, job_id: UUID) -> str | None:
    """Delete a dead letter. Returns its kind; ``None`` if there is none."""
    kind: str | None = await connection.fetchval(DISCARD, job_id)
    return kind


async def discard_many(connection: Connection, job_ids: Sequence[UUID]) -> None:
    """Delete these dead letters."""
    await connection.execute(DISCARD_MANY, list(job_ids))


async def counts(connection: Connection, *, counted_to: int = COUNTED_TO) -> JobCounts:
    """How many jobs there are by kind, of each state at most ``counted_to``."""
    return JobCounts(tuple(KindCount(*row) for row in await connection.fetch(COUNTS, counted_to)), counted_to)


async def running(connection: Connection, *, limit: int) -> list[RunningJob]:
    """The jobs that workers do, those first whose claim ends first."""
    return [RunningJob(*row) for row in await connection.fetch(RUNNING, limit)]


async def stats(connection: Connection) -> QueueStats:
    row = await connection.fetchrow(STATS)
    assert row is not None, "an aggregate has one row"
    return QueueStats(*row)


async def backlog(connection: Connection) -> Backlog:
    row = await connection.fetchrow(BACKLOG)
    assert row is not None, "it is made of two values"
    return Backlog(*row)


async def begin_periodic(connection: Connection, name: str, *, now: datetime, last_before: datetime) -> bool:
    """Begin the task, unless somebody has since ``last_before``: false."""
    return await connection.fetchval(BEGIN_PERIODIC, name, now, last_before) is not None


async def _return(connection: Connection, statement: str, *arguments: object) -> bool:
    """Return a job to waiting, again if a job with the same key was committed after the statement looked for one.

    It runs in a transaction, the caller's or a pooler's, so that only this attempt fails.
    """
    for _ in range(_TIMES_A_TWIN_MAY_COME_BETWEEN - 1):
        try:
            async with connection.transaction():
                return await connection.fetchval(statement, *arguments) is not None
        except asyncpg.UniqueViolationError:
            continue
    return await connection.fetchval(statement, *arguments) is not None
