"""Changes announced through Redis, for processes that have lost their connection to the database.

The process that changes a gallery bumps its generation in Redis, so that no process finds old entries there, and
publishes the change. A process that listens to the database knows already (`imagegallery.cache.generations`). One that
does not drops what it holds of the gallery, instead of serving it for up to a minute. Nothing depends on this: the
rules for processes that do not listen make up for a lost message.
"""

import logging
from collections.abc import Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Final

import anyio

from imagegallery.cache.generations import ALL_GALLERIES, is_group
from imagegallery.cache.redis import RedisCache
from imagegallery.errors import Unavailable
from imagegallery.redis.client import RedisClient

logger = logging.getLogger(__name__)

PAUSE: Final = timedelta(seconds=1)
# Pending announcements while Redis is away. They are worthless afterwards.
MAX_WAITING: Final = 10_000


class Broadcast:
    """A `imagegallery.cache.generations.Follower` that announces this process's own changes."""

    def __init__(self, client: RedisClient, cache: RedisCache) -> None:
        self._client = client
        self._cache = cache
        self._waiting: set[str] = set()
        self._has_news = anyio.Event()

    def on_change(self, group: str, *, ours: bool) -> None:
        if ours and len(self._waiting) < MAX_WAITING:
            self._waiting |= {group, ALL_GALLERIES}
            self._has_news.set()

    def on_loss(self) -> None:
        """Do nothing: there is nothing to announce."""

    async def run(self, hear: Callable[[str], None]) -> None:
        """Announce and listen until cancelled. Calls ``hear`` with each gallery that any process changed."""
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
    """The group that a message names, or ``None`` for anything else: everybody with access to Redis can publish."""
    text = message.decode("ascii", errors="replace")
    return text if is_group(text) else None
