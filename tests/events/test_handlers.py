"""The application's handlers: called by workers, at least once, whoever recorded the event."""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import anyio
import pytest
from tests.support.clock import ManualClock
from tests.support.events import PATIENCE, EventLog
from tests.support.worker import EAGER, Outcomes

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.events.event import DomainEvent, Event, EventOptions
from imagegallery.events.handlers import HandlerJobs
from imagegallery.events.relay import Relay
from imagegallery.events.service import EventService
from imagegallery.gallery import EVENT_TYPES
from imagegallery.ids import new_id
from imagegallery.images.events import GalleryChanged, ImageReady
from imagegallery.queue.job import NewJob
from imagegallery.queue.periodic import Periodic
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import JobOutcome
from imagegallery.queue.worker import Worker


class Heard:
    """A handler that remembers what it was called with, and fails so many times at first."""

    def __init__(self, failures: int = 0) -> None:
        self.calls: list[Event[ImageReady]] = []
        self._failures = failures

    async def __call__(self, event: Event[ImageReady]) -> None:
        self.calls.append(event)
        if len(self.calls) <= self._failures:
            raise ConnectionError("The mail server is away.")


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes(PATIENCE)


@pytest.fixture
def queue(database: Database, clock: ManualClock) -> PostgresQueue:
    return PostgresQueue(database, clock)


def jobs_of(events: EventService) -> HandlerJobs:
    return HandlerJobs(events._database, events._types, events._options, events._handlers)


@asynccontextmanager
async def working(
    database: Database, queue: PostgresQueue, clock: ManualClock, events: EventService, outcomes: Outcomes
) -> AsyncIterator[None]:
    """A worker of a process that knows the handlers of ``events``, from when its relay has begun."""
    relay = Relay(database, queue, EVENT_TYPES, jobs_of(events).consumers(), clock)
    await relay.begin()
    worker = Worker(
        queue,
        jobs_of(events).by_kind(),
        EAGER,
        clock,
        periodic=[Periodic("relay", PATIENCE, relay.run)],
        observer=outcomes,
        apart=jobs_of(events).slots(),
    )
    async with anyio.create_task_group() as tasks:
        await tasks.start(worker.run)
        yield
        worker.stop()


def of(database: Database, clock: ManualClock, handler: Callable[[Event[ImageReady]], Awaitable[None]]) -> EventService:
    events = EventService(database, EVENT_TYPES, EventOptions(), clock)
    events.register(ImageReady, handler, name="tests.heard")
    return events


async def test_a_handler_is_called_for_every_event_of_its_kind(
    database: Database, queue: PostgresQueue, clock: ManualClock, log: EventLog, outcomes: Outcomes
) -> None:
    heard = Heard()
    async with working(database, queue, clock, of(database, clock, heard), outcomes):
        await log.record(GalleryChanged("ana", new_id(), "created"))
        ids = {*await log.ready(2), *await log.ready(1, owner_id="ben")}
        assert await outcomes.next(3) == [JobOutcome.DONE] * 3
    assert {event.data.image_id for event in heard.calls} == ids
    assert {event.id for event in heard.calls} == {"2", "3", "4"}


async def test_a_handler_that_fails_is_called_again(
    database: Database, queue: PostgresQueue, clock: ManualClock, log: EventLog, outcomes: Outcomes
) -> None:
    heard = Heard(failures=1)
    async with working(database, queue, clock, of(database, clock, heard), outcomes):
        await log.ready(1)
        assert await outcomes.next(2) == [JobOutcome.RETRIED, JobOutcome.DONE]
    assert heard.calls[0] == heard.calls[1]


async def test_in_the_end_it_is_a_dead_letter(
    database: Database, queue: PostgresQueue, clock: ManualClock, log: EventLog, outcomes: Outcomes
) -> None:
    async with working(database, queue, clock, of(database, clock, Heard(failures=99)), outcomes):
        await log.ready(1)
        assert await outcomes.next(3) == [JobOutcome.RETRIED, JobOutcome.RETRIED, JobOutcome.BURIED]
    (dead,) = await queue.dead(limit=10)
    assert (dead.kind, dead.payload) == ("event:tests.heard", {"event_id": "1"})
    assert dead.error.startswith("ConnectionError")


async def test_what_happens_while_no_worker_runs_is_not_lost(
    database: Database, queue: PostgresQueue, clock: ManualClock, log: EventLog, outcomes: Outcomes
) -> None:
    heard = Heard()
    await log.ready(1)  # before anybody has heard of the handler
    async with working(database, queue, clock, of(database, clock, Heard()), outcomes):
        pass
    ids = await log.ready(2)
    async with working(database, queue, clock, of(database, clock, heard), outcomes):
        assert await outcomes.next(2) == [JobOutcome.DONE] * 2
    assert {event.data.image_id for event in heard.calls} == set(ids)


