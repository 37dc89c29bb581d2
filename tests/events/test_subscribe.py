"""Following what happens, from Python."""

from datetime import timedelta

import anyio
import pytest
from tests.support.clock import ManualClock
from tests.support.events import EventLog, image_ids, take

from imagegallery.database.pool import Database
from imagegallery.errors import EventsGone, InvalidInput, Overloaded, SlowReader, Unauthenticated
from imagegallery.events import feed
from imagegallery.events.event import EventOptions
from imagegallery.events.feed import Subscription
from imagegallery.events.service import EventService
from imagegallery.gallery import EVENT_TYPES
from imagegallery.principal import Principal

ANA, BEN = Principal.user("ana"), Principal.user("ben")
BUFFER = 10


async def test_live_events_come_in_order(events: EventService, log: EventLog) -> None:
    await log.ready(3)
    async with events.subscribe(ANA) as live:
        ids = await log.ready(5)
        assert image_ids(await take(live, 5)) == ids


async def test_each_hears_of_their_own_only(events: EventService, log: EventLog) -> None:
    async with events.subscribe(ANA) as of_ana, events.subscribe(BEN) as of_ben:
        bens, anas = await log.ready(2, owner_id="ben"), await log.ready(2, owner_id="ana")
        assert image_ids(await take(of_ben, 2)) == bens
        assert image_ids(await take(of_ana, 2)) == anas


async def test_resuming_begins_after_the_last_one(events: EventService, log: EventLog) -> None:
    async with events.subscribe(ANA) as live:
        first = await log.ready(2)
        seen = await take(live, 2)
    await log.ready(3, owner_id="ben")
    missed = await log.ready(3)
    async with events.subscribe(ANA, after=seen[0].id) as live:
        more = await log.ready(2)
        assert image_ids(await take(live, 6)) == [first[1], *missed, *more]


