"""Single flight, stale serves, refreshes: each with a real cache and a load that waits until it is let go."""

from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import pytest
from tests.support.clock import ManualClock

from imagegallery.cache.memory import MemoryCache
from imagegallery.cache.policy import IMAGE_PAGES
from imagegallery.cache.stale_while_revalidate import EVERYTHING, CacheAnswer, CacheResult, RevalidatingCache
from imagegallery.common.background import Background
from imagegallery.errors import NotFound, Unavailable

FRESH = timedelta(seconds=119)
STALE = timedelta(seconds=121)
GONE = timedelta(seconds=151)
CLIENTS = 1000


class Source:
    """Answers ``1``, ``2``, …, one for each time it is asked, as soon as it is ``open``."""

    def __init__(self) -> None:
        self.asked = 0
        self.open = anyio.Event()
        self.open.set()
        self.finished = anyio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> bytes:
        self.asked += 1
        answer = str(self.asked).encode()
        try:
            await self.open.wait()
        finally:
            self.finished.set()
        if self.error is not None:
            raise self.error
        return answer

    def close(self) -> None:
        self.open, self.finished = anyio.Event(), anyio.Event()


class Parts:
    def __init__(self, clock: ManualClock, background: Background) -> None:
        self.clock = clock
        self.cache = MemoryCache(2**20, clock)
        self.swr = RevalidatingCache(self.cache, background, clock)
        self.source = Source()

    async def get(self, key: str = "page", *, is_listening: bool = True) -> CacheAnswer:
        return await self.swr.get("gallery", key, IMAGE_PAGES, self.source, is_listening=is_listening)

    async def body(self) -> bytes:
        return (await self.get()).entry.body


@pytest.fixture
async def background() -> AsyncIterator[Background]:
    async with Background.running() as background:
        yield background


@pytest.fixture
def parts(clock: ManualClock, background: Background) -> Parts:
    return Parts(clock, background)


async def settled() -> None:
    """Everything that can run has run."""
    await anyio.wait_all_tasks_blocked()


async def test_a_miss_loads_and_a_hit_does_not(parts: Parts) -> None:
    assert (await parts.get()).result is CacheResult.MISS
    parts.clock.advance(FRESH)
    hit = await parts.get()
    assert (hit.entry.body, hit.result, hit.began_refresh) == (b"1", CacheResult.HIT, False)
    assert parts.source.asked == 1


async def test_what_is_stale_is_served_at_once_and_made_anew(parts: Parts) -> None:
    await parts.get()
    parts.clock.advance(STALE)
    parts.source.close()
    stale = await parts.get()
    assert (stale.entry.body, stale.result, stale.began_refresh) == (b"1", CacheResult.STALE, True)
    again = await parts.get()
    assert (again.entry.body, again.result, again.began_refresh) == (b"1", CacheResult.STALE, False)
    parts.source.open.set()
    await settled()
    assert (await parts.get()).entry.body == b"2"
    assert parts.source.asked == 2


@pytest.mark.parametrize("age", [timedelta(0), STALE, GONE])
async def test_a_thousand_clients_cause_one_load(parts: Parts, age: timedelta) -> None:
    if age:
        await parts.get()
        parts.clock.advance(age)
        parts.source = Source()
    parts.source.close()
    answers: list[CacheAnswer] = []

    async def ask() -> None:
        answers.append(await parts.get())

    async with anyio.create_task_group() as tasks:
        for _ in range(CLIENTS):
            tasks.start_soon(ask)
        await settled()
        parts.source.open.set()
    await settled()
    assert parts.source.asked == 1
    assert {answer.entry.body for answer in answers} == {b"1"}
    assert sum(answer.began_refresh for answer in answers) == (1 if age == STALE else 0)


async def test_the_age_counts_from_before_the_load(parts: Parts) -> None:
    parts.source.close()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(parts.get)
        await settled()
        parts.clock.advance(STALE)
        parts.source.open.set()
    assert (await parts.get()).result is CacheResult.STALE


async def test_who_goes_away_takes_nothing_from_those_who_wait(parts: Parts) -> None:
    parts.source.close()
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as first:
            tasks.start_soon(_cancel_when_settled, first)
            await parts.get()
        assert first.cancelled_caught
        parts.source.open.set()
        assert await parts.body() == b"1"
    assert parts.source.asked == 1


async def _cancel_when_settled(scope: anyio.CancelScope) -> None:
    await settled()
    scope.cancel()


async def test_what_was_loaded_before_a_change_is_not_served_after_it(parts: Parts) -> None:
    parts.source.close()
    before: list[bytes] = []

    async def ask() -> None:
        before.append(await parts.body())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await settled()
        await parts.cache.bump("gallery")
        tasks.start_soon(ask)
        await settled()
        assert parts.source.asked == 2, "who asks after the change joins no load from before it"
        parts.source.open.set()
    assert before == [b"1", b"2"]
    assert await parts.body() == b"2"


@pytest.mark.parametrize(("group", "forgotten"), [("gallery", True), (EVERYTHING, True), ("other", False)])
async def test_a_bump_forgets_its_group_or_everything(parts: Parts, group: str, forgotten: bool) -> None:
    await parts.get()
    await parts.cache.bump(group)
    assert (await parts.get()).result is (CacheResult.MISS if forgotten else CacheResult.HIT)


async def test_an_error_is_told_to_all_who_wait_and_not_kept(parts: Parts) -> None:
    parts.source.close()
    parts.source.error = NotFound("gone")
    told: list[NotFound] = []

    async def ask() -> None:
        with pytest.raises(NotFound) as caught:
            await parts.get()
        told.append(caught.value)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)
        await settled()
        parts.source.open.set()
    assert len(told) == 3
    parts.source.error = None
    assert await parts.body() == b"2"


async def test_a_refresh_that_fails_leaves_what_is_stale_for_its_time(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    await parts.get()
    parts.clock.advance(STALE)
    parts.source.error = RuntimeError("the database is away")
    for _ in range(2):
        assert (await parts.get()).began_refresh
        await settled()
    assert "a refresh failed: RuntimeError('the database is away')" in caplog.text
    parts.clock.advance(GONE - STALE)
    with pytest.raises(RuntimeError):
        await parts.get()


async def test_who_hears_of_no_changes_is_served_nothing_stale(parts: Parts) -> None:
    await parts.get()
    parts.clock.advance(timedelta(seconds=61))
    assert (await parts.get(is_listening=False)).result is CacheResult.MISS


async def test_closing_ends_loads_and_tells_those_who_wait(clock: ManualClock) -> None:
    async with anyio.create_task_group() as tasks:
        async with Background.running() as background:
            parts = Parts(clock, background)
            parts.source.close()

            async def ask() -> None:
                with pytest.raises(Unavailable):
                    await parts.get()

            tasks.start_soon(ask)
            await settled()
        assert parts.source.finished.is_set(), "no load outlives the gallery"
    with pytest.raises(Unavailable):
        await parts.get("another")