async def test_two_relays_make_one_job_of_an_event(
    database: Database, queue: PostgresQueue, clock: ManualClock, log: EventLog
) -> None:
    events = of(database, clock, Heard())
    relays = [Relay(database, queue, EVENT_TYPES, jobs_of(events).consumers(), clock) for _ in range(2)]
    await relays[0].begin()
    await log.ready(250)
    async with anyio.create_task_group() as tasks:
        for relay in relays:
            tasks.start_soon(relay.catch_up)
    assert (await queue.stats()).waiting == 250


async def test_names_of_handlers(database: Database, clock: ManualClock) -> None:
    events = EventService(database, EVENT_TYPES, EventOptions(), clock)

    @events.on(ImageReady)
    async def congratulate(event: Event[ImageReady]) -> None:
        pass

    (kind,) = jobs_of(events).by_kind()
    assert kind.startswith("event:")
    assert kind.endswith("congratulate")
    with pytest.raises(ValueError, match="already"):
        events.register(ImageReady, congratulate)
    with pytest.raises(ValueError, match="no name"):
        events.register(ImageReady, congratulate, name="two words")


def test_what_is_no_handler_is_told_where_it_is_written(database: Database, clock: ManualClock) -> None:
    on: Any = EventService(database, EVENT_TYPES, EventOptions(), clock).on

    async def forgets_the_event() -> None: ...

    async def yields(event: Event[ImageReady]) -> AsyncIterator[None]:
        yield

    with pytest.raises(TypeError, match="Name their class"):
        on(yields)
    with pytest.raises(TypeError, match="must take the event"):
        on(ImageReady)(forgets_the_event)
    for no_function in ("congratulate", yields):
        with pytest.raises(TypeError, match="must be a function"):
            on(ImageReady)(no_function)


async def test_one_that_hangs_is_in_nobody_s_way_and_is_called_again(
    database: Database, queue: PostgresQueue, clock: ManualClock, log: EventLog, outcomes: Outcomes
) -> None:
    events = EventService(
        database, EVENT_TYPES, EventOptions(handler_calls=1, handler_timeout=timedelta(milliseconds=1)), clock
    )
    heard, never, calls = Heard(), threading.Event(), list[Event[ImageReady]]()

    @events.on(ImageReady, name="tests.hangs")
    async def hang(event: Event[ImageReady]) -> None:
        calls.append(event)
        await anyio.sleep_forever()

    @events.on(ImageReady, name="tests.hangs_in_a_thread")
    def hang_in_a_thread(event: Event[ImageReady]) -> None:
        never.wait()

    events.register(ImageReady, heard)
    async with working(database, queue, clock, events, outcomes):
        await log.ready(1)
        ends = await outcomes.next(7)
    never.set()
    assert sorted(ends) == [JobOutcome.BURIED] * 2 + [JobOutcome.DONE] + [JobOutcome.RETRIED] * 4
    assert len(heard.calls) == 1
    assert [event.id for event in calls] == ["1"] * 3
    errors = [dead.error for dead in await queue.dead(limit=10)]
    assert errors == ["error: It did not return within 0:00:00.001000."] * 2


async def test_a_worker_that_does_not_know_it_leaves_its_events_to_one_that_does(
    database: Database, queue: PostgresQueue, clock: ManualClock, log: EventLog, outcomes: Outcomes
) -> None:
    heard, other = Heard(), EventService(database, EVENT_TYPES, EventOptions(), clock)
    knowing = of(database, clock, heard)
    other.register(ImageReady, Heard(), name="tests.of_another_release")
    relay = Relay(database, queue, EVENT_TYPES, jobs_of(knowing).consumers(), clock)
    await relay.begin()
    await log.ready(1)
    await relay.catch_up()
    async with working(database, queue, clock, other, outcomes):
        await log.ready(1)
        assert await outcomes.next(1) == [JobOutcome.DONE]
    assert heard.calls == []
    async with working(database, queue, clock, knowing, outcomes):
        assert await outcomes.next(2) == [JobOutcome.DONE] * 2
    assert {event.id for event in heard.calls} == {"1", "2"}


async def test_each_has_slots_of_its_own(database: Database, clock: ManualClock) -> None:
    events = EventService(database, EVENT_TYPES, EventOptions(handler_calls=3), clock)
    events.register(ImageReady, Heard(), name="tests.heard")
    assert jobs_of(events).slots() == {"event:tests.heard": 3}


async def test_a_consumer_that_fails_keeps_no_other_back(
    database: Database, queue: PostgresQueue, clock: ManualClock, log: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        name = "broken"

        async def jobs_for(self, _connection: Connection, _events: Sequence[Event[DomainEvent]]) -> Sequence[NewJob]:
            raise KeyError("an event that nobody thought of")

    relay = Relay(database, queue, EVENT_TYPES, [Broken(), *jobs_of(of(database, clock, Heard())).consumers()], clock)
    await relay.begin()
    await log.ready(2)
    await relay.catch_up()
    assert (await queue.stats()).waiting == 2
    assert "not relayed to broken" in caplog.text
