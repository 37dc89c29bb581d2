"""A running service that plans parts early, the network to it, and files to send."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.database import DatabaseServer
from tests.support.images import jpeg_of_size
from tests.support.served import ServedUploads, served_uploads, token_of
from tests.support.servers.proxy import FailingNetwork

from imagegallery.client import RetryPolicy

PART_SIZE = 50_000
PARTS_THRESHOLD = 100_000
QUICKLY = RetryPolicy(attempts=30, first_pause=timedelta(milliseconds=1), longest_pause=timedelta(milliseconds=20))

MakeFile = Callable[..., Path]


@pytest.fixture
def user() -> str:
    """A user nobody has seen before: tests share the service, not its contents."""
    return f"user-{uuid4()}"


@pytest.fixture
def token(user: str) -> str:
    return token_of(user)


@pytest.fixture(scope="session")
def served(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedUploads]:
    small: dict[str, Any] = {"uploads_parts_threshold": PARTS_THRESHOLD, "uploads_part_size": PART_SIZE}
    with served_uploads(database_server, tmp_path_factory.mktemp("served") / "data", **small) as served:
        yield served


@pytest.fixture
def network(served: ServedUploads) -> Iterator[FailingNetwork]:
    """Stands between clients and the service's API; it works until it is told otherwise."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FailingNetwork.before(served.api)) as it:
        yield it


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """Makes an image of exactly so many bytes."""

    def make(name: str, size: int) -> Path:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg_of_size(size, name))
        return path

    return make
