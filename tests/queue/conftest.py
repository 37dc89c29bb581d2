"""What the worker's tests share."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import attrs
import pytest

from imagegallery.database.pool import Database
from imagegallery.queue.job import ClaimedJob, NewJob, QueueOptions
from imagegallery.queue.observer import Outcome
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.worker import Worker
from imagegallery.testing.clock import ManualClock

Run = Callable[[ClaimedJob], Awaitable[None]]
GiveUp = Callable[[ClaimedJob, str], Awaitable[None]]


class Handler:
    """A job handler that does what the test says, and remembers what it was asked."""

    def __init__(self, run: Run, give_up: GiveUp | None = None) -> None:
        self._run = run
        self._give_up = give_up
        self.attempts: list[int] = []
        self.given_up: list[tuple[int, str]] = []

    async def run(self, job: ClaimedJob) -> None:
        self.attempts.append(job.attempt)
        await self._run(job)

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        self.given_up.append((job.attempt, error))
        if self._give_up is not None:
            await self._give_up(job, error)


class Outcomes:
    """A `WorkerObserver` whose test waits for what it observes."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self._send, self._receive = anyio.create_memory_object_stream[tuple[str, Outcome]](1000)

    def job_started(self, kind: str) -> None:
        self.started.append(kind)

    def job_finished(self, kind: str, outcome: Outcome, seconds: float) -> None:
        assert seconds >= 0
        self._send.send_nowait((kind, outcome))

    async def next(self, count: int = 1) -> list[Outcome]:
        with anyio.fail_after(30):
            return [(await self._receive.receive())[1] for _ in range(count)]

    def close(self) -> None:
        self._send.close()
        self._receive.close()


@attrs.define
class Bench:
    """A queue in a database, with the means to add jobs to it and to have them done."""

    database: Database
    clock: ManualClock
    outcomes: Outcomes
    options: QueueOptions = QueueOptions(
        max_attempts=3,
        lease=timedelta(seconds=60),
        backoff_base=timedelta(0),
        poll_interval=timedelta(seconds=0.05),
        concurrency=1,
        shutdown_grace=timedelta(seconds=30),
    )

    @property
    def queue(self) -> PostgresQueue:
        return PostgresQueue(self.database, self.options, self.clock)

    async def add(self, *kinds: str) -> None:
        async with self.database.transaction() as connection:
            for kind in kinds:
                await self.queue.enqueue(connection, NewJob(kind), now=self.clock())

    async def claim(self, kind: str = "work") -> list[ClaimedJob]:
        return await self.queue.claim([kind], limit=10, lease=self.options.lease)

    def worker(self, handler: Handler, queue: PostgresQueue | None = None) -> Worker:
        return Worker(queue or self.queue, {"work": handler}, self.options, self.clock, observer=self.outcomes)

    @asynccontextmanager
    async def working(self, handler: Handler, queue: PostgresQueue | None = None) -> AsyncIterator[Worker]:
        """A worker at work, stopped at the end of the context."""
        worker = self.worker(handler, queue)
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                await tasks.start(worker.run)
                yield worker
                worker.stop()


@pytest.fixture
async def bench(database: Database, clock: ManualClock) -> AsyncIterator[Bench]:
    outcomes = Outcomes()
    yield Bench(database, clock, outcomes)
    outcomes.close()
