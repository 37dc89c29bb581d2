"""From the log of events to jobs.

Each consumer has a cursor in the database, moved in the transaction that adds the jobs. So every event becomes jobs
once, whichever worker relays it and whenever one dies; the jobs themselves are done at least once. The process that
records an event need not know its consumers: the workers do.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

from attrs import field, frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.events import records
from imagegallery.events.event import DomainEvent, Event, EventTypes
from imagegallery.queue.failure import describe, is_outage
from imagegallery.queue.job import NewJob
from imagegallery.queue.protocol import JobOutbox

logger = logging.getLogger(__name__)

PAGE: Final = 100
POLL: Final = timedelta(seconds=15)


class Consumer(Protocol):
    """Wants jobs for events. ``name`` identifies its cursor permanently."""

    @property
    def name(self) -> str: ...

    async def jobs_for(self, connection: Connection, events: Sequence[Event[DomainEvent]]) -> Sequence[NewJob]:
        """Return the jobs for these events, in order. ``connection`` is for lookups."""


@frozen
class Relay:
    """Relays for consumers. Any number of workers may do so; one at a time does it for each."""

    _database: Database
    _outbox: JobOutbox
    _types: EventTypes
    _consumers: Sequence[Consumer]
    _clock: Clock
    _seen: dict[str, int] = field(factory=dict, init=False)  # by consumer: through where nothing is left for it to do

    async def run(self) -> None:
        """Relay until cancelled. Raises `Unavailable`; then it may be called again."""
        await self.begin()
        async with self._database.listen(records.CHANNEL) as notifications:
            while True:
                await self.catch_up()
                await notifications.wait(POLL)

    async def begin(self) -> None:
        """Start new consumers here, so that they miss nothing from now on."""
        async with self._database.transaction() as connection:
            await records.number(connection)
            await records.add_cursors(connection, [each.name for each in self._consumers])

    async def catch_up(self) -> None:
        """Add the jobs for all events committed so far."""
        async with self._database.connection() as connection:
            log = await records.number(connection)
        for consumer in self._consumers:
            await self._relay_all(consumer, log)

    async def _relay_all(self, consumer: Consumer, log: records.Numbered) -> None:
        """Relay for one consumer. If it fails, the others continue, and it is retried the next time."""
        try:
            if not await self._wants_none(consumer, log):
                while await self._relay(consumer, log.last):
                    pass
        except Exception as error:
            if is_outage(error):
                raise
            logger.warning("events are not relayed to %s, they are tried again: %s", consumer.name, describe(error))

    async def _wants_none(self, consumer: Consumer, log: records.Numbered) -> bool:
        """Whether all that is left for a consumer to look at was numbered just now, and leads to no job.

        Not asked where a page of events is full: then the cursor moves on, too.
        """
        if self._seen.get(consumer.name) != log.before or log.before // PAGE != log.last // PAGE:
            return False
        if log.rows:
            async with self._database.connection() as connection:
                if await consumer.jobs_for(connection, log.events(self._types)):
                    return False
        self._seen[consumer.name] = log.last
        return True

    async def _relay(self, consumer: Consumer, last: int) -> bool:
        """Add the jobs for a page of events through ``last``. False if there are none left.

        If another worker has moved the cursor meanwhile, adds none, and looks again. If nobody wants anything, the
        cursor is only moved now and then: others look at the same events, with the same result.
        """
        seen = self._seen.get(consumer.name, 0)
        async with self._database.connection() as connection:
            cursor, page = await records.next_for(connection, self._types, consumer.name, last, PAGE, seen=seen)
            if max(cursor, seen) >= last:
                return False
            jobs = await consumer.jobs_for(connection, page.events)
        if jobs or page.through - cursor >= PAGE:
            async with self._database.transaction() as connection:
                if not await records.move_cursor(connection, consumer.name, cursor, page.through):
                    return True
                for job in jobs:
                    await self._outbox.enqueue(connection, job, now=self._clock())
        self._seen[consumer.name] = page.through
        return page.through < last
