"""Stopping a service that is at work: readiness goes first, the door closes, what has begun is finished."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.servers.service import RunningService, running_service
from tests.support.studio import picture
from tests.support.waiting import until

from imagegallery import Settings

LONG = "3600"


@pytest.fixture(scope="module")
def body() -> bytes:
    return picture(640, 480)


def gallery_of(service: RunningService) -> str:
    """The path that takes images into a new gallery."""
    made = httpx.post(f"{service.url}/api/v1/galleries", json={"name": "Lisbon"}).raise_for_status()
    return f"/api/v1/galleries/{made.json()['data']['id']}/uploads"


@contextmanager
def upload_begun(service: RunningService, body: bytes) -> Iterator[socket.socket]:
    """A connection on which half of a photograph has been sent."""
    url = urlsplit(service.url)
    path = gallery_of(service)
    assert url.hostname is not None
    with closing(socket.create_connection((url.hostname, url.port or 80))) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}"
        connection.sendall(f"{head}\r\n\r\n".encode() + body[: len(body) // 2])
        yield connection


def status_of(connection: socket.socket) -> int:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def readiness(service: RunningService) -> int | None:
    """The status of ``/readyz``, asked for on a connection of its own; ``None`` if nobody takes it."""
    try:
        return httpx.get(f"{service.url}/readyz").status_code
    except httpx.ConnectError:
        return None


def test_on_sigterm_readiness_goes_first_and_an_upload_that_has_begun_ends_well(
    settings: Settings, body: bytes
) -> None:
    with (
        running_service(settings.data_dir, "--no-worker", "--drain", "3") as service,
        upload_begun(service, body) as upload,
    ):
        service.process.send_signal(signal.SIGTERM)
        until(lambda: readiness(service) == 503)
        assert httpx.get(f"{service.url}/api/v1/galleries").status_code == 200
        assert httpx.get(f"{service.url}/healthz").status_code == 200
        until(lambda: readiness(service) is None)
        assert service.process.poll() is None
        upload.sendall(body[len(body) // 2 :])
        assert status_of(upload) == 202
        assert service.process.wait(60) == 0


def test_a_second_sigterm_waits_for_nothing(settings: Settings, body: bytes) -> None:
    options = ("--drain", LONG, "--grace", LONG)
    with running_service(settings.data_dir, *options) as service, upload_begun(service, body) as upload:
        service.process.send_signal(signal.SIGTERM)
        until(lambda: readiness(service) == 503)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
        assert readiness(service) is None
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            status_of(upload)


def test_an_upload_that_does_not_end_is_given_up_after_the_grace(settings: Settings, body: bytes) -> None:
    options = ("--no-worker", "--drain", "0", "--grace", "1")
    with running_service(settings.data_dir, *options) as service, upload_begun(service, body) as upload:
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            status_of(upload)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux who is whose child")
def test_no_process_that_serves_outlives_the_one_that_started_it(settings: Settings) -> None:
    with running_service(settings.data_dir, "--no-worker") as service:
        (nursery,) = children_of(service.process.pid)
        (api,) = children_of(nursery)
        os.kill(api, signal.SIGKILL)
        assert service.process.wait(60) == 1
        until(lambda: readiness(service) is None)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_without_a_worker_jobs_wait_for_one_elsewhere(settings: Settings, body: bytes) -> None:
    with running_service(settings.data_dir, "--no-worker") as service:
        added = httpx.post(f"{service.url}{gallery_of(service)}", content=body, headers={"Content-Type": "image/jpeg"})
        image = f"{service.url}/api/v1/images/{added.json()['data']['id']}"
        waiting = 'imagegallery_queue_jobs{state="waiting"} 0.0'
        assert waiting not in httpx.get(f"{service.url}/metrics").text
        assert httpx.get(image).json()["data"]["processing_status"] == "pending"
        with worker():
            until(lambda: httpx.get(image).json()["data"]["processing_status"] == "complete")


@contextmanager
def worker() -> Iterator[None]:
    command = [sys.executable, "-m", "imagegallery.cli", "worker", "--concurrency", "1"]
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        assert process.wait(60) == 0
