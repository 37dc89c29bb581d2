"""What a queue must do for a worker. Adding jobs is `queue.outbox`'s: it belongs to the caller's transaction.

`imagegallery.testing.queue.QueueSuite` proves a backend.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from imagegallery.database.connection import Connection
from imagegallery.queue.job import ClaimedJob, DeadJob, QueueStats


class Queue(Protocol):
    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        """Take up to ``limit`` due jobs, most urgent first: waiting ones, and those whose lease ran out.

        Counts the attempt. No two claims ever hold the same job under the same token.
        """

    async def extend(self, jobs: Sequence[ClaimedJob], *, lease: timedelta) -> list[ClaimedJob]:
        """Renew the leases; answers the jobs still held. One that is missing was lost: stop working on it."""

    async def fence(self, connection: Connection, job: ClaimedJob) -> None:
        """Inside a transaction: hold this claim until the transaction ends, so that what is written in it
        counts only if the job is still ours. Raises `LeaseLost`."""

    async def complete(self, job: ClaimedJob) -> None:
        """The job is done and forgotten. Raises `LeaseLost`."""

    async def retry(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        """Give it back to be tried again from ``run_at``. Raises `LeaseLost`."""

    async def bury(self, job: ClaimedJob, *, error: str) -> None:
        """Make it a dead letter: kept, with its error, and not tried again. Raises `LeaseLost`."""

    async def release(self, job: ClaimedJob) -> None:
        """Hand it back at once, as if it had not been claimed (a clean shutdown). Raises `LeaseLost`."""

    async def wait(self, *, timeout: timedelta) -> None:
        """Return when a job may have become due, after ``timeout`` at the latest."""

    async def dead(self, *, limit: int) -> list[DeadJob]:
        """The latest dead letters."""

    async def stats(self) -> QueueStats: ...
