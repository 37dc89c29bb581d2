"""How many connections a process has: the table in docs/how-to/deploy.md, counted by the server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import cast

import anyio
import asyncpg
import pytest

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.connection import Connection
from imagegallery.database.pool import DatabaseOptions

POOL = 3
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
async def observer(database_dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def gallery(tmp_path: Path, database_dsn: str) -> AsyncIterator[ImageGallery]:
    """Whose pool is in use, every connection of it."""
    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn, max_size=POOL))
    async with ImageGallery.open(settings) as gallery:
        yield gallery


async def fill_pool(stack: AsyncExitStack, gallery: ImageGallery) -> None:
    for _ in range(POOL):
        await stack.enter_async_context(gallery._resources.database.connection())


async def until_there_are(observer: Connection, expected: int) -> None:
    """Connections that end do so in their own time."""
    with anyio.fail_after(30):
        while cast(int, await observer.fetchval(COUNT)) != expected:
            await anyio.sleep(0.001)


async def test_an_open_gallery_has_its_pool_and_one_that_listens_to_changes(
    gallery: ImageGallery, observer: Connection
) -> None:
    async with AsyncExitStack() as stack:
        await fill_pool(stack, gallery)
        await until_there_are(observer, POOL + 1)


async def test_a_worker_listens_with_two_more(gallery: ImageGallery, observer: Connection) -> None:
    async with gallery.worker():
        # Its listeners are there before the pool is in use, which they do not come from.
        await until_listening(observer, 3)
        async with AsyncExitStack() as stack:
            await fill_pool(stack, gallery)
            await until_there_are(observer, POOL + 3)


async def test_a_relay_listens_with_one_more(gallery: ImageGallery, observer: Connection) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(gallery.server.relay)
        await until_listening(observer, 2)
        async with AsyncExitStack() as stack:
            await fill_pool(stack, gallery)
            await until_there_are(observer, POOL + 2)
        tasks.cancel_scope.cancel()


async def test_an_api_has_one_more_for_all_who_follow_events_and_one_for_all_locks(
    gallery: ImageGallery, observer: Connection
) -> None:
    me, locks = Principal.user("me"), gallery._resources.database.locks
    async with gallery.events.subscribe(me), gallery.events.subscribe(me):
        await until_listening(observer, 2)
        async with AsyncExitStack() as stack:
            for name in ("one upload", "another upload"):
                await stack.enter_async_context(locks.hold(name, patience=timedelta(seconds=30)))
            await fill_pool(stack, gallery)
            await until_there_are(observer, POOL + 3)


async def until_listening(observer: Connection, expected: int) -> None:
    listening = COUNT + " AND query ~ '^(LISTEN|SELECT 1)'"
    with anyio.fail_after(30):
        while cast(int, await observer.fetchval(listening)) < expected:
            await anyio.sleep(0.001)


async def test_nothing_is_left_when_a_gallery_is_closed(
    tmp_path: Path, database_dsn: str, observer: Connection
) -> None:
    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn, max_size=POOL))
    async with ImageGallery.open(settings), ImageGallery.open(settings):
        pass
    await until_there_are(observer, 0)
