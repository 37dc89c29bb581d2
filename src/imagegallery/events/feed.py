"""Live events in one process: one reader of the log for all subscribers.

Each subscription has a task that wants to be the reader. One is; the others wait until its subscription ends. So there
is a reader exactly while there are subscribers, and no task without an owner.
"""

import logging
from collections import deque
from datetime import timedelta
from typing import Final

import anyio

from imagegallery.database.pool import Database
from imagegallery.errors import Overloaded, SlowReader, Unavailable
from imagegallery.events import records
from imagegallery.events.event import DomainEvent, Event, EventOptions, EventTypes

logger = logging.getLogger(__name__)

PAGE: Final = 200
# In case a notification is lost.
POLL: Final = timedelta(seconds=15)
_OUTAGE_PAUSE: Final = 1.0  # seconds
RETRY_AFTER: Final = 30  # seconds


class Subscription:
    """An async iterator over the events for one user, in order, until the gallery is closed. For one task.

    It first yields earlier events, read from the log page by page at the subscriber's pace, then live ones. A
    subscriber may be ``buffer`` events behind. Beyond, it gets those it has, then `SlowReader` is raised.
    """

    def __init__(
        self, database: Database, types: EventTypes, user_id: str, *, after: int, live_from: int, buffer: int
    ) -> None:
        self.user_id = user_id
        self._database = database
        self._types = types
        self._through = after  # everything up to here was read from the log
        self._target = max(after, live_from)  # the log must be read up to here
        self._given = after
        self._waiting: deque[Event[DomainEvent]] = deque()
        self._buffer = buffer
        self._dropped = False
        self._closed = False
        self._news = anyio.Event()

    @property
    def last_id(self) -> str:
        """The id to resume from: of the last event returned, or of the last earlier one of this user."""
        return str(self._given)

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Event[DomainEvent]:
        """Return the next event. Cancelling this loses none. Raises `SlowReader`, or `Unavailable` while reading the
        log."""
        while not self._closed:
            if self._waiting:
                event = self._waiting.popleft()
                self._given = event.position
                return event
            if self._is_behind:
                await self._read_log()
            elif self._dropped:
                raise SlowReader("Too many events were not fetched in time; resume after the last one.")
            else:
                self._news = anyio.Event()
                await self._news.wait()
        raise StopAsyncIteration

    @property
    def _is_behind(self) -> bool:
        """Whether it still reads the log: new events are then read there, too."""
        return self._through < self._target

    async def _read_log(self) -> None:
        async with self._database.connection() as connection:
            page = await records.between_for(connection, self._types, self.user_id, self._through, self._target, PAGE)
        self._waiting.extend(page.events)
        self._through = page.through

    def offer(self, events: tuple[Event[DomainEvent], ...], through: int) -> None:
        """Add these events for the user. The log is complete through this position."""
        if self._dropped or through <= self._target:
            return
        news = [event for event in events if event.position > self._target]
        if self._is_behind:
            self._target = through
            return
        taken = news[: self._buffer - len(self._waiting)]
        self._waiting.extend(taken)
        self._dropped = len(taken) < len(news)
        if not self._dropped:
            self._through = self._target = through
        elif taken:
            self._through = self._target = taken[-1].position
        if news:
            self._news.set()

    def close(self) -> None:
        """End it, in any state."""
        self._closed = True
        self._news.set()


class Feed:
    """Passes the log's events to this process's subscriptions when they are committed."""

    def __init__(self, database: Database, types: EventTypes, options: EventOptions) -> None:
        self._database = database
        self._types = types
        self._options = options
        self._subscriptions: set[Subscription] = set()
        self._position = 0
        self._turn = anyio.Lock()
        self._closed = False

    def add(self, user_id: str, *, after: int, last: int) -> Subscription:
        """Subscribe a user to events after a position. ``last`` is the newest event's position.

        Raises `Overloaded` if there are too many subscriptions, in total or of this user.
        """
        self._check_room(user_id)
        if not self._subscriptions:
            self._position = last
        subscription = Subscription(
            self._database,
            self._types,
            user_id,
            after=after,
            live_from=max(self._position, last),
            buffer=self._options.buffer,
        )
        self._subscriptions.add(subscription)
        if self._closed:
            subscription.close()
        return subscription

    def _check_room(self, user_id: str) -> None:
        """Raise `Overloaded` if this user may not add a subscription."""
        if len(self._subscriptions) >= self._options.max_subscribers:
            raise Overloaded("Too many follow what happens; try again later.", retry_after=RETRY_AFTER)
        if sum(each.user_id == user_id for each in self._subscriptions) >= self._options.max_subscribers_per_owner:
            raise Overloaded("You follow what happens in too many places; end one first.", retry_after=RETRY_AFTER)

    def remove(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End all subscriptions, and refuse new ones."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()

    async def read(self) -> None:
        """Be the reader when nobody else is, until cancelled."""
        async with self._turn:
            while True:
                try:
                    await self._follow()
                except Unavailable as error:
                    logger.warning("events cannot be read, next try in %.0f s: %s", _OUTAGE_PAUSE, error)
                except Exception:
                    # All subscribers of this process depend on it.
                    logger.exception("events cannot be read, next try in %.0f s", _OUTAGE_PAUSE)
                await anyio.sleep(_OUTAGE_PAUSE)

    async def _follow(self) -> None:
        async with self._database.listen(records.CHANNEL) as notifications:
            while True:
                await self._read_on()
                await notifications.wait(POLL)

    async def _read_on(self) -> None:
        async with self._database.connection() as connection:
            last = (await records.number(connection)).last
        while self._position < last:
            async with self._database.connection() as connection:
                page = await records.between(connection, self._types, self._position, last, PAGE)
            self._position = page.through
            self._hand_out(page)

    def _hand_out(self, page: records.Page) -> None:
        by_hearer: dict[str, list[Event[DomainEvent]]] = {}
        for event in page.events:
            for hearer in event.data.hearers:
                by_hearer.setdefault(hearer, []).append(event)
        for subscription in self._subscriptions:
            subscription.offer(tuple(by_hearer.get(subscription.user_id, ())), page.through)
