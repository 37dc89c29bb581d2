"""Word of changes through Redis: the way around for processes that have lost their connection to the database's.

Who changes a gallery bumps its generation in Redis, so that no process finds its entries there any more, and publishes
it. Who listens to the database has heard already, by `imagegallery.cache.generations`; who has lost that connection
drops what it holds of the gallery, instead of serving it for up to a minute. Nothing depends on it: a message that is
lost is made up for by the rules for those who are deaf.
"""

import logging
from collections.abc import Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Final

import anyio

from imagegallery.cache.generations import ALL_GALLERIES
from imagegallery.cache.redis import RedisCache
from imagegallery.errors import Unavailable
from imagegallery.ids import parse_id
from imagegallery.redis.client import RedisClient

logger = logging.getLogger(__name__)

PAUSE: Final = timedelta(seconds=1)
# What waits to be told while Redis is away is worth nothing after that.
MAX_WAITING: Final = 10_000


class Broadcast:
    """A `imagegallery.cache.generations.Follower` that tells of this process's own changes."""

    def __init__(self, client: RedisClient, cache: RedisCache) -> None:
        self._client = client
        self._cache = cache
        self._waiting: set[str] = set()
        self._has_news = anyio.Event()

    def heard(self, group: str, *, ours: bool) -> None:
        if ours and len(self._waiting) < MAX_WAITING:
            self._waiting |= {group, ALL_GALLERIES}
            self._has_news.set()

    def lost(self) -> None:
        """Nothing to tell."""

    async def run(self, hear: Callable[[str], None]) -> None:
        """Tell, and listen, until cancelled; ``hear`` is called with each gallery that any process changed."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep_telling)
            tasks.start_soon(self._keep_listening, hear)

    async def _keep_telling(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news = anyio.Event()
            waiting, self._waiting = self._waiting, set()
            try:
                for group in waiting:
                    await self._cache.announce(group)
            except Unavailable:
                logger.debug("changes were not told through Redis")

    async def _keep_listening(self, hear: Callable[[str], None]) -> None:
        while True:
            try:
                async with aclosing(self._client.messages(self._cache.channel)) as messages:
                    async for message in messages:
                        if (group := _group(message)) is not None:
                            hear(group)
            except Unavailable:
                logger.debug("changes are not heard through Redis")
            await anyio.sleep(PAUSE.total_seconds())


def _group(message: bytes) -> str | None:
    """The group that a message names. Whoever can write to Redis can publish anything: ``None`` for what names none."""
    text = message.decode("ascii", errors="replace")
    return text if text == ALL_GALLERIES or parse_id(text) is not None else None
