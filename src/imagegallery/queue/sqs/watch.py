"""Wait for messages of every urgency at once, by long polling."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import anyio
from anyio.abc import TaskGroup

from imagegallery.common.task_groups import surrounding_tasks
from imagegallery.queue.dispatch.rules import Urgency
from imagegallery.queue.job import SHORTEST_WAIT
from imagegallery.queue.protocol import Watch
from imagegallery.queue.sqs.channel import Message
from imagegallery.queue.sqs.messages import SqsMessages

LONGEST_POLL: Final = timedelta(seconds=20)  # WaitTimeSeconds


class SqsWatch(Watch):
    """A started poll always runs to its end: SQS may have hidden a message for it that nobody would get. A message that
    comes
    when nobody waits any more is handed back.
    """

    def __init__(self, messages: SqsMessages, tasks: TaskGroup, *, hide: timedelta, poll: timedelta) -> None:
        self._messages = messages
        self._tasks = tasks
        self._hide = hide
        self._poll_time = min(poll, LONGEST_POLL)
        self._polled: set[Urgency] = set()
        self._waiting = False

    @classmethod
    @asynccontextmanager
    async def running(cls, messages: SqsMessages, *, hide: timedelta, poll: timedelta) -> AsyncIterator["SqsWatch"]:
        async with surrounding_tasks() as tasks:
            try:
                yield cls(messages, tasks, hide=hide, poll=poll)
            finally:
                tasks.cancel_scope.cancel()
                await messages.hand_back_rest()

    async def wait(self, kinds: Sequence[str], *, timeout: timedelta) -> None:
        if self._messages.inbox:
            # For jobs that were locked for a moment.
            await anyio.sleep(min(timeout, SHORTEST_WAIT).total_seconds())
            return
        for urgency in self._messages.channels.keys() - self._polled:
            self._polled.add(urgency)
            self._tasks.start_soon(self._poll, urgency)
        self._waiting = True
        try:
            with anyio.move_on_after(timeout.total_seconds()):
                await self._messages.inbox.wait()
        finally:
            self._waiting = False

    async def _poll(self, urgency: Urgency) -> None:
        """Poll while anybody waits."""
        channel = self._messages.channels[urgency]
        received: Sequence[Message] = ()
        try:
            while not received:
                received = await channel.receive(limit=1, hide=self._hide, wait=self._poll_time)
                if not self._waiting:
                    break
        finally:
            self._polled.discard(urgency)
        if self._waiting:
            self._messages.inbox.put(urgency, *received)
        else:
            await self._messages.hand_back(received)
