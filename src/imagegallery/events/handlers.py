"""Calling the application's handlers: a consumer that makes jobs of events, and the jobs."""

import logging
from collections.abc import Sequence
from typing import Final

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.events import records
from imagegallery.events.event import DomainEvent, Event, EventTypes, parse_event_id
from imagegallery.events.registry import Registered
from imagegallery.queue.job import ClaimedJob, NewJob

logger = logging.getLogger(__name__)

_PREFIX: Final = "event:"


def job_kind(handler_name: str) -> str:
    """One kind a handler: a worker that does not have the handler does not claim its jobs."""
    return _PREFIX + handler_name


class HandlerConsumer:
    """A `Consumer`: one job for each event that the handler wants to hear of."""

    def __init__(self, registered: Registered) -> None:
        self._registered = registered

    @property
    def name(self) -> str:
        return job_kind(self._registered.name)

    async def jobs_for(self, _connection: Connection, events: Sequence[Event[DomainEvent]]) -> Sequence[NewJob]:
        wanted = [event for event in events if event.type in self._registered.types]
        return [NewJob(self.name, {"event_id": event.id}, owner_id=event.data.addressee) for event in wanted]


class HandleEvent:
    """A `JobHandler` that calls one of the application's handlers; what that raises is retried."""

    def __init__(self, database: Database, types: EventTypes, registered: Registered) -> None:
        self._database = database
        self._types = types
        self._registered = registered

    async def run(self, job: ClaimedJob) -> None:
        """Raises `NotFound` for an event that is no longer kept: a dead letter may have been requeued too late."""
        position = parse_event_id(str(job.payload["event_id"]))
        async with self._database.connection() as connection:
            event = await records.get(connection, self._types, position)
        if event is None:
            raise NotFound("This event is no longer kept.")
        await self._registered.call(event)

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """It becomes a dead letter, which can be requeued."""
        logger.error("handler %s: giving up on event %s: %s", self._registered.name, job.payload["event_id"], error)
