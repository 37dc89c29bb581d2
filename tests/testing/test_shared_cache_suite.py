"""The suite for shared caches fails for one that breaks its word: one method is broken at a time."""

import inspect
from collections.abc import AsyncIterator
from datetime import timedelta

import attrs
import pytest
from tests.support.clock import ManualClock
from tests.support.servers.redis import RedisServer

from imagegallery.cache.policy import Lifetime
from imagegallery.cache.protocol import Entry
from imagegallery.cache.redis import RedisCache
from imagegallery.cache.seal import Seal
from imagegallery.cache.shared import Lease, SharedCache, SharedEntry
from imagegallery.redis.client import RedisClient
from imagegallery.redis.options import RedisOptions
from imagegallery.testing.cache import CacheSuite
from imagegallery.testing.shared_cache import SharedCacheSuite


class LosesSnapshots(RedisCache):
    async def look(self, group: str, key: str) -> SharedEntry | None:
        found = await super().look(group, key)
        return found and attrs.evolve(found, snapshot="")


class FindsByKey(RedisCache):
    def _entry_key(self, group: str, key: str) -> str:
        return super()._entry_key("group", "key")


class ForgetsWhenItBegan(RedisCache):
    async def publish(self, lease: Lease, entry: Entry, snapshot: str, *, age: float, lifetime: Lifetime) -> bool:
        return await super().publish(lease, entry, snapshot, age=0, lifetime=lifetime)


class KeepsOnlyWhatIsFresh(RedisCache):
    async def look(self, group: str, key: str) -> SharedEntry | None:
        found = await super().look(group, key)
        return found if found and found.is_fresh else None


class KeepsForLong(RedisCache):
    async def publish(self, lease: Lease, entry: Entry, snapshot: str, *, age: float, lifetime: Lifetime) -> bool:
        longer = Lifetime(lifetime.ttl, 10 * lifetime.stale)
        return await super().publish(lease, entry, snapshot, age=age, lifetime=longer)


class GivesEverybodyTheLease(RedisCache):
    async def claim(self, group: str, key: str, *, seconds: float) -> Lease | None:
        return Lease(group, key, "token", await self.generation(group))


class HasOneLease(RedisCache):
    def _lock_key(self, group: str, key: str) -> str:
        return super()._lock_key("group", "key")


class KeepsTheLease(RedisCache):
    async def publish(self, lease: Lease, entry: Entry, snapshot: str, *, age: float, lifetime: Lifetime) -> bool:
        published = await super().publish(lease, entry, snapshot, age=age, lifetime=lifetime)
        await super().claim(lease.group, lease.key, seconds=20)
        return published

    async def release(self, lease: Lease) -> None:
        pass


class LeasesForEver(RedisCache):
    async def claim(self, group: str, key: str, *, seconds: float) -> Lease | None:
        return await super().claim(group, key, seconds=1e6)


class TakesLeasesAway(RedisCache):
    async def release(self, lease: Lease) -> None:
        await self._client.run(lambda: self._client.server.delete(self._lock_key(lease.group, lease.key)))


class BumpsNothing(RedisCache):
    async def bump(self, group: str) -> int:
        return await self.generation(group)

    async def announce(self, group: str) -> None:
        pass


class BumpsEverybody(RedisCache):
    def _generation_key(self, group: str) -> str:
        return super()._generation_key("group")


class Suite(SharedCacheSuite):
    """Not named Test...: pytest does not collect it, this file runs its tests by name."""

    def __init__(self, cache: RedisCache, client: RedisClient) -> None:
        self._cache = cache
        self._client = client

    async def make_cache(self) -> SharedCache:
        return self._cache

    async def pass_time(self, duration: timedelta) -> None:
        for key in await self._client.server.keys("*"):
            left = await self._client.server.pttl(key) - round(duration.total_seconds() * 1000)
            await self._client.server.pexpire(key, max(left, 0))


SABOTAGES: list[tuple[type[RedisCache], str, dict[str, object]]] = [
    (LosesSnapshots, "test_an_entry_that_was_published_is_found_with_its_snapshot", {}),
    (FindsByKey, "test_an_entry_is_found_under_its_own_name_alone", {"group": "group", "key": "other"}),
    (ForgetsWhenItBegan, "test_the_time_it_took_to_make_counts", {}),
    (KeepsOnlyWhatIsFresh, "test_an_entry_is_stale_after_its_time_and_still_found", {"age": 21.0, "is_fresh": False}),
    (KeepsForLong, "test_an_entry_whose_time_is_over_is_gone", {}),
    (ForgetsWhenItBegan, "test_an_entry_that_took_longer_than_it_lives_is_not_shared", {}),
    (GivesEverybodyTheLease, "test_one_at_a_time_has_the_lease_of_an_entry", {}),
    (HasOneLease, "test_other_entries_have_leases_of_their_own", {}),
    (KeepsTheLease, "test_who_publishes_gives_the_lease_back", {}),
    (KeepsTheLease, "test_a_lease_can_be_given_back_without_an_entry", {}),
    (LeasesForEver, "test_a_lease_ends_by_itself", {}),
    (TakesLeasesAway, "test_who_comes_too_late_publishes_nothing_and_takes_nobody_s_lease", {}),
    (BumpsNothing, "test_a_group_that_is_bumped_has_no_entries", {}),
    (BumpsNothing, "test_what_is_announced_is_bumped", {}),
    (BumpsEverybody, "test_other_groups_keep_theirs", {}),
    (BumpsNothing, "test_what_was_begun_before_a_bump_is_not_shared_after_it", {}),
]


@pytest.fixture
async def client(redis_server: RedisServer, clock: ManualClock) -> AsyncIterator[RedisClient]:
    redis_server.command("FLUSHALL")
    async with RedisClient.open(RedisOptions(url=redis_server.url, timeout=timedelta(seconds=10)), clock) as client:
        yield client


@pytest.mark.parametrize(("sabotaged", "test", "arguments"), SABOTAGES)
async def test_the_suite_notices(
    sabotaged: type[RedisCache], test: str, arguments: dict[str, object], client: RedisClient
) -> None:
    suite = Suite(sabotaged(client, Seal([b"a secret of the tests"])), client)
    with pytest.raises(AssertionError):
        await getattr(suite, test)(**arguments)


def test_every_test_of_the_suite_notices_something() -> None:
    inherited = {name for name, _ in inspect.getmembers(CacheSuite)}
    tests = {name for name, _ in inspect.getmembers(SharedCacheSuite) if name.startswith("test_")} - inherited
    assert tests == {test for _, test, _ in SABOTAGES}
