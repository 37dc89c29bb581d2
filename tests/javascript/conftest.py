"""Clients that others wrote, as they are published: Node's packages."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.database import DatabaseServer
from tests.support.node import NodePrograms, node_programs
from tests.support.served import ServedUploads, served_uploads, token_of
from tests.support.servers.proxy import FailingNetwork

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node_clients() -> NodePrograms:
    return node_programs(HERE)


@pytest.fixture
def user() -> str:
    """A user nobody has seen before: tests share the service, not its contents."""
    return f"user-{uuid4()}"


@pytest.fixture
def token(user: str) -> str:
    return token_of(user)


@pytest.fixture(scope="module")
def served(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedUploads]:
    with served_uploads(database_server, tmp_path_factory.mktemp("served") / "data") as served:
        yield served


@pytest.fixture
def network(served: ServedUploads) -> Iterator[FailingNetwork]:
    """Stands between clients and the service's API; it works until it is told otherwise."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FailingNetwork.before(served.api)) as it:
        yield it


def end_unheard_of(served: ServedUploads, user: str) -> None:
    """End the uploads whose creation was not heard of, as time would: they are open, and have nothing."""
    begun = served.rows("SELECT id, state, received_offset FROM upload_sessions WHERE owner_id = $1", user)
    headers = {"Authorization": f"Bearer {token_of(user)}"}
    for upload_id, state, received in begun:
        if state not in ("completed", "cancelled"):
            assert (state, received) == ("pending", 0)
            assert httpx.delete(f"{served.api}/uploads/{upload_id}", headers=headers).status_code == 204
