"""A connection pool to Redis that never makes anybody wait for long: time-outs, and a circuit breaker around each call.

What Redis needs to be: version 6 or newer (or Valkey), alone or a cluster; any eviction policy; no persistence. With
access lists: ``resetchannels &PREFIX:* ~PREFIX:* +@read +@write +@scripting +@pubsub +@connection +select +time``, and
``+cluster`` for a cluster.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias, TypedDict, TypeVar, cast

import anyio
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from imagegallery.clock import Clock
from imagegallery.errors import ConfigurationError, Unavailable
from imagegallery.redis.breaker import Breaker, Closed, Opened, State
from imagegallery.redis.options import RedisOptions

logger = logging.getLogger(__name__)

Server: TypeAlias = Redis | RedisCluster
T = TypeVar("T")

_CLUSTER: Final = "+cluster://"
_AWAY: Final = (RedisError, RedisClusterException, OSError, TimeoutError)
# redis-py would look up its own version, in files, for each connection.
_NOT_TOLD: Final = None
_CLOSING = 2.0  # seconds
_PROBE_EVERY = 15.0  # seconds; what is not answered in as many is lost


class _Message(TypedDict):
    type: str
    data: bytes


class RedisClient:
    """What the packages that use Redis share. Made by `open`."""

    def __init__(self, server: Server, options: RedisOptions, clock: Clock) -> None:
        self.server = server
        self.prefix = options.prefix
        self._breaker = Breaker(options.failures_allowed, options.rest)
        self._state: State = Closed()
        self.clock = clock

    @classmethod
    @asynccontextmanager
    async def open(cls, options: RedisOptions, clock: Clock) -> AsyncIterator["RedisClient"]:
        """A client of the server of ``options.url``, which need not answer, now or ever.

        Raises `ConfigurationError` for a URL that can be none.
        """
        server = _server(options)
        try:
            yield cls(server, options, clock)
        finally:
            with anyio.move_on_after(_CLOSING, shield=True), suppress(*_AWAY):
                await server.aclose()

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """What ``call`` answers. Raises `Unavailable` when Redis fails, and at once while the breaker is open."""
        may_call, self._state = self._breaker.ask(self._state, self.clock())
        if not may_call:
            raise Unavailable("Redis has not been answering.")
        try:
            answer = await call()
        except _AWAY as error:
            self._move(self._breaker.failed(self._state, self.clock()), str(error) or type(error).__name__)
            raise Unavailable("Redis does not answer.") from error
        self._move(self._breaker.succeeded(self._state))
        return answer

    async def check(self) -> None:
        """Raises `ConfigurationError` if Redis does not know our password; it need not answer."""
        try:
            await self.ping()
        except Unavailable as error:
            if isinstance(error.__cause__, AuthenticationError):
                raise ConfigurationError(f"Redis refuses us ({error.__cause__}): see to `redis.url`.") from error

    async def ping(self) -> None:
        """One round trip. Raises `Unavailable`."""
        await self.run(lambda: self.server.execute_command("PING"))

    async def messages(self, channel: str) -> AsyncGenerator[bytes, None]:
        """What is published on the channel from now on. Raises `Unavailable` when the connection is lost."""
        await self.ping()  # it is the breaker's trial; listening has no end
        try:
            async with self.server.pubsub() as subscriber:
                await subscriber.subscribe(channel)
                is_probed = False
                while True:
                    message = cast(_Message | None, await subscriber.get_message(timeout=_PROBE_EVERY))
                    if message is not None:
                        is_probed = False
                        if message["type"] == "message":
                            yield message["data"]
                    elif is_probed:
                        raise Unavailable("The connection to Redis went silent.")
                    else:
                        is_probed = True
                        await subscriber.ping()
        except _AWAY as error:
            raise Unavailable("The connection to Redis was lost.") from error

    def _move(self, state: State, reason: str = "") -> None:
        """Told once each time: when it opens, and when it closes."""
        opens = isinstance(state, Opened) and isinstance(self._state, Closed)
        closes = isinstance(state, Closed) and isinstance(self._state, Opened)
        self._state = state
        if opens:
            logger.warning("Redis does not answer; doing without it for now: %s", reason)
        elif closes:
            logger.warning("Redis answers again")


def _server(options: RedisOptions) -> Server:
    assert options.url is not None
    url, seconds = str(options.url), options.timeout.total_seconds()
    # One more try with a new connection: those that are kept break when the server is restarted.
    retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
    try:
        if _CLUSTER in url:
            return RedisCluster.from_url(
                url.replace(_CLUSTER, "://", 1),
                max_connections=options.connections,
                socket_timeout=seconds,
                socket_connect_timeout=seconds,
                retry=retry,
                driver_info=_NOT_TOLD,
            )
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=options.connections,
            timeout=seconds,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=retry,
            driver_info=_NOT_TOLD,
        )
    except ValueError:
        # What it says may quote the piece of a password that was taken for something else.
        raise ConfigurationError(
            "redis.url cannot be used: it begins with redis://, rediss:// or redis+cluster://, "
            "and a password in it is percent-encoded."
        ) from None
    return Redis.from_pool(pool)
