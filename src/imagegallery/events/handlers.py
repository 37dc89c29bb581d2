"""Functions of the application that workers call when something happened, by a job each time."""

import inspect
import logging
import re
from collections import ChainMap
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final, Generic, TypeAlias, TypeVar, overload

import anyio
from attrs import field, frozen

from imagegallery.common.threads import Threads, is_async
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import ImageGalleryError, NotFound
from imagegallery.events import records
from imagegallery.events.event import DomainEvent, Event, EventOptions, EventTypes, parse_event_id
from imagegallery.queue.job import ClaimedJob, NewJob

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=DomainEvent)
AsyncHandler: TypeAlias = Callable[[Event[E]], Coroutine[Any, Any, None]]
PlainHandler: TypeAlias = Callable[[Event[E]], None]
Handler: TypeAlias = Callable[[Event[E]], Awaitable[None]] | PlainHandler[E]
Call: TypeAlias = Callable[[Event[DomainEvent], Threads], Awaitable[None]]
_NAME: Final = re.compile(r"[\w.<>-]{1,200}")


def handler_name(handler: Handler[E], chosen: str | None) -> str:
    """What it is known by in the database. Raises `ValueError` for a name that is unusable."""
    name = chosen or f"{handler.__module__}.{getattr(handler, '__qualname__', type(handler).__qualname__)}"
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a handler: letters, digits, '.', '_' and '-', at most 200.")
    return name


def _check_signature(handler: object) -> None:
    if not callable(handler) or inspect.isasyncgenfunction(handler) or inspect.isgeneratorfunction(handler):
        raise TypeError(f"{handler!r} is no handler: it must be a function.")
    try:
        inspect.signature(handler).bind(None)
    except TypeError as error:
        raise TypeError(f"{handler!r} must take the event, and nothing else: {error}.") from error


@frozen
class Registered:
    """A function of the application, and the kind of events that it is for."""

    kind: type[DomainEvent]
    call: Call


@frozen(eq=False)
class Handlers:
    """The application's handlers, by the names that they are known by.

    An open gallery has those of its definition, and in ``by_name`` its own in front of them. ``types`` are the events
    that it has; a definition does not know them yet.
    """

    by_name: ChainMap[str, Registered] = field(factory=ChainMap)
    types: EventTypes | None = None

    def of_gallery(self, types: EventTypes) -> "Handlers":
        """Those of a gallery with these events, which may have more. Raises `ValueError` as `check`."""
        handlers = Handlers(self.by_name.new_child(), types)
        handlers.check()
        return handlers

    def add(self, kind: type[E], handler: Handler[E], name: str | None) -> None:
        """Raises `ValueError` for a name that is unusable or taken, and for a kind of event that no feature has; and
        `TypeError` for what cannot be called with one event.
        """
        _check_signature(handler)
        known_as = handler_name(handler, name)
        if known_as in self.by_name:
            raise ValueError(f"There is a handler of the name {known_as!r} already.")
        self._check(kind)
        self.by_name[known_as] = Registered(kind, _call(kind, handler))

    def check(self) -> None:
        """Raises `ValueError` if one is for events that no feature of the gallery has."""
        for each in self.by_name.values():
            self._check(each.kind)

    def _check(self, kind: type[DomainEvent]) -> None:
        if self.types is not None:
            check_type(self.types, kind)


def check_type(types: EventTypes, kind: type[DomainEvent]) -> None:
    """Raises `ValueError` for a kind of event that is none of these."""
    if types.get(kind.type) is not kind:
        raise ValueError(f"No feature of this gallery brings {kind.__name__}.")


@frozen
class Registration(Generic[E]):
    """A decorator of a handler, which may be ``async``; a plain function is called in a thread."""

    handlers: Handlers
    kind: type[E] = field()
    name: str | None

    @kind.validator
    def _check_kind(self, _: object, kind: object) -> None:
        """``@pics.on`` without an event would register nothing, and say nothing."""
        if not (isinstance(kind, type) and issubclass(kind, DomainEvent)):
            raise TypeError("Which events? Name their class, as in @pics.on(ImageReady).")

    @overload
    def __call__(self, handler: AsyncHandler[E]) -> AsyncHandler[E]: ...

    @overload
    def __call__(self, handler: PlainHandler[E]) -> PlainHandler[E]: ...

    def __call__(self, handler: AsyncHandler[E] | PlainHandler[E]) -> AsyncHandler[E] | PlainHandler[E]:
        self.handlers.add(self.kind, handler, self.name)
        return handler


def _call(kind: type[E], handler: Handler[E]) -> Call:
    async def call(event: Event[DomainEvent], threads: Threads) -> None:
        if not isinstance(event.data, kind):
            return
        bound = partial(handler, Event(event.id, event.occurred_at, event.data))
        result = bound() if is_async(handler) else await threads.run(bound)
        if inspect.isawaitable(result):
            await result

    return call


@frozen
class EventHandler:
    """A `Consumer`: one job for each event of the ``kind``; and its `JobHandler`, which calls the function.

    It calls again after that raised something, or did not return within ``time_limit``.
    """

    database: Database
    types: EventTypes
    kind: type[DomainEvent]
    known_as: str
    call: Call
    time_limit: timedelta
    threads: Threads

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
        with anyio.move_on_after(self.time_limit.total_seconds()) as scope:
            await self.call(event, self.threads)
        if scope.cancelled_caught:
            raise ImageGalleryError(f"It did not return within {self.time_limit}.")

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """It becomes a dead letter, which can be requeued."""
        logger.error("handler %s: giving up on event %s: %s", self.known_as, job.payload["event_id"], error)


@frozen
class HandlerJobs:
    """What workers do for the handlers that are known by then."""

    database: Database
    types: EventTypes
    options: EventOptions
    handlers: Handlers

    def consumers(self) -> Sequence[EventHandler]:
        """What a worker relays to them. Raises `ValueError` for one of an event that no feature has."""
        self.handlers.check()  # a definition may have got more since
        limit, at_once = self.options.handler_timeout, self.options.handler_calls
        return [
            EventHandler(self.database, self.types, each.kind, name, each.call, limit, Threads(at_once))
            for name, each in self.handlers.by_name.items()
        ]

    def by_kind(self) -> Mapping[str, EventHandler]:
        """Who does their jobs."""
        return {each.name: each for each in self.consumers()}

    def slots(self) -> Mapping[str, int]:
        """How many calls of each handler a worker makes at once: one that hangs is in nobody else's way."""
        return dict.fromkeys(self.by_kind(), self.options.handler_calls)
