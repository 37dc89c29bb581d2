"""The client against a real server that is killed, stopped and started again."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta

import anyio
import pytest
from tests.support.clock import ManualClock
from tests.support.servers.redis import RedisServer

from imagegallery.errors import ConfigurationError, Unavailable
from imagegallery.redis import client as redis_client
from imagegallery.redis.client import RedisClient
from imagegallery.redis.options import RedisOptions

REST = timedelta(seconds=5)


def options(server: RedisServer, *, timeout: timedelta = timedelta(seconds=10)) -> RedisOptions:
    return RedisOptions(url=server.url, timeout=timeout, failures_allowed=2, rest=REST)


@pytest.fixture
async def client(redis_server: RedisServer, clock: ManualClock) -> AsyncIterator[RedisClient]:
    async with RedisClient.open(options(redis_server), clock) as client:
        yield client


async def fail(client: RedisClient, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Unavailable):
            await client.ping()


async def test_a_server_that_answers_is_asked(client: RedisClient) -> None:
    await client.ping()


async def test_a_server_that_lets_us_not_in_is_told_apart_from_one_that_is_away(
    client: RedisClient, redis_server: RedisServer, clock: ManualClock
) -> None:
    await client.check()
    redis_server.kill()
    await client.check()
    redis_server.start()
    clock.advance(REST)
    await client.server.execute_command("CONFIG SET", "requirepass", "the password")
    url = f"redis://:wr0ng@127.0.0.1:{redis_server.port}"
    try:
        async with RedisClient.open(RedisOptions(url=url), clock) as stranger:
            with pytest.raises(ConfigurationError, match="invalid username-password") as caught:
                await stranger.check()
            assert "wr0ng" not in caught.value.message
    finally:
        redis_server.restart()


async def test_connections_that_a_restart_broke_cost_nobody_an_error(
    client: RedisClient, redis_server: RedisServer
) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(client.ping)
    redis_server.restart()
    for _ in range(20):
        await client.ping()


async def test_it_is_left_alone_after_failures_and_tried_again_after_a_rest(
    client: RedisClient, redis_server: RedisServer, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.kill()
    with caplog.at_level(logging.WARNING, "imagegallery"):
        await fail(client, 10)
        redis_server.start()
        await fail(client, 10)  # nobody asks
        clock.advance(REST)
        for _ in range(10):
            await client.ping()
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "Redis does not answer; doing without it for now",
        "Redis answers again",
    ]


async def test_a_server_that_went_silent_is_given_up_in_time(redis_server: RedisServer, clock: ManualClock) -> None:
    async with RedisClient.open(options(redis_server, timeout=timedelta(milliseconds=50)), clock) as client:
        redis_server.pause()
        try:
            with anyio.fail_after(30):
                await fail(client, 3)
        finally:
            redis_server.resume()
        clock.advance(REST)
        await client.ping()


async def test_who_listens_notices_that_the_server_went_silent(
    client: RedisClient, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "_PROBE_EVERY", 0.05)
    async with aclosing(client.messages("channel")) as messages, anyio.create_task_group() as tasks:

        async def publish_after_several_probes() -> None:
            redis_server.command("CONFIG RESETSTAT")
            while not re.search(rb"cmdstat_ping:calls=(\d\d|[4-9])", redis_server.command("INFO commandstats")):
                await anyio.sleep(0.01)
            redis_server.command("PUBLISH channel news")

        tasks.start_soon(publish_after_several_probes)
        with anyio.fail_after(30):
            assert await anext(messages) == b"news", "an answered probe is no loss"
        redis_server.pause()
        try:
            with anyio.fail_after(30), pytest.raises(Unavailable):
                await anext(messages)
        finally:
            redis_server.resume()


async def test_a_server_that_is_not_there_keeps_nobody_from_starting(
    redis_server: RedisServer, clock: ManualClock
) -> None:
    redis_server.kill()
    try:
        async with RedisClient.open(options(redis_server), clock) as client:
            await fail(client, 1)
    finally:
        redis_server.start()


@pytest.mark.parametrize("url", ["redis://:s3/cret@localhost/0", "redis+cluster://me:s3#cret@localhost"])
async def test_no_piece_of_a_password_is_told(url: str, clock: ManualClock) -> None:
    with pytest.raises(ConfigurationError) as caught:
        async with RedisClient.open(RedisOptions(url=url), clock):
            pass
    assert "s3" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://localhost:port", "redis+cluster:", ""])
async def test_what_is_no_address_is_a_wrong_setting(url: str, clock: ManualClock) -> None:
    with pytest.raises(ConfigurationError, match=r"redis\.url"):
        async with RedisClient.open(RedisOptions(url=url), clock):
            pass


async def test_an_address_with_a_password_is_not_told(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    wrong = RedisOptions(url="redis://me:s3cret@127.0.0.1:1", failures_allowed=1)
    async with RedisClient.open(wrong, clock) as client:
        await fail(client, 3)
    assert caplog.records
    assert "s3cret" not in caplog.text + repr(wrong)
