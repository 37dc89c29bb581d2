"""Processes that share a database, as far as the cache is concerned: each with a pool, a cache and ears of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
from attrs import frozen

from imagegallery.cache.background import Background
from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.memory import MemoryCache
from imagegallery.cache.swr import Revalidating
from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.galleries.pages import CachedPages


class CountingDatabase(Database):
    """``used``: how often a connection of the pool was needed."""

    used = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        self.used += 1
        async with super().connection() as connection:
            yield connection


@frozen
class Process:
    database: CountingDatabase
    cache: MemoryCache
    changes: GalleryChanges
    pages: CachedPages


StartProcess = Callable[[], Awaitable[Process]]


@asynccontextmanager
async def running_process(dsn: str, clock: Clock) -> AsyncIterator[Process]:
    """What `ImageGallery.open` puts together for `CachedPages`, with its parts to look at."""
    async with CountingDatabase.connect(DatabaseOptions(dsn=dsn, max_size=3)) as database:
        assert isinstance(database, CountingDatabase)
        cache = MemoryCache(2**20, clock)
        changes = GalleryChanges(database, cache)
        async with Background.running() as background:
            await background.start(changes.run, "listening for changes of galleries")
            yield Process(
                database, cache, changes, CachedPages(database, Revalidating(cache, background, clock), changes, clock)
            )


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
