"""The queue in PostgreSQL: table ``jobs``, migration 0001.

Needs only the database: 15 or newer, and a direct connection for LISTEN (a pooler in transaction mode loses
notifications; jobs are then found by polling). Times are from the given clock, not the server.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.notifications import Notifications
from imagegallery.database.pool import Database
from imagegallery.errors import LeaseLost, NotFound
from imagegallery.queue import records
from imagegallery.queue.job import Backlog, ClaimedJob, DeadJob, NewJob, QueueStats, waiting_time
from imagegallery.queue.protocol import JobOutbox, KeepsDeadLetters, Queue, TellsBacklog, Watch


class PostgresQueue(Queue, KeepsDeadLetters, TellsBacklog, JobOutbox):
    """Every method is one statement: `enqueue`, `fence` and `complete_in` in the caller's transaction, others in one of
    their own. Each raises `Unavailable` while the database is away."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._next_due: dict[tuple[str, ...], datetime | None] = {}

    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        await records.insert(connection, job, now=now)

    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        now = self._clock()
        async with self._database.connection() as connection:
            claim = await records.claim(connection, kinds, limit=limit, now=now, lease_expires_at=now + lease)
        self._next_due[tuple(kinds)] = claim.next_due
        return claim.jobs

    async def extend(self, jobs: Sequence[ClaimedJob], *, lease: timedelta) -> list[ClaimedJob]:
        async with self._database.connection() as connection:
            return await records.extend(connection, jobs, lease_expires_at=self._clock() + lease)

    async def fence(self, connection: Connection, job: ClaimedJob) -> None:
        _require_held(job, await records.fence(connection, job))

    async def complete(self, job: ClaimedJob) -> None:
        async with self._database.connection() as connection:
            await self.complete_in(connection, job)

    async def complete_in(self, connection: Connection, job: ClaimedJob) -> None:
        _require_held(job, await records.delete(connection, job))

    async def let_go(self, job: ClaimedJob) -> None:
        """Nothing is held but the row that is gone."""

    async def retry(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        async with self._database.connection() as connection:
            held = await records.retry(connection, job, error=error, run_at=run_at, now=self._clock())
        _require_held(job, held)

    async def postpone(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        async with self._database.connection() as connection:
            held = await records.postpone(connection, job, error=error, run_at=run_at, now=self._clock())
        _require_held(job, held)

    async def bury(self, job: ClaimedJob, *, error: str) -> None:
        async with self._database.connection() as connection:
            _require_held(job, await records.bury(connection, job, error=error, now=self._clock()))

    async def release(self, job: ClaimedJob) -> None:
        async with self._database.connection() as connection:
            _require_held(job, await records.release(connection, job, now=self._clock()))

    @asynccontextmanager
    async def watch(self, kinds: Sequence[str]) -> AsyncIterator[Watch]:
        async with self._database.listen(records.CHANNEL) as notifications:
            yield _PostgresWatch(self._database, self._clock, self._next_due, notifications)

    async def dead(self, *, limit: int) -> list[DeadJob]:
        async with self._database.connection() as connection:
            return await records.dead(connection, limit=limit)

    async def requeue(self, job_id: UUID) -> None:
        async with self._database.connection() as connection:
            if not await records.requeue(connection, job_id, now=self._clock()):
                raise NotFound("There is no dead letter with this id.")

    async def stats(self) -> QueueStats:
        async with self._database.connection() as connection:
            return await records.stats(connection)

    async def backlog(self) -> Backlog:
        async with self._database.connection() as connection:
            return await records.backlog(connection)


@frozen
class _PostgresWatch(Watch):
    """``next_due`` is from the last claim: after claiming everything due, there is no need to ask."""

    database: Database
    clock: Clock
    next_due: dict[tuple[str, ...], datetime | None]
    notifications: Notifications

    async def wait(self, kinds: Sequence[str], *, timeout: timedelta) -> None:
        try:
            next_due = self.next_due.pop(tuple(kinds))
        except KeyError:
            async with self.database.connection() as connection:
                next_due = await records.next_due(connection, kinds)
        await self.notifications.wait(waiting_time(next_due, self.clock(), timeout))


def _require_held(job: ClaimedJob, held: bool) -> None:
    if not held:
        raise LeaseLost("Another worker holds this job now.", job_id=str(job.id), kind=job.kind)
