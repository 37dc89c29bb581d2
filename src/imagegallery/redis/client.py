"""A connection pool to Redis that never makes anybody wait for long: time-outs, and a circuit breaker around each call.

Needs Redis 6 or newer (or Valkey), alone or a cluster, with any eviction policy and no persistence. With access lists:
``resetchannels &PREFIX:* ~PREFIX:* +@read +@write +@scripting +@pubsub +@connection +select +time``, and ``+cluster``
for a cluster.
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
from imagegallery.redis.breaker import Breaker, ClosedState, OpenState, State
from imagegallery.redis.options import RedisOptions

logger = logging.getLogger(__name__)

Server: TypeAlias = Redis | RedisCluster
T = TypeVar("T")

_CLUSTER: Final = "+cluster://"
_AWAY: Final = (RedisError, RedisClusterException, OSError, TimeoutError)
# Otherwise redis-py reads its own version from files for each connection.
_NOT_TOLD: Final = None
_CLOSING = 2.0  # seconds
_PROBE_EVERY = 15.0  # seconds; a connection that does not answer within as many is lost


class _Message(TypedDict):
    type: str
    data: bytes


class RedisClient:
    """The client that packages share. Made by `open`."""

    def __init__(self, server: Server, options: RedisOptions, clock: Clock) -> None:
        self.server = server
        self.prefix = options.prefix
        self._breaker = Breaker(options.failures_allowed, options.rest)
        self._state: State = ClosedState()
        self.clock = clock

    @classmethod
    @asynccontextmanager
    async def open(cls, options: RedisOptions, clock: Clock) -> AsyncIterator["RedisClient"]:
        """Open a client of the server at ``options.url``, which need not be running.

        Raises `ConfigurationError` for an invalid URL.
        """
        server = _server(options)
        try:
            yield cls(server, options, clock)
        finally:
            with anyio.move_on_after(_CLOSING, shield=True), suppress(*_AWAY):
                await server.aclose()

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what ``call`` returns. Raises `Unavailable` if Redis fails, and at once while the breaker is open."""
        may_call, self._state = self._breaker.ask(self._state, self.clock())
        if not may_call:
            raise Unavailable("Redis has not been answering.")
        try:
            answer = await call()
        except _AWAY as error:
            self._move(self._breaker.after_failure(self._state, self.clock()), str(error) or type(error).__name__)
            raise Unavailable("Redis does not answer.") from error
        self._move(self._breaker.after_success(self._state))
        return answer

    async def check(self) -> None:
        """Raise `ConfigurationError` if Redis refuses our password. It need not be running."""
        try:
            await self.ping()
        except Unavailable as error:
            if isinstance(error.__cause__, AuthenticationError):
                raise ConfigurationError(f"Redis refuses us ({error.__cause__}): see to `redis.url`.") from error

    async def ping(self) -> None:
        """Make one round trip. Raises `Unavailable`."""
        await self.run(lambda: self.server.execute_command("PING"))

    async def messages(self, channel: str) -> AsyncGenerator[bytes, None]:
        """Yield what is published on the channel from now on. Raises `Unavailable` when the connection is lost."""
        await self.ping()  # the breaker's trial call, since listening does not end
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
        """Change the state, and log when it opens and when it closes."""
        opens = isinstance(state, OpenState) and isinstance(self._state, ClosedState)
        closes = isinstance(state, ClosedState) and isinstance(self._state, OpenState)
        self._state = state
        if opens:
            logger.warning("Redis does not answer; doing without it for now: %s", reason)
        elif closes:
            logger.warning("Redis answers again")


def _server(options: RedisOptions) -> Server:
    assert options.url is not None
    url, seconds = str(options.url), options.timeout.total_seconds()
    # Retry once with a new connection: pooled ones break when the server restarts.
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
        # The message may quote a piece of the password that was parsed as something else.
        raise ConfigurationError(
            "redis.url cannot be used: it begins with redis://, rediss:// or redis+cluster://, "
            "and a password in it is percent-encoded."
        ) from None
    return Redis.from_pool(pool)
