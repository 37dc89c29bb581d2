"""Rates that all processes count together in Redis, and each alone while Redis is away.

Keys are ``PREFIX:rates:{NAME/RATE}`` and ``PREFIX:rates:{NAME/RATE}/-1``: this window's counter and the previous one.
"""

from hashlib import blake2b
from typing import cast

from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.typing import AsyncRedisClient

from imagegallery.errors import Unavailable
from imagegallery.rates.counters import WindowCounts
from imagegallery.rates.limiter import Counts
from imagegallery.rates.options import Rate
from imagegallery.redis.client import RedisClient


class RedisCounts:
    """A `imagegallery.rates.limiter.Counts`. ``meanwhile`` counts while Redis does not respond, or returns no
    number."""

    def __init__(self, client: RedisClient, meanwhile: Counts) -> None:
        self._client = client
        self._meanwhile = meanwhile
        self._windows = WindowCounts(_SharedStorage(client))

    async def hit(self, rate: Rate, name: str) -> float | None:
        # Clients may choose the name; its length stays ours.
        hashed = blake2b(name.encode(), digest_size=16).hexdigest()
        try:
            return await self._client.run(lambda: self._windows.hit(rate, hashed))
        except (Unavailable, ValueError, OverflowError):  # the latter: the value is not a number of ours
            return await self._meanwhile.hit(rate, name)


class _SharedStorage(RedisStorage):
    """The storage of `limits`, over our connections, to one server or a cluster."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        super().__init__("async+redis://", implementation="redispy", key_prefix=f"{client.prefix}:rates")

    def configure_bridge(self) -> None:
        server = cast(AsyncRedisClient, self._client.server)
        cast(RedispyBridge, self.bridge).connection_getter = lambda _readonly: server
