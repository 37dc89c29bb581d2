"""Servers for the tests here, and pictures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.deployment import engines
from tests.support.photographs import photograph
from tests.support.servers.object_store import SharedObjectStore
from tests.support.servers.redis import RedisServer
from tests.support.servers.sqs import ClockedSqsServer


@pytest.fixture(scope="session")
def sqs_server() -> Iterator[ClockedSqsServer]:
    with ClockedSqsServer.running() as server:
        yield server


@pytest.fixture(scope="session")
def small_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With variants of several sizes and both formats, and quickly made."""
    path = tmp_path_factory.mktemp("pictures") / "tram.jpg"
    path.write_bytes(photograph(340, 255))
    return path


@pytest.fixture
def environment(
    database_dsn: str,
    object_store_server: SharedObjectStore,
    sqs_server: ClockedSqsServer,
    redis_server: RedisServer,
    tmp_path: Path,
) -> dict[str, str]:
    """The settings of a distributed gallery in a place of its own, as environment variables."""
    return engines(database_dsn, object_store_server, sqs_server, redis_server.url, tmp_path / "data")
