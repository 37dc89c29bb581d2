"""A real server process, with a database and a folder of its own, and clients of several users."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.database import DatabaseServer
from tests.support.photographs import photograph
from tests.support.servers.api import ApiServer, running_api
from tests.support.waiting import until

MAX_UPLOAD = 2_000_000
PARTS_THRESHOLD = 500_000
PART_SIZE = 300_000
SMALL = {
    "IMAGEGALLERY_UPLOADS_MAX_SIZE": str(MAX_UPLOAD),
    "IMAGEGALLERY_UPLOADS_PARTS_THRESHOLD": str(PARTS_THRESHOLD),
    "IMAGEGALLERY_UPLOADS_PART_SIZE": str(PART_SIZE),
    "IMAGEGALLERY_IMAGING_PROCESSES": "1",
    "IMAGEGALLERY_ADMINISTRATION_GUEST_UPLOADS": "true",
    "IMAGEGALLERY_WEBHOOKS_ALLOW_PRIVATE": "true",
    "IMAGEGALLERY_POLICIES_AVATAR_SINGLE": "true",
    "IMAGEGALLERY_POLICIES_AVATAR_PRESETS": "thumbnail",
    "IMAGEGALLERY_POLICIES_ITEM_MIN_WIDTH": "100",
    "IMAGEGALLERY_POLICIES_ITEM_MAX_IMAGES": "1",
}
"""The settings of the servers of these tests."""

ClientOf = Callable[[str | None], httpx.Client]


@pytest.fixture(scope="session")
def server(database_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    script = Path(__file__).with_name("served.py")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(database_server.clone()) as dsn,
        running_api(script, dsn, tmp_path_factory.mktemp("service"), SMALL) as running,
    ):
        yield running


@pytest.fixture
def client_of(server: ApiServer) -> Iterator[ClientOf]:
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
    """A small JPEG that has AVIF variants."""
    return photograph(640, 480)


@pytest.fixture
def gallery(owner: httpx.Client) -> str:
    """The id of a public gallery of the owner's."""
    made = owner.post("/galleries", json={"name": "Lisbon", "visibility": "public"})
    return str(made.json()["data"]["id"])


def _is_complete(owner: httpx.Client, image_id: str) -> bool:
    """Its AVIF variants, the ``sources``, come after it is complete, and change its pages once more."""
    image = owner.get(f"/images/{image_id}").json()["data"]
    return bool(image["processing_status"] == "complete" and image["sources"])


@pytest.fixture
def image(owner: httpx.Client, gallery: str, photo: bytes) -> str:
    """The id of an image in the gallery, with its variants made."""
    jpeg = {"Content-Type": "image/jpeg"}
    added = owner.post(f"/galleries/{gallery}/uploads?filename=tram.jpg", content=photo, headers=jpeg)
    image_id: str = added.json()["data"]["id"]
    until(lambda: _is_complete(owner, image_id))
    return image_id
