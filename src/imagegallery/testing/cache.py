"""The conformance suite of `imagegallery.cache.protocol.Cache`, to be subclassed by authors of backends.

::

    class TestMyCache(CacheSuite): async def make_cache(self): return MyCache(...) async def pass_time(self, duration):
        ...

The tests are coroutines: they need pytest with pytest-asyncio or anyio's plugin. A cache may lose entries at any time,
but should keep the few small ones of the suite.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from imagegallery.cache.protocol import Cache, Entry

TTL_SECONDS = 2.0
WITHIN_TTL = timedelta(seconds=1)
BEYOND_TTL = timedelta(seconds=3)
STORED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class CacheSuite(ABC):
    """Each test calls `make_cache` once."""

    @abstractmethod
    async def make_cache(self) -> Cache:
        """Make an empty cache of one megabyte."""

    @abstractmethod
    async def pass_time(self, duration: timedelta) -> None:
        """Let time pass for the cache: move its clock, or sleep."""

    async def test_what_was_never_kept_is_a_miss(self) -> None:
        cache = await self.make_cache()
        assert await cache.get("a") is None

    @pytest.mark.parametrize("body", [b"", b"[]", bytes(range(256)), b"x" * 100_000])
    async def test_an_entry_comes_back_as_it_was(self, body: bytes) -> None:
        cache = await self.make_cache()
        entry = Entry(body, STORED_AT)
        await cache.set("a", entry, ttl_seconds=TTL_SECONDS)
        assert await cache.get("a") == entry

    async def test_a_digest_is_kept_not_made_again(self) -> None:
        cache = await self.make_cache()
        await cache.set("a", Entry(b"a", STORED_AT, "0123456789abcdef0123456789abcdef"), ttl_seconds=TTL_SECONDS)
        kept = await cache.get("a")
        assert kept is not None
        assert kept.digest == "0123456789abcdef0123456789abcdef"

    @pytest.mark.parametrize("other", ["A", "a ", "a/b", "ä", "a\n", "*", "a" * 5000])
    async def test_keys_are_compared_as_they_are(self, other: str) -> None:
        cache = await self.make_cache()
        await cache.set("a", Entry(b"a", STORED_AT), ttl_seconds=TTL_SECONDS)
        assert await cache.get(other) is None
        await cache.set(other, Entry(b"other", STORED_AT), ttl_seconds=TTL_SECONDS)
        assert await _body(cache, "a") == b"a"
        assert await _body(cache, other) == b"other"

    async def test_a_new_entry_takes_the_place_of_the_old(self) -> None:
        cache = await self.make_cache()
        await cache.set("a", Entry(b"old", STORED_AT), ttl_seconds=TTL_SECONDS)
        await cache.set("a", Entry(b"new", STORED_AT + WITHIN_TTL), ttl_seconds=TTL_SECONDS)
        assert await cache.get("a") == Entry(b"new", STORED_AT + WITHIN_TTL)

    async def test_an_entry_is_kept_for_its_time_and_no_longer(self) -> None:
        cache = await self.make_cache()
        await cache.set("a", Entry(b"a", STORED_AT), ttl_seconds=TTL_SECONDS)
        await self.pass_time(WITHIN_TTL)
        assert await _body(cache, "a") == b"a"
        await self.pass_time(BEYOND_TTL)
        assert await cache.get("a") is None

    async def test_a_new_entry_has_a_time_of_its_own(self) -> None:
        cache = await self.make_cache()
        await cache.set("a", Entry(b"old", STORED_AT), ttl_seconds=TTL_SECONDS)
        await self.pass_time(WITHIN_TTL)
        await cache.set("a", Entry(b"new", STORED_AT), ttl_seconds=2 * TTL_SECONDS)
        await self.pass_time(BEYOND_TTL)
        assert await _body(cache, "a") == b"new"

    async def test_a_generation_stays_until_it_is_bumped(self) -> None:
        cache = await self.make_cache()
        first = await cache.generation("group")
        assert await cache.generation("group") == first
        assert await cache.bump("group") != first
        assert await cache.generation("group") != first

    async def test_a_bump_answers_the_new_generation(self) -> None:
        cache = await self.make_cache()
        bumped = await cache.bump("group")
        assert await cache.generation("group") == bumped

    async def test_a_bump_leaves_other_groups_alone(self) -> None:
        cache = await self.make_cache()
        other = await cache.generation("other")
        await cache.bump("group")
        assert await cache.generation("other") == other

    async def test_a_generation_never_comes_back(self) -> None:
        cache = await self.make_cache()
        seen = [await cache.generation("group"), *[await cache.bump("group") for _ in range(50)]]
        assert len(set(seen)) == len(seen)

    async def test_bumps_at_the_same_time_are_all_different(self) -> None:
        cache = await self.make_cache()
        bumped: list[int] = []

        async def bump() -> None:
            bumped.append(await cache.bump("group"))

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(bump)
        assert len(set(bumped)) == len(bumped)
        assert await cache.generation("group") in bumped

    async def test_entries_do_not_depend_on_generations(self) -> None:
        """The user of the cache puts the generation into the key, so that backends need not search."""
        cache = await self.make_cache()
        await cache.set("group", Entry(b"a", STORED_AT), ttl_seconds=TTL_SECONDS)
        await cache.bump("group")
        assert await _body(cache, "group") == b"a"

    async def test_closing_is_done_once_or_twice(self) -> None:
        cache = await self.make_cache()
        await cache.aclose()
        await cache.aclose()


async def _body(cache: Cache, key: str) -> bytes | None:
    entry = await cache.get(key)
    return None if entry is None else entry.body
