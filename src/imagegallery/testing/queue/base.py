"""What `imagegallery.testing.queue.QueueSuite` has to be given, and what its tests have in common."""

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

    # How long the suite waits for something that must happen: only a failing backend takes that long.
    patience = timedelta(seconds=20)

    # Whether jobs are claimed strictly by priority, then by time. A backend that gives its messages no order switches
    # this off: normal, low and idle jobs must still be claimed in that order, and one claim must still be in order.
    ordered = True

    @abstractmethod
    async def make_queue(self) -> Queue:
        """A queue without jobs."""

    @abstractmethod
    async def enqueue(self, queue: Queue, job: NewJob) -> None:
        """Add a job, and commit that."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """A database transaction, as the users of `Queue.fence` have it."""

    @abstractmethod
    def now(self) -> datetime:
        """The time by which the queue goes."""

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
        """The only job of the queue as it was claimed at first, and as another worker claimed it later."""
        await self.enqueue(queue, NewJob("work"))
        first = await self.claim_one(queue)
        await self.pass_time(LONGER_THAN_A_LEASE)
        return first, await self.claim_one(queue)
