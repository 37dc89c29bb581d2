"""A worker under test: jobs go in, and the test waits for how they ended instead of sleeping."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import attrs

from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.queue.job import ClaimedJob, NewJob, QueueOptions
from imagegallery.queue.periodic import Periodic
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import JobOutcome
from imagegallery.queue.worker import Worker

Run = Callable[[ClaimedJob], Awaitable[None]]
GiveUp = Callable[[ClaimedJob, str], Awaitable[None]]

# One job at a time, failed ones are due again at once, and the queue is asked often: a test's clock may be moved.
EAGER = QueueOptions(
    max_attempts=3,
    lease=timedelta(seconds=60),
    backoff_base=timedelta(0),
    poll_interval=timedelta(milliseconds=50),
    concurrency=1,
    shutdown_grace=timedelta(seconds=30),
)


class ScriptedHandler:
    """A `JobHandler` that does what the test says, and remembers what it was asked."""

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
    """A `WorkerObserver`; `next` waits for what it observes."""

    def __init__(self, patience: timedelta) -> None:
        self._patience = patience
        self._finished: list[tuple[str, JobOutcome, float]] = []
        self._more = anyio.Event()
        self.started: list[str] = []

    def job_started(self, kind: str) -> None:
        self.started.append(kind)

    def job_finished(self, kind: str, outcome: JobOutcome, seconds: float) -> None:
        self._finished.append((kind, outcome, seconds))
        self._more.set()

    async def next(self, count: int = 1) -> list[JobOutcome]:
        """The outcomes of the next ``count`` attempts that end. Raises `TimeoutError`."""
        with anyio.fail_after(self._patience.total_seconds()):
            while len(self._finished) < count:
                self._more = anyio.Event()
                await self._more.wait()
        taken, self._finished = self._finished[:count], self._finished[count:]
        return [outcome for _, outcome, _ in taken]


@attrs.define
class Bench:
    """A queue in a database, with the means to add jobs of kind ``work`` and to have them done."""

    database: Database
    clock: Clock
    options: QueueOptions = EAGER
    patience: timedelta = timedelta(seconds=30)
    outcomes: Outcomes = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.outcomes = Outcomes(self.patience)

    @property
    def queue(self) -> PostgresQueue:
        return PostgresQueue(self.database, self.clock)

    async def add(self, *jobs: NewJob) -> None:
        """Add these jobs in one transaction; without any, one of kind ``work``."""
        async with self.database.transaction() as connection:
            for job in jobs or (NewJob("work"),):
                await self.queue.enqueue(connection, job, now=self.clock())

    async def claim(self, limit: int = 10) -> list[ClaimedJob]:
        return await self.queue.claim(["work"], limit=limit, lease=self.options.lease)

    @asynccontextmanager
    async def working(
        self,
        handler: ScriptedHandler,
        queue: PostgresQueue | None = None,
        periodic: Sequence[Periodic] = (),
        *,
        apart: Mapping[str, tuple[ScriptedHandler, int]] | None = None,
    ) -> AsyncIterator[Worker]:
        """A worker at work, stopped at the end of the context. ``apart``: other kinds, with hands of their own."""
        others = apart or {}
        worker = Worker(
            queue or self.queue,
            {"work": handler, **{kind: other for kind, (other, _) in others.items()}},
            self.options,
            self.clock,
            periodic=periodic,
            observer=self.outcomes,
            apart={kind: hands for kind, (_, hands) in others.items()},
        )
        async with anyio.create_task_group() as tasks:
            await tasks.start(worker.run)
            yield worker
            worker.stop()
