"""``imagegallery relay`` and ``imagegallery queue setup``, as processes of their own beside a worker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import attrs
import pytest

from imagegallery import ImageGallery, Principal, ProcessingStatus, Settings
from imagegallery.testing.sqs import AWS, SqsServer

OWNER = Principal.user("owner")


@pytest.fixture(scope="module")
def sqs_server() -> Iterator[SqsServer]:
    with SqsServer.running() as server:
        yield server


@pytest.fixture
def settings(sqs_server: SqsServer, database_dsn: str, tmp_path: Path) -> Settings:
    plain = Settings.embedded(tmp_path / "data")
    return attrs.evolve(
        plain,
        database=attrs.evolve(plain.database, dsn=database_dsn),
        aws=AWS,
        queue=attrs.evolve(plain.queue, sqs=sqs_server.options(), relay_in_worker=False),
    )


def environment(settings: Settings, **more: str) -> Mapping[str, str]:
    """The same settings for another process."""
    named = {
        "DATA_DIR": settings.data_dir,
        "DATABASE_DSN": settings.database.dsn,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "QUEUE_SQS_QUEUE_URL": settings.queue.sqs.queue_url,
        "QUEUE_SQS_ENDPOINT_URL": settings.queue.sqs.endpoint_url,
        "QUEUE_RELAY_IN_WORKER": settings.queue.relay_in_worker,
        **more,
    }
    return {**os.environ, **{f"IMAGEGALLERY_{name}": str(value) for name, value in named.items()}}


def imagegallery(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "imagegallery.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(settings))


@contextmanager
def running(settings: Settings, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-m", "imagegallery.cli", *arguments], env=environment(settings))
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def test_the_queues_are_made_once(settings: Settings) -> None:
    base = settings.queue.sqs.queue_url
    planned = imagegallery(settings, "queue", "setup", "--dry-run")
    assert "would create " in planned.stdout, planned.stderr
    for action in ("create", "keep"):
        done = imagegallery(settings, "queue", "setup")
        assert done.stdout.splitlines() == [f"{action} {base}{suffix}" for suffix in ("-dead", "", "-low", "-idle")]


def test_an_address_that_is_no_queue_is_one_line(settings: Settings) -> None:
    named = attrs.evolve(settings.queue.sqs, queue_url="jobs")
    done = imagegallery(attrs.evolve(settings, queue=attrs.evolve(settings.queue, sqs=named)), "queue", "setup")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "queue.sqs needs whole URLs" in done.stderr


def test_doctor_says_whether_the_queues_are_there(settings: Settings) -> None:
    before = sqs_check(settings)
    assert (before["level"], "imagegallery queue setup" in before["remedy"]) == ("error", True)
    imagegallery(settings, "queue", "setup")
    assert sqs_check(settings)["level"] == "ok"


def sqs_check(settings: Settings) -> dict[str, str]:
    checks = map(json.loads, imagegallery(settings, "doctor", "--json").stdout.splitlines())
    (found,) = (check for check in checks if check["name"] == "sqs")
    return cast(dict[str, str], found)


async def test_a_worker_does_what_the_relay_passes_on(settings: Settings, photo: Path) -> None:
    imagegallery(settings, "queue", "setup")
    async with ImageGallery.open(settings) as gallery:
        with running(settings, "worker") as worker:
            image = await gallery.uploads.add(OWNER, photo)
            with running(settings, "relay") as killed:
                killed.kill()
            with running(settings, "relay") as relay:
                done = await gallery.images.wait_until_ready(OWNER, image.id)
        assert done.status is ProcessingStatus.COMPLETE
        assert (worker.returncode, relay.returncode) == (0, 0)


async def test_a_worker_is_its_own_relay_unless_told_otherwise(settings: Settings, photo: Path) -> None:
    imagegallery(settings, "queue", "setup")
    alone = attrs.evolve(settings, queue=attrs.evolve(settings.queue, relay_in_worker=True))
    async with ImageGallery.open(alone) as gallery:
        image = await gallery.uploads.add(OWNER, photo)
        async with gallery.worker():
            done = await gallery.images.wait_until_ready(OWNER, image.id)
        assert done.status is ProcessingStatus.COMPLETE
