"""What every room's tests share: a database of their own, a clock they set, and no blocking of the event loop."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.testing.clock import ManualClock
from imagegallery.testing.database import DatabaseServer

# No deadline: how long an example takes says nothing on a busy machine.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def blocking_calls_fail() -> Iterator[BlockBuster]:
    """A call that blocks the event loop, made by this project's own packages, raises `blockbuster.BlockingError`."""
    with blockbuster_ctx(["imagegallery", "imagegallery_asgi"], excluded_modules=["imagegallery.testing"]) as buster:
        # asyncpg looks for a password file and client certificates whenever it reads a DSN.
        for function in buster.functions.values():
            function.can_block_in("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args")
        yield buster


@pytest.fixture
def clock() -> ManualClock:
    """Stands still until `ManualClock.advance`."""
    return ManualClock()


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseServer]:
    """The server that all workers of this run share."""
    with DatabaseServer.shared() as server:
        yield server


@pytest.fixture
async def database_dsn(database_server: DatabaseServer) -> AsyncIterator[str]:
    """A fresh database with the whole schema, for this test alone."""
    async with database_server.clone() as dsn:
        yield dsn


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    """`Database.connect` on ``database_dsn``."""
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=5)) as database:
        yield database
