"""What is shared ends in two processes of the service, whose pages are warm, with the next request."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import anyio
import httpx
import pytest
from attrs import frozen
from tests.support import shares
from tests.support.clock import START, ManualClock
from tests.support.library import Library, make_image
from tests.support.served import KEY, token_of
from tests.support.servers.service import running_service
from tests.support.shares import share

from imagegallery.database.pool import Database
from imagegallery.principal import Principal

ANA = Principal.user("ana")
LIMIT = 30  # seconds, of which milliseconds are used


@frozen
class Shared:
    """A private gallery of Ana's with one image, shared with Ben."""

    library: Library
    gallery_id: UUID
    image_id: UUID
    share_id: UUID

    @property
    def paths(self) -> tuple[str, str]:
        return f"/galleries/{self.gallery_id}", f"/galleries/{self.gallery_id}/images"


async def revoke(shared: Shared) -> None:
    await shares.change(shared.library.database, shared.share_id, revoked_at=START)


async def expire(shared: Shared) -> None:
    await shares.change(shared.library.database, shared.share_id, expires_at=START)


async def unshare(shared: Shared) -> None:
    await shares.unshare(shared.library.database, shared.share_id, shared.gallery_id)


async def send_away(shared: Shared) -> None:
    await shares.remove_recipients(shared.library.database, shared.share_id)


@pytest.fixture
async def clients(database_dsn: str, tmp_path: Path) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Ben's, of each process."""
    environment = {"IMAGEGALLERY_DATABASE_DSN": database_dsn, "IMAGEGALLERY_JWT_KEY": KEY}
    headers = {"Authorization": f"Bearer {token_of('ben')}"}
    with ExitStack() as stack:

        def start() -> list[str]:
            return [
                stack.enter_context(running_service(tmp_path / name, "--no-worker", environment=environment)).url
                for name in ("one", "other")
            ]

        urls = await anyio.to_thread.run_sync(start)
        made = [httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=LIMIT) for url in urls]
        yield made
        for client in made:
            await client.aclose()
        await anyio.to_thread.run_sync(stack.close)


async def shared_by(library: Library) -> Shared:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    image = await library.add_image(make_image(), gallery.id)
    share_id = await share(library.database, galleries=[gallery.id], to=["ben"])
    return Shared(library, gallery.id, image.id, share_id)


async def warm(client: httpx.AsyncClient, shared: Shared) -> None:
    """Both pages, and the short way to them."""
    for path in (*shared.paths, *shared.paths):
        with anyio.fail_after(LIMIT):
            while (answer := await client.get(path)).status_code != HTTPStatus.OK:
                pass  # its news have not come
        assert answer.headers["Cache-Control"] == "private, no-cache"


async def test_it_ends_for_the_next_request_in_both(
    clients: list[httpx.AsyncClient], database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    library = Library.on(database, tmp_path / "objects", clock)
    for end in (revoke, expire, unshare, send_away):
        shared = await shared_by(library)
        for client in clients:
            await warm(client, shared)
        await end(shared)
        for client in clients:
            for path in shared.paths:
                with anyio.fail_after(LIMIT):
                    while (await client.get(path)).status_code != HTTPStatus.NOT_FOUND:
                        pass  # it is told by PostgreSQL, in milliseconds
                assert (await client.get(path)).status_code == HTTPStatus.NOT_FOUND, end.__name__

    shared = await shared_by(library)
    for client in clients:
        await warm(client, shared)
    await library.galleries.remove_image(ANA, shared.gallery_id, shared.image_id)
    for client in clients:
        with anyio.fail_after(LIMIT):
            while str(shared.image_id) in (await client.get(shared.paths[1])).text:
                pass
        assert (await client.get(shared.paths[1])).json()["data"] == []
        assert (await client.get(f"/images/{shared.image_id}")).status_code == HTTPStatus.NOT_FOUND
    await check_links(clients, shared)


async def check_links(clients: list[httpx.AsyncClient], shared: Shared) -> None:
    """A link is looked up at each request: what ends it, or its visits, holds for the next one everywhere."""
    ana = {"Authorization": f"Bearer {token_of('ana')}"}
    owner = clients[0]
    said = {"targets": [{"gallery_id": str(shared.gallery_id)}], "password": "sesame"}
    made = (await owner.post("/shares", json=said, headers=ana)).json()["data"]
    address, link, path = f"/shares/{made['id']}", f"/s/{made['token']}", shared.paths[1]

    async def unlocked(client: httpx.AsyncClient, password: str) -> dict[str, str]:
        """The visit, whose pages are warm."""
        told = await client.post(f"{link}/unlock", json={"password": password})
        visit = {"Share-Visit": told.json()["data"]["visit"]["token"]}
        for _ in range(2):
            assert (await client.get(f"{link}{path}", headers=visit)).status_code == HTTPStatus.OK
        return visit

    visits = [await unlocked(client, "sesame") for client in clients]
    await owner.patch(address, json={"password": "open sesame"}, headers=ana)
    for client, visit in zip(clients, visits, strict=True):
        assert (await client.get(f"{link}{path}", headers=visit)).status_code == HTTPStatus.UNAUTHORIZED
    visits = [await unlocked(client, "open sesame") for client in clients]
    await owner.delete(address, headers=ana)
    for client, visit in zip(clients, visits, strict=True):
        assert (await client.get(f"{link}{path}", headers=visit)).status_code == HTTPStatus.GONE