async def test_from_the_log_to_live_without_loss_or_repetition(
    events: EventService, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it reads a long past, page by page, more happens than its buffer would hold."""
    monkeypatch.setattr(feed, "PAGE", 4)
    past = await log.ready(15)
    async with events.subscribe(BEN), events.subscribe(ANA, after="0") as live:
        seen = await take(live, 2)
        meanwhile = await log.ready(3 * BUFFER)
        seen += await take(live, 15 - 2 + 3 * BUFFER)
        now = await log.ready(2)
        seen += await take(live, 2)
    assert image_ids(seen) == past + meanwhile + now


async def test_the_place_to_resume_tells_nothing_of_what_others_do(events: EventService, log: EventLog) -> None:
    await log.ready(2, owner_id="ben")
    async with events.subscribe(ANA) as live, events.subscribe(BEN) as of_ben:
        assert (live.last_id, of_ben.last_id) == ("0", "2")
        await log.ready(3, owner_id="ben")
        await take(of_ben, 3)
        assert (live.last_id, of_ben.last_id) == ("0", "5")
        mine = await log.ready(1)
        seen = await take(live, 1)
    async with events.subscribe(ANA, after="0") as again:
        assert image_ids(await take(again, 1)) == mine == image_ids(seen)
        assert again.last_id == "6"


async def test_nobody_finds_out_by_trying_how_many_events_others_have(events: EventService, log: EventLog) -> None:
    await log.ready(1)
    await log.ready(3, owner_id="ben")
    for after in ("2", "4", "5"):
        with pytest.raises(EventsGone):
            async with events.subscribe(ANA, after=after):
                pass


async def test_who_heard_nothing_for_long_resumes_from_their_own_last_event(
    database: Database, log: EventLog, clock: ManualClock
) -> None:
    events = EventService(database, EVENT_TYPES, EventOptions(retention=timedelta(days=1)), clock)
    await log.ready(1)
    await log.ready(2, owner_id="ben")
    clock.advance(timedelta(days=2))
    assert await events.prune() == 3
    for _ in range(2):  # whatever is pruned of others later
        async with events.subscribe(ANA, after="1") as live, events.subscribe(ANA) as fresh:
            assert (live.last_id, fresh.last_id) == ("1", "1")
        await log.ready(1, owner_id="ben")
        clock.advance(timedelta(days=2))
        assert await events.prune() == 1


async def test_a_slow_reader_is_dropped_and_resumes_without_loss(events: EventService, log: EventLog) -> None:
    async with events.subscribe(ANA) as slow, events.subscribe(BEN) as of_ben:
        ids = await log.ready(BUFFER + 5)
        await log.ready(1, owner_id="ben")
        await take(of_ben, 1)  # by now all was handed out
        seen = await take(slow, BUFFER)
        with pytest.raises(SlowReader):
            await take(slow, 1)
    async with events.subscribe(ANA, after=slow.last_id) as live:
        seen += await take(live, len(ids) - len(seen))
    assert image_ids(seen) == ids


async def test_the_next_one_reads_when_the_reader_leaves(events: EventService, log: EventLog) -> None:
    """One subscription of a process reads for all; the others must not notice when it ends."""
    async with anyio.create_task_group() as tasks:
        left = anyio.Event()

        async def leave() -> None:
            async with events.subscribe(BEN) as first:
                await log.ready(1, owner_id="ben")
                await take(first, 1)
            left.set()

        tasks.start_soon(leave)
        await left.wait()
        async with events.subscribe(ANA) as live:
            ids = await log.ready(2)
            assert image_ids(await take(live, 2)) == ids


async def test_two_outlive_each_other(events: EventService, log: EventLog) -> None:
    async with events.subscribe(ANA) as live:
        async with events.subscribe(BEN) as of_ben:
            await log.ready(1, owner_id="ben")
            await take(of_ben, 1)
        ids = await log.ready(2)
        assert image_ids(await take(live, 2)) == ids


async def test_waiting_can_be_given_up_and_taken_up(events: EventService, log: EventLog) -> None:
    async with events.subscribe(ANA) as live:
        with anyio.move_on_after(0.01):
            await anext(live)
        ids = await log.ready(1)
        assert image_ids(await take(live, 1)) == ids


async def test_what_the_reader_raises_stays_what_it_is(events: EventService) -> None:
    with pytest.raises(ZeroDivisionError):
        async with events.subscribe(ANA):
            raise ZeroDivisionError


async def to_the_end(live: Subscription) -> None:
    assert [event async for event in live] == []


async def test_closing_ends_it(events: EventService, log: EventLog) -> None:
    async with events.subscribe(ANA) as live:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(to_the_end, live)
                await anyio.wait_all_tasks_blocked()
                events.close()
    async with events.subscribe(ANA) as late:
        await to_the_end(late)


async def test_visitors_hear_nothing(events: EventService) -> None:
    with pytest.raises(Unauthenticated):
        async with events.subscribe(Principal.anonymous()):
            pass


async def test_what_is_gone_cannot_be_resumed(database: Database, log: EventLog, clock: ManualClock) -> None:
    events = EventService(database, EVENT_TYPES, EventOptions(retention=timedelta(days=1)), clock)
    await log.ready(3)
    clock.advance(timedelta(days=2))
    await events.prune()
    with pytest.raises(EventsGone):
        async with events.subscribe(ANA, after="2"):
            pass
    async with events.subscribe(ANA, after="3") as live:
        ids = await log.ready(1)
        assert image_ids(await take(live, 1)) == ids


@pytest.mark.parametrize("after", ["", "x", "-1", "1" * 40])
async def test_no_id_at_all(events: EventService, after: str) -> None:
    with pytest.raises(InvalidInput):
        async with events.subscribe(ANA, after=after):
            pass


async def test_an_id_from_elsewhere(events: EventService, log: EventLog) -> None:
    await log.ready(1)
    with pytest.raises(EventsGone):
        async with events.subscribe(ANA, after="99"):
            pass


async def test_who_follows_is_bounded_in_all_and_by_owner(database: Database, clock: ManualClock) -> None:
    events = EventService(database, EVENT_TYPES, EventOptions(max_subscribers=3, max_subscribers_per_owner=2), clock)

    async def refusal_of(principal: Principal) -> str:
        with pytest.raises(Overloaded) as refusal:
            async with events.subscribe(principal):
                pass
        assert refusal.value.retry_after > 0
        return refusal.value.message

    async with events.subscribe(ANA):
        async with events.subscribe(ANA):
            assert "You follow" in await refusal_of(ANA)
            async with events.subscribe(BEN):
                assert "Too many" in await refusal_of(BEN)
        async with events.subscribe(ANA):  # a place is free again
            pass
