"""The cache in Redis: the conformance suites, on one server and on a cluster, which refuses scripts over two slots."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from tests.support.clock import ManualClock
from tests.support.servers.redis import RedisServer, running_redis

from imagegallery.cache.policy import GALLERY
from imagegallery.cache.protocol import Entry
from imagegallery.cache.redis import RedisCache
from imagegallery.cache.seal import Seal
from imagegallery.cache.shared import SharedCache
from imagegallery.errors import Unavailable
from imagegallery.rates.counters import BoundedStorage, WindowCounts
from imagegallery.rates.options import Rate
from imagegallery.rates.redis import RedisCounts
from imagegallery.redis.client import RedisClient
from imagegallery.redis.options import RedisOptions
from imagegallery.testing.cache import STORED_AT
from imagegallery.testing.shared_cache import ENTRY, SharedCacheSuite

SEAL = Seal([b"a secret of the tests"])
# Redis' clock cannot be set: what is left to every key is cut instead, as if it had passed.
PASS_TIME = """
for _, key in ipairs(redis.call('KEYS', '*')) do
    local left = redis.call('PTTL', key)
    if left > 0 then
        if left > tonumber(ARGV[1]) then redis.call('PEXPIRE', key, left - ARGV[1]) else redis.call('DEL', key) end
    end
end"""


async def open_client(server: RedisServer, clock: ManualClock) -> AsyncIterator[RedisClient]:
    server.command("FLUSHALL")
    async with RedisClient.open(RedisOptions(url=server.url, timeout=timedelta(seconds=10)), clock) as client:
        yield client


class TestRedisCache(SharedCacheSuite):
    @pytest.fixture(autouse=True)
    async def _with_client(self, redis_server: RedisServer, clock: ManualClock) -> AsyncIterator[None]:
        async for self._client in open_client(redis_server, clock):
            yield

    async def make_cache(self) -> SharedCache:
        return RedisCache(self._client, SEAL)

    async def pass_time(self, duration: timedelta) -> None:
        await self._client.server.eval(PASS_TIME, 0, str(round(duration.total_seconds() * 1000)))


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisServer]:
    with running_redis(cluster=True) as server:
        yield server


class TestRedisClusterCache(SharedCacheSuite):
    @pytest.fixture(autouse=True)
    async def _with_client(self, cluster: RedisServer, clock: ManualClock) -> AsyncIterator[None]:
        async for self._client in open_client(cluster, clock):
            yield

    async def make_cache(self) -> SharedCache:
        return RedisCache(self._client, SEAL)

    async def pass_time(self, duration: timedelta) -> None:
        node = self._client.server.get_default_node()  # type: ignore[union-attr]
        milliseconds = str(round(duration.total_seconds() * 1000))
        await self._client.server.execute_command("EVAL", PASS_TIME, 0, milliseconds, target_nodes=node)


@pytest.fixture
async def cache(redis_server: RedisServer, clock: ManualClock) -> AsyncIterator[RedisCache]:
    async for client in open_client(redis_server, clock):
        yield RedisCache(client, SEAL)


async def test_without_redis_nothing_is_found_and_no_generation_is_one_that_was(
    cache: RedisCache, redis_server: RedisServer
) -> None:
    seen = [await cache.generation("group"), await cache.bump("group")]
    await cache.set("key", ENTRY, ttl_seconds=60)
    redis_server.kill()
    try:
        await cache.set("other", ENTRY, ttl_seconds=60)
        assert await cache.get("key") is None
        seen += [await cache.generation("group"), await cache.bump("group")]
        with pytest.raises(Unavailable):
            await cache.look("group", "key")
    finally:
        redis_server.start()
    assert len(set(seen)) == len(seen)


async def test_a_generation_that_redis_lost_does_not_come_back(cache: RedisCache, redis_server: RedisServer) -> None:
    seen = []
    for _ in range(5):
        seen += [await cache.generation("group"), *[await cache.bump("group") for _ in range(5)]]
        redis_server.restart()
    assert len(set(seen)) == len(seen)


async def test_the_access_that_the_documentation_asks_for_suffices(
    redis_server: RedisServer, clock: ManualClock
) -> None:
    page = Path(__file__).parents[2].joinpath("docs", "how-to", "redis.md").read_text()
    (rules,) = re.findall(r"`(resetchannels .*?)`", page)
    redis_server.command(f"ACL SETUSER gallery on >secret {rules}")
    url = redis_server.url.replace("redis://", "redis://gallery:secret@")
    async with RedisClient.open(RedisOptions(url=url, timeout=timedelta(seconds=10)), clock) as client:
        cache = RedisCache(client, SEAL)
        lease = await cache.claim("group", "key", seconds=10)
        assert lease is not None
        assert await cache.publish(lease, ENTRY, "", age=0, lifetime=GALLERY)
        assert await cache.look("group", "key") is not None
        await cache.release(lease)
        await cache.set("key", ENTRY, ttl_seconds=60)
        assert await cache.get("key") == ENTRY
        assert await cache.bump("group") > 0
        counts = RedisCounts(client, WindowCounts(BoundedStorage(clock)))
        assert await counts.hit(Rate(1, 60), "name") is None
        assert await counts.hit(Rate(1, 60), "name") is not None
        assert b":rates:" in redis_server.command("KEYS *"), "it was Redis that counted"
        async with aclosing(client.messages(cache.channel)) as messages, anyio.create_task_group() as tasks:
            tasks.start_soon(_keep_announcing, cache)
            assert await anext(messages) == b"group"
            tasks.cancel_scope.cancel()


async def _keep_announcing(cache: RedisCache) -> None:
    while True:
        await cache.announce("group")
        await anyio.sleep(0.01)


async def test_everything_that_is_kept_ends(cache: RedisCache, redis_server: RedisServer) -> None:
    lease = await cache.claim("group", "key", seconds=10)
    assert lease is not None
    await cache.claim("group", "other", seconds=10)
    await cache.set("value", Entry(b"", STORED_AT), ttl_seconds=10)
    await cache.bump("bumped")
    keys = redis_server.command("KEYS *").split(b"\r\n")[2::2]
    assert len(keys) == 5
    for key in keys:
        assert int(redis_server.command(f"PTTL {key.decode()}")[1:]) > 0, key
