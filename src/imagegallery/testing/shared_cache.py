"""The conformance suite of `imagegallery.cache.shared.SharedCache`, in addition to that of any cache.

::

    class TestMyCache(SharedCacheSuite): async def make_cache(self): return MyCache(...) async def pass_time(self,
        duration): ...

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from abc import abstractmethod
from datetime import timedelta

import anyio
import pytest

from imagegallery.cache.policy import Lifetime
from imagegallery.cache.protocol import Entry
from imagegallery.cache.shared import Lease, SharedCache
from imagegallery.testing.cache import STORED_AT, CacheSuite

LIFETIME = Lifetime(ttl=timedelta(seconds=20), stale=timedelta(seconds=20))
ENTRY = Entry(bytes(range(256)), STORED_AT)
SNAPSHOT = "1700000000.5/app 10:14:10,12"
LOCK_SECONDS = 20.0


class SharedCacheSuite(CacheSuite):
    """Time also passes for locks."""

    @abstractmethod
    async def make_cache(self) -> SharedCache:
        """Make an empty cache of one megabyte."""

    async def test_an_entry_that_was_published_is_found_with_its_snapshot(self) -> None:
        cache = await self.make_cache()
        assert await _share(cache)
        found = await cache.look("group", "key")
        assert found is not None
        assert (found.body, found.digest, found.snapshot) == (ENTRY.body, ENTRY.digest, SNAPSHOT)
        assert found.is_fresh

    @pytest.mark.parametrize(("group", "key"), [("group", "other"), ("other", "key"), ("groupk", "ey"), ("", "group")])
    async def test_an_entry_is_found_under_its_own_name_alone(self, group: str, key: str) -> None:
        cache = await self.make_cache()
        await _share(cache)
        assert await cache.look(group, key) is None

    async def test_the_time_it_took_to_make_counts(self) -> None:
        cache = await self.make_cache()
        await _share(cache, age=12.5)
        found = await cache.look("group", "key")
        assert found is not None
        assert 12.5 <= found.age < 20

    @pytest.mark.parametrize(("age", "is_fresh"), [(0.0, True), (21.0, False)])
    async def test_an_entry_is_stale_after_its_time_and_still_found(self, age: float, is_fresh: bool) -> None:
        cache = await self.make_cache()
        await _share(cache, age=age)
        found = await cache.look("group", "key")
        assert found is not None
        assert found.is_fresh is is_fresh

    async def test_an_entry_whose_time_is_over_is_gone(self) -> None:
        cache = await self.make_cache()
        await _share(cache)
        await self.pass_time(LIFETIME.whole)
        assert await cache.look("group", "key") is None

    async def test_an_entry_that_took_longer_than_it_lives_is_not_shared(self) -> None:
        cache = await self.make_cache()
        assert not await _share(cache, age=41)
        assert await cache.look("group", "key") is None

    async def test_one_at_a_time_has_the_lease_of_an_entry(self) -> None:
        cache = await self.make_cache()
        leases: list[Lease | None] = []

        async def claim() -> None:
            leases.append(await cache.claim("group", "key", seconds=LOCK_SECONDS))

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(claim)
        assert sum(lease is not None for lease in leases) == 1

    async def test_other_entries_have_leases_of_their_own(self) -> None:
        cache = await self.make_cache()
        assert await cache.claim("group", "key", seconds=LOCK_SECONDS)
        assert await cache.claim("group", "other", seconds=LOCK_SECONDS)
        assert await cache.claim("other", "key", seconds=LOCK_SECONDS)

    async def test_who_publishes_gives_the_lease_back(self) -> None:
        cache = await self.make_cache()
        await _share(cache)
        assert await cache.claim("group", "key", seconds=LOCK_SECONDS)

    async def test_a_lease_can_be_given_back_without_an_entry(self) -> None:
        cache = await self.make_cache()
        await cache.release(await _claim(cache))
        assert await cache.look("group", "key") is None
        assert await cache.claim("group", "key", seconds=LOCK_SECONDS)

    async def test_a_lease_ends_by_itself(self) -> None:
        cache = await self.make_cache()
        await _claim(cache)
        await self.pass_time(timedelta(seconds=LOCK_SECONDS))
        assert await cache.claim("group", "key", seconds=LOCK_SECONDS)

    async def test_who_comes_too_late_publishes_nothing_and_takes_nobody_s_lease(self) -> None:
        cache = await self.make_cache()
        late = await _claim(cache)
        await self.pass_time(timedelta(seconds=LOCK_SECONDS))
        present = await _claim(cache)
        assert not await cache.publish(late, ENTRY, SNAPSHOT, age=0, lifetime=LIFETIME)
        await cache.release(late)
        assert await cache.look("group", "key") is None
        assert await cache.claim("group", "key", seconds=LOCK_SECONDS) is None
        assert await cache.publish(present, ENTRY, SNAPSHOT, age=0, lifetime=LIFETIME)

    async def test_a_group_that_is_bumped_has_no_entries(self) -> None:
        cache = await self.make_cache()
        await _share(cache)
        await cache.bump("group")
        assert await cache.look("group", "key") is None

    async def test_what_is_announced_is_bumped(self) -> None:
        cache = await self.make_cache()
        await _share(cache)
        before = await cache.generation("group")
        await cache.announce("group")
        assert await cache.generation("group") != before
        assert await cache.look("group", "key") is None

    async def test_other_groups_keep_theirs(self) -> None:
        cache = await self.make_cache()
        await _share(cache)
        await cache.announce("other")
        assert await cache.look("group", "key") is not None

    async def test_what_was_begun_before_a_bump_is_not_shared_after_it(self) -> None:
        cache = await self.make_cache()
        lease = await _claim(cache)
        await cache.bump("group")
        assert not await cache.publish(lease, ENTRY, SNAPSHOT, age=0, lifetime=LIFETIME)
        assert await cache.look("group", "key") is None
        assert await cache.claim("group", "key", seconds=LOCK_SECONDS), "the lease is given back all the same"


async def _claim(cache: SharedCache) -> Lease:
    lease = await cache.claim("group", "key", seconds=LOCK_SECONDS)
    assert lease is not None
    return lease


async def _share(cache: SharedCache, age: float = 0.0) -> bool:
    return await cache.publish(await _claim(cache), ENTRY, SNAPSHOT, age=age, lifetime=LIFETIME)
