"""Events, for subscribers and for the application's handlers in its workers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.common.task_groups import surrounding_tasks
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import EventsGone
from imagegallery.events import records
from imagegallery.events.event import DomainEvent, EventOptions, EventTypes, parse_event_id
from imagegallery.events.feed import Feed, Subscription
from imagegallery.events.handlers import Handler, Handlers, Registration, check_type
from imagegallery.events.records import OwnLog
from imagegallery.principal import Principal

E = TypeVar("E", bound=DomainEvent)
_PRUNED_AT_ONCE: Final = 1000


class EventService:
    """Users get the events for them, and no others. Handlers get all."""

    def __init__(
        self,
        database: Database,
        types: EventTypes,
        options: EventOptions,
        clock: Clock,
        handlers: Handlers | None = None,
        authority: Authority | None = None,
    ) -> None:
        self._authority = authority or Authority()
        self._types = types
        self._database = database
        self._options = options
        self._clock = clock
        self._feed = Feed(database, types, options)
        self._handlers = Handlers().of_gallery(types) if handlers is None else handlers

    @asynccontextmanager
    async def subscribe(self, principal: Principal, *, after: str | None = None) -> AsyncIterator[Subscription]:
        """Subscribe to the principal's events after the one of that id, or from now on; see `Subscription`.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid event id.
            EventsGone: If events after it may be deleted (they are kept for ``options.retention``), or it is from
                another database.
            Overloaded: If there are too many subscribers.
        """
        owner_id = principal.require_user()
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("events", owner_id))
        position = None if after is None else parse_event_id(after)
        async with self._database.connection() as connection:
            last = (await records.number(connection)).last
            own = await records.own_log(connection, owner_id, last)
        given = own.newest if position is None else _checked(position, own)
        subscription = self._feed.add(owner_id, after=given, last=last)
        try:
            async with surrounding_tasks() as tasks:
                tasks.start_soon(self._feed.read)
                try:
                    yield subscription
                finally:
                    tasks.cancel_scope.cancel()
        finally:
            self._feed.remove(subscription)

    def on(self, kind: type[E], *, name: str | None = None) -> Registration[E]:
        """The same as `ImageGallery.on`."""
        return Registration(self._handlers, kind, name)

    def register(self, kind: type[E], handler: Handler[E], *, name: str | None = None) -> None:
        """The same as `on`, for what cannot be decorated."""
        self._handlers.add(kind, handler, name)

    async def record(self, connection: Connection, *events: DomainEvent) -> None:
        """Record events in the caller's transaction: they happen when it commits.

        Raises:
            ValueError: For an event that no feature of this gallery has.
        """
        for each in events:
            check_type(self._types, type(each))
        await records.record(connection, *events, now=self._clock())

    def close(self) -> None:
        """End all subscriptions of this process. Subscribers get the rest when they resume.

        Closing the gallery does so, too. A server must do it before it waits for its connections to end.
        """
        self._feed.close()

    async def prune(self) -> int:
        """Delete events past their retention. Returns their number."""
        before, pruned = self._clock() - self._options.retention, 0
        async with self._database.connection() as connection:
            await records.number(connection)
        while True:
            async with self._database.connection() as connection:
                count = await records.prune(connection, before, _PRUNED_AT_ONCE)
            pruned += count
            if count < _PRUNED_AT_ONCE:
                return pruned


def _checked(position: int, own: OwnLog) -> int:
    if position < own.pruned_through:
        raise EventsGone("Events that followed that one are no longer kept.")
    if position > own.newest:  # of others' it could be: how many there are is theirs to know
        raise EventsGone("There is no such event in this database.")
    return position
