"""A `Mailbox` that is an SQS queue, like the one that a bucket sends its events to.

Permissions on it: ``sqs:ReceiveMessage`` and ``sqs:DeleteMessage``. What cannot be handled is left to the queue's
redrive policy: without one, it comes again and again until it is too old.
"""

from collections.abc import Sequence
from datetime import timedelta

from imagegallery.queue.protocol import Letter, Mailbox
from imagegallery.queue.sqs.channel import BATCH, SqsChannel

# Longer than handling a batch takes: what comes twice is handled twice.
HANDLING_TIME = timedelta(minutes=2)


class SqsMailbox(Mailbox):
    def __init__(self, channel: SqsChannel, *, poll: timedelta) -> None:
        """``poll`` is how long `receive` waits, 20 seconds at the most."""
        self._channel = channel
        self._poll = poll

    async def receive(self) -> Sequence[Letter]:
        return await self._channel.receive(limit=BATCH, hide=HANDLING_TIME, wait=self._poll)

    async def put_away(self, letter: Letter) -> None:
        await self._channel.delete([letter.receipt])
