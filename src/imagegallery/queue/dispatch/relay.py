"""From rows to messages, sent after the transaction that added the job.

Jobs are reserved, sent, and marked as sent after the message queue has accepted them; no row is locked meanwhile. If a
relay dies in between, another one sends the job again: at least once. Any number of relays may run.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.pool import Database
from imagegallery.queue import records
from imagegallery.queue.dispatch import records as dispatch_records
from imagegallery.queue.dispatch.rules import LONGEST_DELAY, Dispatch
from imagegallery.queue.job import waiting_time

logger = logging.getLogger(__name__)

PAGE: Final = 100
# How often to look for lost messages. New jobs are notified at once.
POLL: Final = timedelta(seconds=15)

RESERVED = fault_point("relay.reserved", "jobs are reserved, no message of theirs was sent")
SENT = fault_point("relay.sent", "the message queue has taken the messages, the jobs are not marked as sent")


class SendsJobs(Protocol):
    async def send(self, dispatches: Sequence[Dispatch], *, now: datetime) -> Sequence[Dispatch]:
        """Send a message for each, visible after its delay, and return the accepted ones. Raises `Unavailable` or
        `ConfigurationError`.
        """


class JobRelay:
    """Sends the messages that the table ``jobs`` asks for."""

    def __init__(self, database: Database, messages: SendsJobs, clock: Clock) -> None:
        self._database = database
        self._messages = messages
        self._clock = clock

    async def run(self) -> None:
        """Relay until cancelled. Raises `Unavailable` or `ConfigurationError`; then it may be called again."""
        async with self._database.listen(records.CHANNEL) as notifications:
            while True:
                await self.catch_up()
                await notifications.wait(await self._pause())

    async def catch_up(self) -> int:
        """Send all that is due now. Returns the number of accepted messages."""
        count = 0
        while page := await self._send_page():
            count += page
        return count

    async def _send_page(self) -> int:
        now = self._clock()
        async with self._database.connection() as connection:
            reserved, reserved_until = await dispatch_records.reserve(connection, now=now, limit=PAGE)
        if not reserved:
            return 0
        RESERVED.reached()
        sent = await self._messages.send(reserved, now=now)
        SENT.reached()
        async with self._database.connection() as connection:
            await dispatch_records.confirm(connection, sent, reserved_until=reserved_until, now=now)
        logger.debug("sent %d of %d messages", len(sent), len(reserved))
        return len(sent)

    async def _pause(self) -> timedelta:
        async with self._database.connection() as connection:
            next_fresh = await dispatch_records.next_fresh(connection)
        return waiting_time(next_fresh and next_fresh - LONGEST_DELAY, self._clock(), POLL)
