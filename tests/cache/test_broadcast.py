"""What is heard through Redis, whoever publishes it."""

from collections.abc import AsyncIterator

import anyio
import pytest
from tests.support.clock import ManualClock
from tests.support.servers.redis import RedisServer

from imagegallery.cache.broadcast import Broadcast
from imagegallery.cache.generations import ALL_GALLERIES
from imagegallery.cache.redis import RedisCache
from imagegallery.cache.seal import Seal
from imagegallery.ids import new_id
from imagegallery.redis.client import RedisClient
from imagegallery.redis.options import RedisOptions


@pytest.fixture
async def client(redis_server: RedisServer, clock: ManualClock) -> AsyncIterator[RedisClient]:
    async with RedisClient.open(RedisOptions(url=redis_server.url), clock) as client:
        yield client


async def test_what_is_no_id_is_passed_over(client: RedisClient) -> None:
    """No UTF-8, no id, far too long: the next change is heard all the same."""
    cache, on_change, done, gallery_id = (
        RedisCache(client, Seal([b"a secret of the tests"])),
        list[str](),
        anyio.Event(),
        str(new_id()),
    )
    nonsense = (b"\xff\xfe", b"", "galler\u00ed".encode(), b"x" * 100_000, b"*", b"{" + gallery_id.encode() + b"}")

    def hear(group: str) -> None:
        on_change.append(group)
        if group == ALL_GALLERIES:
            done.set()

    async def listening() -> int:
        ((_, count),) = await client.server.pubsub_numsub(cache.channel)
        return int(count)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Broadcast(client, cache).run, hear)
        with anyio.fail_after(30):
            while not await listening():
                await anyio.lowlevel.checkpoint()
            for message in (*nonsense, gallery_id.encode(), ALL_GALLERIES.encode()):
                await client.server.publish(cache.channel, message)
            await done.wait()
        tasks.cancel_scope.cancel()
    assert on_change == [gallery_id, ALL_GALLERIES]
