"""An SQS server whose clock a test moves, so that nobody need sleep until a message is visible again."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, Self
from unittest import mock
from uuid import uuid4

import attrs
from attrs import frozen
from moto.core.utils import unix_time, unix_time_millis
from tests.support.clock import ManualClock
from tests.support.worker import EAGER
from typed_settings import SecretStr

from imagegallery.aws.clients import open_client
from imagegallery.aws.options import AwsOptions
from imagegallery.database.pool import Database
from imagegallery.dev_stack.sqs import SqsServer
from imagegallery.queue.dispatch.relay import JobRelay
from imagegallery.queue.job import NewJob, QueueOptions, SqsOptions
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.sqs.channel import SqsChannel
from imagegallery.queue.sqs.messages import SqsMessages, messages_of
from imagegallery.queue.sqs.names import DEAD
from imagegallery.queue.sqs.queue import SqsQueue
from imagegallery.queue.sqs.setup import SqsSetup

# Any keys will do: moto checks none.
AWS = AwsOptions(access_key_id="test", secret_access_key=SecretStr("test"), max_attempts=1)


class ClockedSqsServer(SqsServer):
    """Made by `running`. `advance` moves its clock."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._ahead = timedelta(0)

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        with super().running() as server, server._in_its_own_time():
            yield server

    def options(self) -> SqsOptions:
        """Names of queues that nobody has used. They do not exist yet."""
        name = f"jobs-{uuid4().hex}"
        return SqsOptions(queue_url=self.queue_url(name), endpoint_url=self.url)

    def advance(self, by: timedelta) -> None:
        """Let time pass for all messages: delays and visibility time-outs."""
        self._ahead += by

    @contextmanager
    def _in_its_own_time(self) -> Iterator[None]:
        module = "moto.sqs.models"

        def seconds() -> float:
            return float(unix_time()) + self._ahead.total_seconds()

        def milliseconds() -> float:
            return float(unix_time_millis()) + self._ahead.total_seconds() * 1000

        with mock.patch(f"{module}.unix_time", seconds), mock.patch(f"{module}.unix_time_millis", milliseconds):
            yield


@frozen
class SqsBench:
    """A `SqsQueue` on queues of its own, its relay, and one clock for both the rows and the messages."""

    server: ClockedSqsServer
    database: Database
    clock: ManualClock
    options: QueueOptions
    client: Any
    messages: SqsMessages
    relay: JobRelay

    @classmethod
    @asynccontextmanager
    async def open(cls, server: ClockedSqsServer, database: Database, clock: ManualClock) -> AsyncIterator["SqsBench"]:
        options = attrs.evolve(EAGER, sqs=server.options())
        async with open_client("sqs", AWS, endpoint_url=server.url) as client:
            await SqsSetup(client, options).run()
            messages = messages_of(client, options)
            yield cls(server, database, clock, options, client, messages, JobRelay(database, messages, clock))

    def queue(self) -> SqsQueue:
        """The queue as another process has it, with an inbox of its own."""
        jobs, messages = PostgresQueue(self.database, self.clock), messages_of(self.client, self.options)
        return SqsQueue(self.database, jobs, messages, self.options, self.clock)

    async def add(self, *jobs: NewJob) -> None:
        """Add jobs in one transaction; no message is sent yet."""
        async with self.database.transaction() as connection:
            for job in jobs:
                await PostgresQueue(self.database, self.clock).enqueue(connection, job, now=self.clock())

    def pass_time(self, duration: timedelta) -> None:
        self.clock.advance(duration)
        self.server.advance(duration)

    async def receive_dead(self) -> list[str]:
        """The bodies of what lies in the dead-letter queue."""
        url = f"{self.options.sqs.queue_url}{DEAD}"
        channel = SqsChannel(self.client, url)
        return [message.body for message in await channel.receive(limit=10, hide=timedelta(0))]
