"""Events are written with what causes them, and read in the order in which they were committed."""

from datetime import timedelta

import anyio
import pytest
from tests.support.clock import ManualClock
from tests.support.events import EventLog, image_ids, take

from imagegallery.database.pool import Database
from imagegallery.events import records
from imagegallery.events.event import Event, EventOptions
from imagegallery.events.service import EventService
from imagegallery.gallery import EVENT_TYPES
from imagegallery.ids import new_id
from imagegallery.images.events import ImageReady
from imagegallery.principal import Principal

ANA = Principal.user("ana")


async def read_all(database: Database, after: int = 0) -> records.Page:
    async with database.transaction() as connection:
        last = (await records.number(connection)).last
        return await records.between(connection, EVENT_TYPES, after, last, 1000)


async def test_a_rollback_leaves_no_event(database: Database, log: EventLog, clock: ManualClock) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await records.record(connection, ImageReady("ana", new_id()), now=clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    (image_id,) = await log.ready()
    assert image_ids(list((await read_all(database)).events)) == [image_id]


async def test_who_commits_late_is_not_passed_over(database: Database, clock: ManualClock) -> None:
    """Two transactions commit in the reverse of the order in which they recorded, with a reader in between."""
    early, late = new_id(), new_id()
    async with database.transaction() as first:
        await records.record(first, ImageReady("ana", early), now=clock())
        async with database.transaction() as second:
            await records.record(second, ImageReady("ana", late), now=clock())
        seen = await read_all(database)
        assert image_ids(list(seen.events)) == [late]
    assert image_ids(list((await read_all(database, seen.through)).events)) == [early]


async def test_subscribers_get_both_of_two_that_commit_in_reverse(
    database: Database, events: EventService, clock: ManualClock
) -> None:
    early, late = new_id(), new_id()
    async with events.subscribe(ANA) as live:
        async with database.transaction() as first:
            await records.record(first, ImageReady("ana", early), now=clock())
            async with database.transaction() as second:
                await records.record(second, ImageReady("ana", late), now=clock())
            (one,) = await take(live, 1)
        (other,) = await take(live, 1)
    assert image_ids([one, other]) == [late, early]
    assert one.position < other.position


async def test_one_transaction_keeps_its_order(database: Database, log: EventLog) -> None:
    ids = [new_id() for _ in range(20)]
    await log.record(*(ImageReady("ana", image_id) for image_id in ids))
    assert image_ids(list((await read_all(database)).events)) == ids


async def test_many_number_at_once(database: Database, log: EventLog) -> None:
    """Each event gets one position, and there are no gaps."""
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(log.ready, 10)
            tasks.start_soon(read_all, database)
    positions = [event.position for event in (await read_all(database)).events]
    assert positions == list(range(1, 51))


async def test_old_events_are_pruned_and_ids_never_come_again(
    database: Database, log: EventLog, clock: ManualClock
) -> None:
    events = EventService(database, EVENT_TYPES, EventOptions(retention=timedelta(days=7)), clock)
    await log.ready(3)
    clock.advance(timedelta(days=7, seconds=1))
    assert await events.prune() == 3
    await log.ready(1)
    assert await events.prune() == 0
    assert [event.id for event in (await read_all(database)).events] == ["4"]


async def test_ids_of_events(database: Database, log: EventLog) -> None:
    (image_id,) = await log.ready()
    async with database.connection() as connection:
        assert await records.get(connection, EVENT_TYPES, 1) is None, "nobody has numbered it yet"
    await read_all(database)
    async with database.connection() as connection:
        assert await records.get(connection, EVENT_TYPES, 1) == Event("1", log.clock(), ImageReady("ana", image_id))
