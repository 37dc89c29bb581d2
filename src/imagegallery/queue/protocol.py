"""What a queue must do: for who adds jobs, in the transaction that makes them necessary, and for a worker.

`imagegallery.testing.queue.QueueSuite` tests a backend.
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
        """Add the job in the caller's transaction. If it commits, the job exists and workers are woken; if not, there
        is no job.

        A waiting job that replaces this one (see `NewJob.dedupe_key`) is locked until the transaction ends, so that its
        worker sees what the transaction wrote. A transaction that adds several jobs with keys must do so in the order
        of the keys: otherwise two may deadlock.
        """


class Watch(Protocol):
    """A watch on a queue: jobs that came between two waits still end the next one."""

    async def wait(self, kinds: Sequence[str], *, timeout: timedelta) -> None:
        """Return when a job of these kinds, which are among the watched ones, may have become due, or after
        ``timeout``.

        It may return early.
        """


class Queue(Protocol):
    """A job's life from its claim to its end."""

    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        """Claim up to ``limit`` due jobs, most urgent first: waiting ones, and those with expired leases.

        Counts as an attempt. No two claims hold the same job under the same token.
        """

    async def extend(self, jobs: Sequence[ClaimedJob], *, lease: timedelta) -> list[ClaimedJob]:
        """Renew the leases and return the jobs still held. A missing one was lost: stop working on it."""

    async def fence(self, connection: Connection, job: ClaimedJob) -> None:
        """Hold this claim until the caller's transaction ends, so that its writes only count while the job is ours.

        A claim is ours until another one is made, even after its lease.

        Raises:
            LeaseLost: If another claim was made.
        """

    async def complete(self, job: ClaimedJob) -> None:
        """Delete the finished job.

        Raises:
            LeaseLost: If another claim was made.
        """

    async def complete_in(self, connection: Connection, job: ClaimedJob) -> None:
        """Delete the finished job in the caller's transaction, in place of `fence`. `let_go` must follow the commit.

        Raises:
            LeaseLost: If another claim was made.
        """

    async def let_go(self, job: ClaimedJob) -> None:
        """Release what else is held of a job that was completed in a transaction. Never raises."""

    async def retry(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        """Return the job, to be retried from ``run_at``.

        Raises:
            LeaseLost: If another claim was made.
        """

    async def postpone(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        """Return the job until ``run_at`` as if it had not been claimed: the failure is not its own.

        Raises:
            LeaseLost: If another claim was made.
        """

    async def bury(self, job: ClaimedJob, *, error: str) -> None:
        """Make the job a dead letter, which is kept with its error and not retried.

        Raises:
            LeaseLost: If another claim was made.
        """

    async def release(self, job: ClaimedJob) -> None:
        """Return the job at once as if it had not been claimed, at a clean shutdown.

        Raises:
            LeaseLost: If another claim was made.
        """

    def watch(self, kinds: Sequence[str]) -> AbstractAsyncContextManager[Watch]:
        """Watch for jobs of these kinds while the context is open."""

    async def stats(self) -> QueueStats:
        """Return how full the queue is, as far as it knows."""


class JobQueue(Queue, JobOutbox, Protocol):
    """Both ends of a queue, as an application passes it to `ImageGallery.open`."""


@runtime_checkable
class KeepsDeadLetters(Protocol):
    """A queue that can show dead letters and requeue them."""

    async def dead(self, *, limit: int) -> list[DeadJob]:
        """Return the latest dead letters, newest first."""

    async def requeue(self, job_id: UUID) -> None:
        """Give a dead letter all its attempts again.

        Raises:
            NotFound: If there is no such dead letter.
        """


@runtime_checkable
class TellsBacklog(Protocol):
    """A queue that can cheaply say whether workers do due jobs."""

    async def backlog(self) -> Backlog:
        """Return what is due, and what is held."""


class Ended(Enum):
    """Returned by a handler that has recorded the job's end itself."""

    COMPLETED = "by `Queue.complete_in`, in the transaction that recorded the work"


class JobHandler(Protocol):
    """Does the jobs of one kind. A job may be started more than once, and cancelled at any point."""

    async def run(self, job: ClaimedJob) -> Ended | None:
        """Do the job. Returning means it is done, even if the handler recorded a permanent failure. Any exception means
        that it
        failed this time, and will be retried.
        """

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


class MailboxMessage(Protocol):
    """A message: its text, and what the mailbox knows it by."""

    @property
    def body(self) -> str: ...

    @property
    def receipt(self) -> str: ...


class Mailbox(Protocol):
    """Messages that others send us: what arrives is handled, then put away; what is not put away comes again."""

    async def receive(self) -> Sequence[MailboxMessage]:
        """The next letters; waits a while for one, and may answer none. They come again, here or elsewhere, unless
        they are put away. Raises `Unavailable` or `ConfigurationError`."""

    async def acknowledge(self, letter: MailboxMessage) -> None:
        """It has been handled. Raises like `receive`; then it comes again."""
