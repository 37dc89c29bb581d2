"""What a queue must do: for who adds jobs, in the transaction that makes them necessary, and for a worker.

`imagegallery.testing.queue.QueueSuite` proves a backend.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from imagegallery.database.connection import Connection
from imagegallery.queue.job import Backlog, ClaimedJob, DeadJob, NewJob, QueueStats


class JobOutbox(Protocol):
    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        """Add the job in the caller's transaction: if that commits the job exists and workers are woken, if it
        rolls back there never was a job.

        A waiting job that makes this one superfluous (see `NewJob.dedupe_key`) is held until the transaction
        ends, so that whoever claims it sees what the transaction wrote. A transaction that enqueues several jobs
        with keys does so in the order of their keys; two that differ in order may deadlock.
        """


class Watch(Protocol):
    """Attention to a queue: jobs that came while nobody waited still end the next wait."""

    async def wait(self, kinds: Sequence[str], *, timeout: timedelta) -> None:
        """Return when a job of these kinds may have become due, after ``timeout`` at the latest. May return early.

        They are among those that are watched.
        """


class Queue(Protocol):
    """The life of a job between its claim and its end."""

    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        """Take up to ``limit`` due jobs, most urgent first: waiting ones, and those whose lease ran out.

        Counts the attempt. No two claims ever hold the same job under the same token.
        """

    async def extend(self, jobs: Sequence[ClaimedJob], *, lease: timedelta) -> list[ClaimedJob]:
        """Renew the leases; answers the jobs still held. One that is missing was lost: stop working on it."""

    async def fence(self, connection: Connection, job: ClaimedJob) -> None:
        """Inside a transaction: hold this claim until the transaction ends, so that what is written in it
        counts only if the job is still ours. Raises `LeaseLost`.

        A claim is ours until another one is made, also past the end of its lease.
        """

    async def complete(self, job: ClaimedJob) -> None:
        """The job is done and forgotten. Raises `LeaseLost`."""

    async def complete_in(self, connection: Connection, job: ClaimedJob) -> None:
        """Inside a transaction, in the place of `fence`: the job is done and forgotten if the transaction commits.
        Raises `LeaseLost`. When it has, `let_go` follows."""

    async def let_go(self, job: ClaimedJob) -> None:
        """Drop what is held of a job besides, now that it was completed in a transaction. Raises nothing: what cannot
        be dropped must do no harm."""

    async def retry(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        """Give it back to be tried again from ``run_at``. Raises `LeaseLost`."""

    async def postpone(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        """Give it back for ``run_at`` as if it had not been claimed: it is not its fault. Raises `LeaseLost`."""

    async def bury(self, job: ClaimedJob, *, error: str) -> None:
        """Make it a dead letter: kept, with its error, and not tried again. Raises `LeaseLost`."""

    async def release(self, job: ClaimedJob) -> None:
        """Hand it back at once, as if it had not been claimed (a clean shutdown). Raises `LeaseLost`."""

    def watch(self, kinds: Sequence[str]) -> AbstractAsyncContextManager[Watch]:
        """Pay attention to jobs of these kinds, from entering to leaving the context."""

    async def stats(self) -> QueueStats:
        """How full it is, as well as it knows."""


class JobQueue(Queue, JobOutbox, Protocol):
    """Both ends of a queue: what an application that brings its own hands to `ImageGallery.open`."""


@runtime_checkable
class KeepsDeadLetters(Protocol):
    """A queue that shows what died in it, and can try that again."""

    async def dead(self, *, limit: int) -> list[DeadJob]:
        """The latest dead letters, the last to die first."""

    async def requeue(self, job_id: UUID) -> None:
        """Give a dead letter all its attempts again, now. Raises `NotFound` if there is no such dead letter."""


@runtime_checkable
class TellsBacklog(Protocol):
    """A queue that can be asked, at little cost, whether anybody does what is due."""

    async def backlog(self) -> Backlog:
        """What is due, and held."""


class Ended(Enum):
    """What a handler says of a job whose end it has written itself."""

    COMPLETED = "by `Queue.complete_in`, in the transaction that recorded the work"


class JobHandler(Protocol):
    """The work of one kind of job. It may be started more than once, and stopped (cancelled) at any point."""

    async def run(self, job: ClaimedJob) -> Ended | None:
        """Do it. Returning means it is done, also if "done" is a permanent failure that the handler recorded;
        any exception means it did not work this time, and is tried again later."""

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """All attempts are used up: record that, before the job becomes a dead letter."""


class JobOutcome(StrEnum):
    """How a claim ended: the job was done, is to be tried again, became a dead letter, was handed back at
    shutdown, or was another worker's by then (or its end could not be written, and it will be)."""

    DONE = "done"
    RETRIED = "retried"
    BURIED = "buried"
    RELEASED = "released"
    LOST = "lost"


class WorkerObserver(Protocol):
    """Called in the event loop, between a job's steps: it must neither block nor raise."""

    def job_started(self, kind: str) -> None: ...

    def job_finished(self, kind: str, outcome: JobOutcome, seconds: float) -> None:
        """``seconds`` from claim to end of this attempt."""


class Letter(Protocol):
    """A message: its text, and what the mailbox knows it by."""

    @property
    def body(self) -> str: ...

    @property
    def receipt(self) -> str: ...


class Mailbox(Protocol):
    """Messages that others send us: what arrives is handled, then put away; what is not put away comes again."""

    async def receive(self) -> Sequence[Letter]:
        """The next letters; waits a while for one, and may answer none. They come again, here or elsewhere, unless
        they are put away. Raises `Unavailable` or `ConfigurationError`."""

    async def put_away(self, letter: Letter) -> None:
        """It has been handled. Raises like `receive`; then it comes again."""
