"""A `Mailbox` in an SQS queue, such as one that a bucket sends its events to.

Needs ``sqs:ReceiveMessage`` and ``sqs:DeleteMessage`` on it. Messages that cannot be handled are left to the queue's
redrive policy: without one, they reappear until they are too old.
"""

from collections.abc import Sequence
from datetime import timedelta

from imagegallery.queue.protocol import Mailbox, MailboxMessage
from imagegallery.queue.sqs.channel import BATCH, SqsChannel

# Longer than handling a batch takes: a message that reappears is handled twice.
HANDLING_TIME = timedelta(minutes=2)


class SqsMailbox(Mailbox):
    def __init__(self, channel: SqsChannel, *, poll: timedelta) -> None:
        """``poll`` is how long `receive` waits, at most 20 seconds."""
        self._channel = channel
        self._poll = poll

    async def receive(self) -> Sequence[MailboxMessage]:
        return await self._channel.receive(limit=BATCH, hide=HANDLING_TIME, wait=self._poll)

    async def acknowledge(self, letter: MailboxMessage) -> None:
        await self._channel.delete([letter.receipt])
