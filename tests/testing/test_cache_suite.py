"""The conformance suite fails for a cache that breaks its word: one method is broken at a time."""

import inspect
from datetime import timedelta

import anyio.lowlevel
import pytest
from tests.support.clock import ManualClock

from imagegallery.cache.memory import MemoryCache
from imagegallery.cache.protocol import Cache, Entry
from imagegallery.testing.cache import STORED_AT, CacheSuite


class RemembersWhatNeverWas(MemoryCache):
    async def get(self, key: str) -> Entry | None:
        return await super().get(key) or Entry(b"", STORED_AT)


class CutsBodies(MemoryCache):
    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        await super().set(key, Entry(entry.body[:1000], entry.stored_at), ttl_seconds=ttl_seconds)


class CutsTimes(MemoryCache):
    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        cut = Entry(entry.body, entry.stored_at.replace(microsecond=0), entry.digest)
        await super().set(key, cut, ttl_seconds=ttl_seconds)


class DigestsAgain(MemoryCache):
    async def get(self, key: str) -> Entry | None:
        entry = await super().get(key)
        return None if entry is None else Entry(entry.body, entry.stored_at)


class FoldsKeys(MemoryCache):
    async def get(self, key: str) -> Entry | None:
        return await super().get(_folded(key))

    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        await super().set(_folded(key), entry, ttl_seconds=ttl_seconds)


def _folded(key: str) -> str:
    return key.strip().lower()[:1]


class KeepsTheFirst(MemoryCache):
    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        if await self.get(key) is None:
            await super().set(key, entry, ttl_seconds=ttl_seconds)


class KeepsForEver(MemoryCache):
    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        await super().set(key, entry, ttl_seconds=1e6)


class KeepsNothing(MemoryCache):
    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        pass


class KeepsForAMoment(MemoryCache):
    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        await super().set(key, entry, ttl_seconds=ttl_seconds / 4)


class KeepsTheFirstTime(MemoryCache):
    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        await super().set(key, entry, ttl_seconds=min(ttl_seconds, 2))


class AnswersAnotherEachTime(MemoryCache):
    async def generation(self, group: str) -> int:
        return await super().bump(group)


class BumpsNothing(MemoryCache):
    async def bump(self, group: str) -> int:
        return self._generations.setdefault(group, 1)


class AnswersTheOld(MemoryCache):
    async def bump(self, group: str) -> int:
        return await super().bump(group) - 1


class BumpsEverybody(MemoryCache):
    async def bump(self, group: str) -> int:
        self._generations.clear()
        self._unbumped = next(self._numbers)
        return await super().bump(group)


class ComesBack(MemoryCache):
    async def bump(self, group: str) -> int:
        number = self._generations[group] = (await super().bump(group)) % 8
        return number


class ReadsThenWrites(MemoryCache):
    async def bump(self, group: str) -> int:
        number = self._generations.get(group, 0) + 1
        await anyio.lowlevel.checkpoint()
        self._generations[group] = number
        return number


class BumpsEntriesAway(MemoryCache):
    async def bump(self, group: str) -> int:
        self._kept.clear()
        return await super().bump(group)


class ClosesOnce(MemoryCache):
    async def aclose(self) -> None:
        del self._kept


class Suite(CacheSuite):
    """Not named Test...: pytest does not collect it, this file runs its tests by name."""

    def __init__(self, cache: MemoryCache, clock: ManualClock) -> None:
        self._cache = cache
        self._clock = clock

    async def make_cache(self) -> Cache:
        return self._cache

    async def pass_time(self, duration: timedelta) -> None:
        self._clock.advance(duration)


SABOTAGES: list[tuple[type[MemoryCache], str, dict[str, object]]] = [
    (RemembersWhatNeverWas, "test_what_was_never_kept_is_a_miss", {}),
    (CutsBodies, "test_an_entry_comes_back_as_it_was", {"body": b"x" * 100_000}),
    (CutsTimes, "test_an_entry_comes_back_as_it_was", {"body": b""}),
    (DigestsAgain, "test_a_digest_is_kept_not_made_again", {}),
    (FoldsKeys, "test_keys_are_compared_as_they_are", {"other": "A"}),
    (FoldsKeys, "test_keys_are_compared_as_they_are", {"other": "a\n"}),
    (FoldsKeys, "test_keys_are_compared_as_they_are", {"other": "a" * 5000}),
    (KeepsTheFirst, "test_a_new_entry_takes_the_place_of_the_old", {}),
    (KeepsForEver, "test_an_entry_is_kept_for_its_time_and_no_longer", {}),
    (KeepsNothing, "test_an_entry_is_kept_for_its_time_and_no_longer", {}),
    (KeepsForAMoment, "test_an_entry_is_kept_for_its_time_and_no_longer", {}),
    (KeepsTheFirstTime, "test_a_new_entry_has_a_time_of_its_own", {}),
    (AnswersAnotherEachTime, "test_a_generation_stays_until_it_is_bumped", {}),
    (BumpsNothing, "test_a_generation_stays_until_it_is_bumped", {}),
    (AnswersTheOld, "test_a_bump_answers_the_new_generation", {}),
    (BumpsEverybody, "test_a_bump_leaves_other_groups_alone", {}),
    (ComesBack, "test_a_generation_never_comes_back", {}),
    (ReadsThenWrites, "test_bumps_at_the_same_time_are_all_different", {}),
    (BumpsEntriesAway, "test_entries_do_not_depend_on_generations", {}),
    (ClosesOnce, "test_closing_is_done_once_or_twice", {}),
]


@pytest.mark.parametrize(("sabotaged", "test", "arguments"), SABOTAGES)
async def test_the_suite_notices(
    sabotaged: type[MemoryCache], test: str, arguments: dict[str, object], clock: ManualClock
) -> None:
    suite = Suite(sabotaged(2**20, clock), clock)
    with pytest.raises((AssertionError, AttributeError)):
        await getattr(suite, test)(**arguments)


def test_every_test_of_the_suite_notices_something() -> None:
    tests = {name for name, _ in inspect.getmembers(CacheSuite) if name.startswith("test_")}
    assert tests == {test for _, test, _ in SABOTAGES}
