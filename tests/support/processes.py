"""Processes that share a database, as the cache sees them: each with a pool, a cache and a listening connection."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
from attrs import evolve, frozen

from imagegallery.backends import cache_parts, open_redis
from imagegallery.cache.floors import Floors
from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.memory import MemoryCache
from imagegallery.cache.stale_while_revalidate import RevalidatingCache
from imagegallery.clock import Clock
from imagegallery.common.background import Background
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.galleries.pages import CachedPages
from imagegallery.images.public_files import PublicFiles
from imagegallery.redis.options import RedisOptions

SECRET = b"the secret that these processes have in common"


class CountingDatabase(Database):
    """``used``: how often a connection was needed, of its own or of the visitors'."""

    _own = 0

    @property
    def used(self) -> int:
        return self._own + (self._for_visitors.used if isinstance(self._for_visitors, CountingDatabase) else 0)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        self._own += 1
        async with super().connection() as connection:
            yield connection


@frozen
class Process:
    database: CountingDatabase
    cache: MemoryCache
    changes: GalleryChanges
    pages: CachedPages
    files: PublicFiles
    floors: Floors | None


StartProcess = Callable[[], Awaitable[Process]]


@asynccontextmanager
async def running_process(
    dsn: str, clock: Clock, options: DatabaseOptions | None = None, redis: RedisOptions | None = None
) -> AsyncIterator[Process]:
    """What `ImageGallery.open` puts together for `CachedPages`, with its parts to look at."""
    chosen = evolve(options or DatabaseOptions(max_size=3), dsn=dsn)
    async with CountingDatabase.connect(chosen) as database:
        assert isinstance(database, CountingDatabase)
        cache = MemoryCache(2**20, clock)
        async with open_redis(redis or RedisOptions(), clock) as client, Background.running() as background:
            changes, second = cache_parts(database, cache, clock, client, [SECRET], background)
            await background.start(changes.run, "listening for changes of galleries")
            kept = RevalidatingCache(cache, background, clock, second)
            pages, files = CachedPages(database, kept, changes, clock), PublicFiles(database, kept, changes)
            yield Process(database, cache, changes, pages, files, second.floors if second else None)


async def settle(changes: GalleryChanges) -> None:
    """Apply everything that any process committed before."""
    await changes._ask_for_news(changes._database.commits + 1)
    await changes.catch_up()


async def deafen(process: Process) -> None:
    """Take its listening connection away, and return when it knows."""
    listening = process.changes._connection
    assert listening is not None
    async with process.database.connection() as connection:
        pid = listening.get_server_pid()
        assert await connection.fetchval("SELECT pg_terminate_backend($1, 10000)", pid)
    await until_listening(process, listening=False)


async def until_listening(process: Process, *, listening: bool) -> None:
    with anyio.fail_after(30):
        while process.changes.is_listening is not listening:
            await anyio.lowlevel.checkpoint()
