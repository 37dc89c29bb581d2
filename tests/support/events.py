"""Events to test their readers with: recorded as the packages that cause them do it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import anyio
from attrs import define

from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.events import records
from imagegallery.events.event import DomainEvent, Event
from imagegallery.gallery import EVENT_TYPES
from imagegallery.ids import new_id
from imagegallery.images.events import ImageReady, UrlsClosed

PATIENCE = timedelta(seconds=30)


@define
class EventLog:
    """Writes to the log of events."""

    database: Database
    clock: Clock

    async def record(self, *events: DomainEvent) -> None:
        """In a transaction of their own."""
        async with self.database.transaction() as connection:
            await records.record(connection, *events, now=self.clock())

    async def ready(self, times: int = 1, *, owner_id: str = "ana") -> list[UUID]:
        """So many images of the owner's became ready, one transaction each; their ids."""
        ids = [new_id() for _ in range(times)]
        for image_id in ids:
            await self.record(ImageReady(owner_id, image_id))
        return ids


async def take(events: AsyncIterator[Event[DomainEvent]], count: int) -> list[Event[DomainEvent]]:
    """The next ``count`` events. Raises `TimeoutError` when they do not come."""
    with anyio.fail_after(PATIENCE.total_seconds()):
        return [await anext(events) for _ in range(count)]


def image_ids(events: list[Event[DomainEvent]]) -> list[UUID]:
    """The images that these events are about, all `ImageReady`."""
    return [event.data.image_id for event in events if isinstance(event.data, ImageReady)]


async def closed_urls(database: Database) -> list[tuple[str, ...]]:
    """The URLs of each `UrlsClosed` in the log, in order."""
    async with database.transaction() as connection:
        last = (await records.number(connection)).last
        page = await records.between(connection, EVENT_TYPES, 0, last, 1000)
    return [event.data.urls for event in page.events if isinstance(event.data, UrlsClosed)]
