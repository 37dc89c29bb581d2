"""``imagegallery relay`` and ``imagegallery queue setup``, as processes of their own beside a worker."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import attrs
import pytest
from tests.cli.conftest import InProcess
from tests.support.servers.sqs import ClockedSqsServer
from tests.support.studio import picture

from imagegallery import ImageGallery, Principal, ProcessingStatus, Settings

OWNER = Principal.user("owner")


@pytest.fixture(scope="module")
def sqs_server() -> Iterator[ClockedSqsServer]:
    with ClockedSqsServer.running() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, sqs_server: ClockedSqsServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of all tests here, with queues of their own."""
    sqs = sqs_server.options()
    named = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "QUEUE_SQS_QUEUE_URL": str(sqs.queue_url),
        "QUEUE_SQS_ENDPOINT_URL": str(sqs.endpoint_url),
        "QUEUE_RELAY_IN_WORKER": "false",
    }
    for name, value in named.items():
        monkeypatch.setenv(f"IMAGEGALLERY_{name}", value)
    return Settings.from_env()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "tram.jpg"
    path.write_bytes(picture(160, 120))
    return path


@contextmanager
def running(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-m", "imagegallery.cli", *arguments])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def test_the_queues_are_made_once(settings: Settings, in_process: InProcess) -> None:
    base = settings.queue.sqs.queue_url
    planned = in_process("queue", "setup", "--dry-run")
    assert "would create " in planned.stdout, planned.stderr
    for action in ("create", "keep"):
        done = in_process("queue", "setup")
        assert done.stdout.splitlines() == [f"{action} {base}{suffix}" for suffix in ("-dead", "", "-low", "-idle")]


def test_an_address_that_is_no_queue_is_one_line(
    settings: Settings, in_process: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGALLERY_QUEUE_SQS_QUEUE_URL", "jobs")
    done = in_process("queue", "setup")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "queue.sqs needs whole URLs" in done.stderr


def test_doctor_says_whether_the_queues_are_there(settings: Settings, in_process: InProcess) -> None:
    before = sqs_check(in_process)
    assert (before["level"], "imagegallery queue setup" in before["remedy"]) == ("error", True)
    in_process("queue", "setup")
    assert sqs_check(in_process)["level"] == "ok"


def sqs_check(in_process: InProcess) -> dict[str, str]:
    checks = map(json.loads, in_process("doctor", "--json").stdout.splitlines())
    (found,) = (check for check in checks if check["name"] == "sqs")
    return cast(dict[str, str], found)


async def test_a_worker_does_what_the_relay_passes_on(settings: Settings, in_process: InProcess, photo: Path) -> None:
    await in_process.aside("queue", "setup")
    async with ImageGallery.open(settings) as gallery:
        with running("worker") as worker:
            image = await gallery.uploads.add(OWNER, photo)
            with running("relay") as killed:
                killed.kill()
            with running("relay") as relay:
                done = await gallery.images.wait_until_ready(OWNER, image.id)
        assert done.status is ProcessingStatus.COMPLETE
        assert (worker.returncode, relay.returncode) == (0, 0)


async def test_a_worker_is_its_own_relay_unless_told_otherwise(
    settings: Settings, in_process: InProcess, photo: Path
) -> None:
    await in_process.aside("queue", "setup")
    alone = attrs.evolve(settings, queue=attrs.evolve(settings.queue, relay_in_worker=True))
    async with ImageGallery.open(alone) as gallery:
        image = await gallery.uploads.add(OWNER, photo)
        async with gallery.worker():
            done = await gallery.images.wait_until_ready(OWNER, image.id)
        assert done.status is ProcessingStatus.COMPLETE
