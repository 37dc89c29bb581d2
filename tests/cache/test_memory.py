"""The cache of one process: the conformance suite, and its bounds."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START, ManualClock

from imagegallery.cache.memory import ENTRY_OVERHEAD, MemoryCache
from imagegallery.cache.protocol import Cache, Entry
from imagegallery.testing.cache import CacheSuite

ROOM = 3 * (ENTRY_OVERHEAD + 100)


def of_size(size: int) -> Entry:
    """An entry that takes so many bytes under a key of one letter."""
    return Entry(b"x" * (size - ENTRY_OVERHEAD - 1), START)


class TestMemoryCache(CacheSuite):
    @pytest.fixture(autouse=True)
    def _with_clock(self, clock: ManualClock) -> None:
        self._clock = clock

    async def make_cache(self) -> Cache:
        return MemoryCache(2**20, self._clock)

    async def pass_time(self, duration: timedelta) -> None:
        self._clock.advance(duration)


async def test_what_was_used_longest_ago_makes_room(clock: ManualClock) -> None:
    cache = MemoryCache(ROOM, clock)
    for key in "abc":
        await cache.set(key, of_size(ROOM // 3), ttl_seconds=60)
    await cache.get("a")
    await cache.set("d", of_size(ROOM // 3), ttl_seconds=60)
    assert [key for key in "abcd" if await cache.get(key)] == ["a", "c", "d"]


async def test_what_is_too_large_is_not_kept_and_pushes_nothing_out(clock: ManualClock) -> None:
    cache = MemoryCache(ROOM, clock)
    await cache.set("a", of_size(ROOM // 3), ttl_seconds=60)
    await cache.set("b", of_size(ROOM + 1), ttl_seconds=60)
    assert await cache.get("a") is not None
    assert await cache.get("b") is None


async def test_an_entry_that_becomes_too_large_does_not_leave_its_old_self(clock: ManualClock) -> None:
    cache = MemoryCache(ROOM, clock)
    await cache.set("a", of_size(ROOM), ttl_seconds=60)
    await cache.set("a", of_size(ROOM + 1), ttl_seconds=60)
    assert await cache.get("a") is None
    assert cache.size == 0


async def test_a_cache_without_room_keeps_nothing(clock: ManualClock) -> None:
    cache = MemoryCache(0, clock)
    await cache.set("a", Entry(b"", START), ttl_seconds=60)
    assert await cache.get("a") is None


async def test_a_group_that_was_forgotten_gets_a_generation_that_none_ever_had(clock: ManualClock) -> None:
    cache = MemoryCache(ROOM, clock, max_groups=2)
    seen = [await cache.generation("x"), *[await cache.bump(group) for group in ("a", "b", "c")]]
    for group in ("a", "x"):
        assert await cache.generation(group) not in seen
    assert await cache.generation("c") == seen[-1]


async def test_groups_that_somebody_made_up_take_no_room(clock: ManualClock) -> None:
    cache = MemoryCache(ROOM, clock)
    for number in range(1000):
        await cache.generation(str(number))
    assert not cache._generations


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 2 * ENTRY_OVERHEAD), st.integers(0, 3), st.booleans()),
        max_size=60,
    )
)
async def test_whatever_happens_it_stays_within_its_bytes(steps: list[tuple[str, int, int, bool]]) -> None:
    clock = ManualClock()
    cache = MemoryCache(ROOM, clock)
    for key, size, seconds, reads in steps:
        clock.advance(timedelta(seconds=seconds))
        if reads:
            await cache.get(key)
        else:
            await cache.set(key, Entry(b"x" * size, clock()), ttl_seconds=2)
        held = [entry for each in "abcdefgh" if (entry := await cache.get(each))]
        assert sum(ENTRY_OVERHEAD + 1 + len(entry.body) for entry in held) == cache.size <= ROOM
