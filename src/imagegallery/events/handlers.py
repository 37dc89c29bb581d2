"""Functions of the application that workers call when something happened, by a job each time."""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.events import records
from imagegallery.events.event import DomainEvent, Event, EventTypes, parse_event_id
from imagegallery.queue.job import ClaimedJob, NewJob

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=DomainEvent)
Handler: TypeAlias = Callable[[Event[E]], Awaitable[None]]
_NAME: Final = re.compile(r"[\w.<>-]{1,200}")


def handler_name(handler: Handler[E], chosen: str | None) -> str:
    """What it is known by in the database. Raises `ValueError` for a name that is unusable."""
    name = chosen or f"{handler.__module__}.{handler.__qualname__}"
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a handler: letters, digits, '.', '_' and '-', at most 200.")
    return name


@frozen
class EventHandler:
    """A `Consumer`: one job for each event of the ``kind``; and its `JobHandler`, which calls the function. What that
    raises is retried."""

    database: Database
    types: EventTypes
    kind: type[DomainEvent]
    known_as: str
    call: Callable[[Event[DomainEvent]], Awaitable[None]]

    @property
    def name(self) -> str:
        """The kind of its jobs, too: a worker that does not have the handler does not claim them."""
        return f"event:{self.known_as}"

    async def jobs_for(self, _connection: Connection, events: Sequence[Event[DomainEvent]]) -> Sequence[NewJob]:
        wanted = [event for event in events if event.type == self.kind.type]
        return [NewJob(self.name, {"event_id": event.id}, owner_id=event.data.addressee) for event in wanted]

    async def run(self, job: ClaimedJob) -> None:
        """Raises `NotFound` for an event that is no longer kept: a dead letter may have been requeued too late."""
        position = parse_event_id(str(job.payload["event_id"]))
        async with self.database.connection() as connection:
            event = await records.get(connection, self.types, position)
        if event is None:
            raise NotFound("This event is no longer kept.")
        await self.call(event)

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """It becomes a dead letter, which can be requeued."""
        logger.error("handler %s: giving up on event %s: %s", self.known_as, job.payload["event_id"], error)
