"""The messages of a process: received by urgency, and deleted in batches from their queues."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import anyio

from imagegallery.errors import ImageGalleryError
from imagegallery.queue.dispatch.rules import Dispatch, Urgency, encode
from imagegallery.queue.failure import describe
from imagegallery.queue.job import QueueOptions
from imagegallery.queue.sqs.channel import BATCH, Message, OutgoingMessage, SqsChannel
from imagegallery.queue.sqs.names import queue_urls

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

logger = logging.getLogger(__name__)

NOW = timedelta(0)
PUT_AWAY_TIME = timedelta(seconds=2)


class Inbox:
    """Returns messages most urgent first, and drops those that have become visible to others again."""

    def __init__(self) -> None:
        self._messages: dict[Urgency, list[Message]] = {urgency: [] for urgency in Urgency}
        self._came = anyio.Event()

    def put(self, urgency: Urgency, *messages: Message) -> None:
        self._messages[urgency].extend(messages)
        if messages:
            self._came.set()
            self._came = anyio.Event()

    def take(self, urgency: Urgency, limit: int) -> list[Message]:
        """Up to ``limit`` messages, oldest first."""
        now = anyio.current_time()
        fresh = [message for message in self._messages[urgency] if message.hidden_until > now]
        self._messages[urgency] = fresh[limit:]
        return fresh[:limit]

    def take_all(self) -> list[Message]:
        return [message for urgency in Urgency for message in self.take(urgency, len(self._messages[urgency]))]

    def __len__(self) -> int:
        return sum(map(len, self._messages.values()))

    async def wait(self) -> None:
        """Wait for the next message."""
        await self._came.wait()


class SqsMessages:
    """The queues of the three urgencies. Sending and receiving raise; deleting logs errors, since the message then only
    reappears.
    """

    def __init__(self, channels: Mapping[Urgency, SqsChannel]) -> None:
        self.channels = channels
        self.inbox = Inbox()

    async def send(self, dispatches: Sequence[Dispatch], *, now: datetime) -> Sequence[Dispatch]:
        """See `relay.SendsJobs`."""
        sent: list[Dispatch] = []
        for urgency, channel in self.channels.items():
            chosen = [each for each in dispatches if Urgency.of(each.priority) is urgency]
            for start in range(0, len(chosen), BATCH):
                batch = chosen[start : start + BATCH]
                taken = await channel.send([OutgoingMessage(encode(each), each.delay(now)) for each in batch])
                sent += [batch[index] for index in taken]
        return sent

    async def receive(self, limit: int, hide: timedelta) -> list[Message]:
        """Return up to ``limit`` available messages, most urgent first. None is lost: if a queue fails, messages from
        others go to
        the inbox before this raises.
        """
        received: list[Message] = []
        try:
            for urgency, channel in self.channels.items():
                received += self.inbox.take(urgency, limit - len(received))
                while (free := limit - len(received)) and (more := await channel.receive(limit=free, hide=hide)):
                    received += more
        except BaseException:
            self.keep(received)
            raise
        return received

    def keep(self, messages: Sequence[Message]) -> None:
        """Keep messages for this process's next claim."""
        for urgency, channel in self.channels.items():
            self.inbox.put(urgency, *(message for message in messages if message.channel is channel))

    async def discard(self, messages: Sequence[Message]) -> None:
        """Delete messages that were used."""
        await _delete_or_log(messages, SqsChannel.delete, "messages could not be deleted, they will come again")

    async def hide(self, messages: Sequence[Message], duration: timedelta) -> None:
        """Hide messages from everybody for ``duration``."""
        hide = partial(SqsChannel.hide, duration=duration)
        await _delete_or_log(messages, hide, "messages could not be hidden, they may come twice")

    async def hand_back(self, messages: Sequence[Message]) -> None:
        """Show messages to others at once."""
        if messages:
            with anyio.CancelScope(shield=True):
                await self.hide(messages, NOW)

    async def hand_back_rest(self) -> None:
        """Show what is in the inbox to others."""
        await self.hand_back(self.inbox.take_all())


def messages_of(client: "SQSClient", options: QueueOptions) -> SqsMessages:
    """The queues that the options name, over an aiobotocore client. Raises `ConfigurationError` for other names."""
    assert options.sqs.queue_url is not None, "chosen by this setting"
    urls = queue_urls(options.sqs.queue_url)
    return SqsMessages({urgency: SqsChannel(client, url) for urgency, url in urls.items()})


async def _delete_or_log(
    messages: Sequence[Message], how: Callable[[SqsChannel, Sequence[str]], Awaitable[None]], failure: str
) -> None:
    """Never raises and never takes long: jobs, and renewals of leases, must not wait for it."""
    with anyio.move_on_after(PUT_AWAY_TIME.total_seconds()) as scope:
        for channel, receipts in _by_channel(messages).items():
            try:
                await how(channel, receipts)
            except ImageGalleryError as error:
                logger.warning("%s: %s", failure, describe(error))
    if scope.cancelled_caught:
        logger.warning("%s: SQS takes too long", failure)


def _by_channel(messages: Sequence[Message]) -> dict[SqsChannel, list[str]]:
    receipts: dict[SqsChannel, list[str]] = {}
    for message in messages:
        receipts.setdefault(message.channel, []).append(message.receipt)
    return receipts
