"""Resumable uploads over connections that break, requests that meet, and servers that die; with a client of others."""

import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from attrs import frozen
from PIL import Image as Pillow
from tests.support.database import DatabaseServer
from tests.support.servers.api import ApiServer
from tests.support.waiting import until
from tusclient.client import TusClient

from imagegallery.dev_stack.ports import free_port

API = "/api/v1"
VERSION = {"Tus-Resumable": "1.0.0"}
FIRST_PIECE = {**VERSION, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
IN_PROGRESS = "SELECT FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture(scope="module")
def large() -> bytes:
    """A picture of more than the megabyte that the store writes at a time, and of less than the limit."""
    file = io.BytesIO()
    Pillow.effect_noise((1600, 1250), 90).save(file, "JPEG", quality=85)
    body = file.getvalue()
    assert 1_200_000 < len(body) < 2_000_000, len(body)
    return body


def begin(client: httpx.Client, size: int) -> str:
    metadata = "filename dHJhbS5qcGc=,filetype aW1hZ2UvanBlZw=="
    headers = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": metadata}
    answer = client.post("/uploads/resumable", headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"]).removeprefix(API)


def offset_of(client: httpx.Client, path: str) -> int:
    return int(client.head(path, headers=VERSION).headers["Upload-Offset"])


def patch(client: httpx.Client, path: str, data: bytes, offset: int) -> httpx.Response:
    headers = {**VERSION, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    return client.patch(path, content=data, headers=headers)


def image_of(client: httpx.Client, path: str) -> str:
    """The SHA-256 of the image that an upload became."""
    session = client.get(f"/uploads/{path.rpartition('/')[2]}").json()["data"]
    return str(client.get(f"/images/{session['image_id']}").json()["data"]["sha256"])


@contextmanager
def half_sent(
    client: httpx.Client,
    path: str,
    data: bytes,
    announced: int,
    *,
    method: str = "PATCH",
    headers: Mapping[str, str] = FIRST_PIECE,
) -> Iterator[socket.socket]:
    """A request that announces more than it sends, and waits."""
    url = urlsplit(str(client.base_url))
    user = client.headers["X-User"]
    fields = {**headers, "Host": url.netloc, "X-User": user, "Content-Length": str(announced)}
    head = f"{method} {API}{path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=60) as connection:
        connection.sendall(f"{head}\r\n".encode() + data)
        yield connection


# --- connections ---------------------------------------------------------------------------------------------


def test_what_came_before_a_broken_connection_is_kept(owner: httpx.Client, server: ApiServer, photo: bytes) -> None:
    path = begin(owner, len(photo))
    half = len(photo) // 2
    with half_sent(owner, path, photo[:half], len(photo)):
        pass
    row = "SELECT FROM upload_sessions WHERE incoming_key = $1 AND received_offset = $2"
    until(lambda: bool(server.rows(row, f"incoming/{path.rpartition('/')[2]}", half)))
    assert offset_of(owner, path) == half
    assert patch(owner, path, photo[half:], half).status_code == 204
    assert image_of(owner, path) == hashlib.sha256(photo).hexdigest()


def test_a_new_request_ends_the_one_in_flight(owner: httpx.Client, server: ApiServer, photo: bytes) -> None:
    path = begin(owner, len(photo))
    with half_sent(owner, path, photo[: len(photo) // 2], len(photo)) as stuck:
        until(lambda: bool(server.rows(IN_PROGRESS)))
        offset = offset_of(owner, path)
        assert patch(owner, path, photo[offset:], offset).status_code == 204
        assert stuck.recv(65_536).split()[1] == b"409"
    assert image_of(owner, path) == hashlib.sha256(photo).hexdigest()


def test_two_clients_on_one_upload_make_one_image(owner: httpx.Client, server: ApiServer, photo: bytes) -> None:
    path = begin(owner, len(photo))
    with half_sent(owner, path, photo[:1000], len(photo)), half_sent(owner, path, photo[:2000], len(photo)):
        until(lambda: bool(server.rows(IN_PROGRESS)))
        while (offset := offset_of(owner, path)) < len(photo):
            patch(owner, path, photo[offset : offset + 20_000], offset)
    assert image_of(owner, path) == hashlib.sha256(photo).hexdigest()
    images = owner.get("/images").json()["data"]
    assert len(images) == 1


# --- servers -------------------------------------------------------------------------------------------------


@frozen
class Service:
    """The API in a process group of its own, over a database and a folder that outlive it."""

    process: "subprocess.Popen[bytes]"
    url: str

    def kill(self) -> None:
        """``kill -9``, for it and all that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)


@contextmanager
def serving(dsn: str, directory: Path) -> Iterator[Service]:
    port = free_port()
    settings = {
        "IMAGEGALLERY_DATA_DIR": str(directory),
        "IMAGEGALLERY_DATABASE_DSN": dsn,
        "IMAGEGALLERY_IMAGING_PROCESSES": "1",
    }
    with (directory / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "served.py", str(port)],
            cwd=Path(__file__).parents[1],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    service = Service(process, f"http://127.0.0.1:{port}")
    try:
        until(lambda: process.poll() is not None or _is_ready(service.url))
        assert process.poll() is None, (directory / "server.log").read_text()
        yield service
    finally:
        if process.poll() is None:
            service.kill()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_killed_server_knows_how_far_it_was(database_server: DatabaseServer, tmp_path: Path, large: bytes) -> None:
    def growing() -> int:
        return sum(path.stat().st_size for path in (tmp_path / "objects" / ".scratch" / "growing").iterdir())

    headers = {"X-User": "ada"}
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(database_server.clone()) as dsn:
        with serving(dsn, tmp_path) as service, httpx.Client(base_url=f"{service.url}{API}", headers=headers) as ada:
            path = begin(ada, len(large))
            with half_sent(ada, path, large[:1_200_000], len(large)):
                until(lambda: growing() > 0)
                service.kill()
        with serving(dsn, tmp_path) as service, httpx.Client(base_url=f"{service.url}{API}", headers=headers) as ada:
            offset = offset_of(ada, path)
            assert 0 < offset == growing() <= 1_200_000
            assert patch(ada, path, large[offset:], offset).status_code == 204
            assert image_of(ada, path) == hashlib.sha256(large).hexdigest()


# --- tuspy ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mount", ["", "/pictures"])
@pytest.mark.parametrize("checked", [False, True])
def test_tuspy_uploads(
    mount: str, checked: bool, server: ApiServer, owner: httpx.Client, user: str, large: bytes
) -> None:
    client = TusClient(f"{server.url}{mount}{API}/uploads/resumable", headers={"X-User": user})
    metadata = {"filename": "tram.jpg", "filetype": "image/jpeg"}
    uploader = client.uploader(
        file_stream=io.BytesIO(large), chunk_size=300_000, metadata=metadata, upload_checksum=checked
    )
    uploader.upload(stop_at=700_000)
    assert uploader.offset >= 700_000
    again = client.uploader(file_stream=io.BytesIO(large), chunk_size=300_000, url=uploader.url)
    assert again.get_offset() == uploader.offset
    again.upload()
    assert (
        image_of(owner, f"/uploads/{urlsplit(str(uploader.url)).path.rpartition('/')[2]}")
        == hashlib.sha256(large).hexdigest()
    )
