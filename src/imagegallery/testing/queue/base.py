"""What a subclass of `imagegallery.testing.queue.QueueSuite` provides, and what its tests share.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from imagegallery.database.connection import Connection
from imagegallery.queue.job import ClaimedJob, NewJob
from imagegallery.queue.protocol import Queue

LEASE = timedelta(seconds=2)
LONGER_THAN_A_LEASE = timedelta(seconds=3)
MOMENT = timedelta(milliseconds=10)


class QueueParts(ABC):
    """Each test calls `make_queue` once."""

    # How long the suite waits for something that must happen. Only a failing backend takes that long.
    patience = timedelta(seconds=20)

    # Whether jobs are claimed strictly by priority, then by time. A backend without ordered messages switches this off:
    # normal, low and idle jobs must still be claimed in that order, and each claim must be ordered.
    ordered = True

    @abstractmethod
    async def make_queue(self) -> Queue:
        """Make a queue without jobs."""

    @abstractmethod
    async def enqueue(self, queue: Queue, job: NewJob) -> None:
        """Add a job and commit it."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Open a database transaction, as users of `Queue.fence` do."""

    @abstractmethod
    def now(self) -> datetime:
        """The queue's time."""

    @abstractmethod
    async def pass_time(self, duration: timedelta) -> None:
        """Let time pass for the queue: move its clock, or sleep."""

    async def claim(self, queue: Queue, *kinds: str, limit: int = 100) -> list[ClaimedJob]:
        return await queue.claim(kinds or ("work",), limit=limit, lease=LEASE)

    async def claim_one(self, queue: Queue, *kinds: str) -> ClaimedJob:
        claimed = await self.claim(queue, *kinds, limit=1)
        assert len(claimed) == 1, "a job is due and was not claimed"
        return claimed[0]

    async def lose(self, queue: Queue) -> tuple[ClaimedJob, ClaimedJob]:
        """Return the only job of the queue as first claimed, and as later claimed by another worker."""
        await self.enqueue(queue, NewJob("work"))
        first = await self.claim_one(queue)
        await self.pass_time(LONGER_THAN_A_LEASE)
        return first, await self.claim_one(queue)
