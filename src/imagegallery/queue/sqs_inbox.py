"""Messages that have come to this process and that no claim has been made for yet."""

import anyio

from imagegallery.queue.dispatch import Urgency
from imagegallery.queue.sqs_channel import Message


class Inbox:
    """Gives them out most urgent first, and drops those that have become visible to others again."""

    def __init__(self) -> None:
        self._messages: dict[Urgency, list[Message]] = {urgency: [] for urgency in Urgency}
        self._came = anyio.Event()

    def put(self, urgency: Urgency, *messages: Message) -> None:
        self._messages[urgency].extend(messages)
        if messages:
            self._came.set()
            self._came = anyio.Event()

    def take(self, urgency: Urgency, limit: int) -> list[Message]:
        """Up to ``limit`` of them, the first to come first."""
        now = anyio.current_time()
        fresh = [message for message in self._messages[urgency] if message.hidden_until > now]
        self._messages[urgency] = fresh[limit:]
        return fresh[:limit]

    def take_all(self) -> list[Message]:
        return [message for urgency in Urgency for message in self.take(urgency, len(self._messages[urgency]))]

    def __len__(self) -> int:
        return sum(map(len, self._messages.values()))

    async def wait(self) -> None:
        """Until the next message comes."""
        await self._came.wait()
