"""A worker that dies in the middle of a job, and the next one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from tests.support.waiting import until

from imagegallery import Image, ImageGallery, Principal, ProcessingStatus, Settings

OWNER = Principal.user("owner")
SHORT_LEASE = {"IMAGEGALLERY_QUEUE_LEASE": "0:00:02"}


@pytest.fixture
def small_presets() -> None:
    """The default ones, and so a job that takes its time."""


@contextmanager
def _worker() -> "Iterator[subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "imagegallery.cli", "worker"]
    process = subprocess.Popen(command, env={**os.environ, **SHORT_LEASE})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _stored(data_dir: Path) -> set[str]:
    root = data_dir / "objects"
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {str(path) for path in files if not path.parts[0].startswith(".")}


def _recorded(image: Image) -> set[str]:
    return {image.original_key, *(variant.key for variant in image.variants)}


async def test_the_next_worker_does_the_job_and_nothing_is_left_over(settings: Settings, photo: Path) -> None:
    data_dir = settings.data_dir
    async with ImageGallery.open(settings) as gallery:
        image = await gallery.uploads.add(OWNER, photo)
        with _worker() as first:
            await anyio.to_thread.run_sync(until, lambda: len(_stored(data_dir)) > 1)
            first.kill()  # it has stored a variant, and has more to do
        with _worker() as second:
            with anyio.fail_after(120):
                while (stats := await gallery.server.queue.stats()).waiting or stats.running:
                    pass
        assert second.returncode == 0
        assert stats.dead == 0
        done = await gallery.images.get(OWNER, image.id)
        assert done.status is ProcessingStatus.COMPLETE
        presets = {(preset.name, preset.format) for preset in gallery.variants.presets}
        made = {(each.variant_type, each.format) for each in done.variants}
        assert {name for name, _ in presets} == {name for name, _ in made}
        assert made <= presets  # less the AVIF that are no smaller
    assert _stored(data_dir) == _recorded(done)
    assert [path.name for path in (data_dir / "scratch").iterdir()] == ["lock"]
