"""SqsQueue: the conformance suite, and what is a message queue's own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta

import anyio
import pytest
from tests.support.servers.sqs import SqsBench

from imagegallery.database.connection import Connection
from imagegallery.queue.job import ClaimedJob, NewJob
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import Queue, Watch
from imagegallery.queue.sqs.queue import SqsQueue
from imagegallery.testing.queue import QueueSuite

LEASE = timedelta(seconds=30)


class RelayedQueue(SqsQueue):
    """With a relay beside it, as wherever it runs: all that is to be sent is sent before a claim, and while waiting."""

    def __init__(self, bench: SqsBench) -> None:
        jobs = PostgresQueue(bench.database, bench.clock)
        super().__init__(bench.database, jobs, bench.messages, bench.options, bench.clock)
        self._relay = bench.relay

    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        await self._relay.catch_up()
        return await super().claim(kinds, limit=limit, lease=lease)

    @asynccontextmanager
    async def watch(self, kinds: Sequence[str]) -> AsyncIterator[Watch]:
        async with super().watch(kinds) as watch, anyio.create_task_group() as tasks:
            tasks.start_soon(self._relay.run)
            yield watch
            tasks.cancel_scope.cancel()


class TestConformance(QueueSuite):
    ordered = False

    @pytest.fixture(autouse=True)
    def parts(self, sqs: SqsBench) -> None:
        self.bench = sqs

    async def make_queue(self) -> Queue:
        return RelayedQueue(self.bench)

    async def enqueue(self, queue: Queue, job: NewJob) -> None:
        await self.bench.add(job)

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        return self.bench.database.transaction()

    def now(self) -> datetime:
        return self.bench.clock()

    async def pass_time(self, duration: timedelta) -> None:
        self.bench.pass_time(duration)
