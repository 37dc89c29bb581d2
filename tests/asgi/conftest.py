"""A real server process, with a database and a folder of its own, and clients of several users."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import anyio.from_thread
import asyncpg
import httpx
import pytest
from attrs import frozen

from imagegallery.testing.database import DatabaseServer
from imagegallery.testing.service import free_port
from imagegallery.testing.studio import picture
from imagegallery.testing.waiting import until

START_SECONDS = 60.0
MAX_UPLOAD = 2_000_000
HERE = Path(__file__).parent

ClientOf = Callable[[str | None], httpx.Client]


@frozen
class Server:
    """A running server. ``url`` is its root; ``objects`` the folder of the store."""

    url: str
    dsn: str
    objects: Path

    def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """What the database says."""

        async def fetch() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.dsn)
            try:
                return await connection.fetch(sql, *arguments)
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def stored(self, part: str = "") -> list[str]:
        """The files of the store whose path contains ``part``."""
        files = (path.relative_to(self.objects).as_posix() for path in self.objects.rglob("*") if path.is_file())
        return sorted(path for path in files if part in path and not path.endswith("/lock"))


@pytest.fixture(scope="session")
def server(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("service")
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(database_server.clone()) as dsn,
    ):
        port = free_port()
        environment = {
            **os.environ,
            "IMAGEGALLERY_DATA_DIR": str(directory),
            "IMAGEGALLERY_DATABASE_DSN": dsn,
            "IMAGEGALLERY_UPLOADS_MAX_SIZE": str(MAX_UPLOAD),
            "IMAGEGALLERY_IMAGING_PROCESSES": "1",
        }
        log = directory / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "served.py", str(port)], cwd=HERE, env=environment, stdout=output, stderr=output
            )
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", process, log)
            yield Server(f"http://127.0.0.1:{port}", dsn, directory / "objects")
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


@pytest.fixture
def client_of(server: Server) -> Iterator[ClientOf]:
    """A client of the API for a user, or for a visitor (``None``)."""
    clients: list[httpx.Client] = []

    def connect(user: str | None) -> httpx.Client:
        headers = {"X-User": user} if user else {}
        clients.append(httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=60))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def user() -> str:
    """A user nobody has seen before: tests share the server, not its contents."""
    return f"user-{uuid4()}"


@pytest.fixture
def owner(client_of: ClientOf, user: str) -> httpx.Client:
    return client_of(user)


@pytest.fixture
def stranger(client_of: ClientOf) -> httpx.Client:
    return client_of(f"user-{uuid4()}")


@pytest.fixture
def visitor(client_of: ClientOf) -> httpx.Client:
    return client_of(None)


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A small JPEG with something to see in it."""
    return picture(640, 480)


@pytest.fixture
def gallery(owner: httpx.Client) -> str:
    """The id of a public gallery of the owner's."""
    made = owner.post("/galleries", json={"name": "Lisbon", "visibility": "public"})
    return str(made.json()["data"]["id"])


def _is_complete(owner: httpx.Client, image_id: str) -> bool:
    return bool(owner.get(f"/images/{image_id}").json()["data"]["processing_status"] == "complete")


@pytest.fixture
def image(owner: httpx.Client, gallery: str, photo: bytes) -> str:
    """The id of an image in the gallery, with its variants made."""
    jpeg = {"Content-Type": "image/jpeg"}
    added = owner.post(f"/galleries/{gallery}/images?filename=tram.jpg", content=photo, headers=jpeg)
    image_id: str = added.json()["data"]["id"]
    until(lambda: _is_complete(owner, image_id))
    return image_id
