"""From settings to SQS clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from aiobotocore.config import AioConfig

from imagegallery.aws.clients import open_client
from imagegallery.aws.options import AwsOptions
from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, Unavailable
from imagegallery.queue.dispatch.relay import JobRelay
from imagegallery.queue.job import QueueOptions
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import Mailbox
from imagegallery.queue.sqs.channel import SqsChannel, has_wrong_keys
from imagegallery.queue.sqs.mailbox import SqsMailbox
from imagegallery.queue.sqs.messages import messages_of
from imagegallery.queue.sqs.names import QueueStep, queue_name, queue_urls
from imagegallery.queue.sqs.queue import SqsQueue
from imagegallery.queue.sqs.setup import SqsSetup
from imagegallery.queue.sqs.watch import LONGEST_POLL

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

# An answer to a long poll takes as long as the poll.
ANSWER_TIME = timedelta(seconds=10)


class Sqs:
    """A client of SQS and what is built on it. Made by `open`, without any request."""

    def __init__(self, client: "SQSClient", options: QueueOptions) -> None:
        self._client = client
        self._options = options

    @classmethod
    @asynccontextmanager
    async def open(cls, options: QueueOptions, aws: AwsOptions) -> AsyncIterator["Sqs"]:
        """Open it. Raises `ConfigurationError`."""
        patience = max(aws.read_timeout, LONGEST_POLL + ANSWER_TIME)
        config = AioConfig(read_timeout=patience.total_seconds())
        async with open_client("sqs", aws, endpoint_url=options.sqs.endpoint_url, config=config) as client:
            yield cls(client, options)

    def queue(self, database: Database, jobs: PostgresQueue, clock: Clock) -> tuple[SqsQueue, JobRelay]:
        """Make the queue over ``jobs``, and its relay."""
        messages = messages_of(self._client, self._options)
        return SqsQueue(database, jobs, messages, self._options, clock), JobRelay(database, messages, clock)

    def arrivals(self) -> Mailbox | None:
        """What the bucket sends, if a queue for that is named. Raises `ConfigurationError` for another URL."""
        url = self._options.sqs.events_url
        if url is None:
            return None
        queue_name(url)
        return SqsMailbox(SqsChannel(self._client, url), poll=LONGEST_POLL)

    async def check(self) -> None:
        """Raise `ConfigurationError` if a configured queue does not exist or is not accessible, or `Unavailable`."""
        named = self._options.sqs
        urls = [] if named.queue_url is None else list(queue_urls(named.queue_url).values())
        for url in [*urls, *([] if named.events_url is None else [named.events_url])]:
            await SqsChannel(self._client, url).check()

    async def check_keys(self) -> None:
        """Raise `ConfigurationError` if SQS does not know our keys.

        Does not check permissions or queues: that takes a permission that the running service does not need.
        """
        try:
            await self.check()
        except Unavailable:
            pass
        except ConfigurationError as error:
            if has_wrong_keys(error):
                raise

    async def set_up(self, *, dry_run: bool) -> list[QueueStep]:
        """Make the queues, see `SqsSetup`. Raises `ConfigurationError` if none is configured, and `Unavailable`."""
        if self._options.sqs.queue_url is None and self._options.sqs.events_url is None:
            raise ConfigurationError("No queue is named: set queue.sqs.queue_url, or queue.sqs.events_url.")
        return await SqsSetup(self._client, self._options, dry_run).run()
