"""The handle of a gallery that will be open: what an application is put together with."""

import asyncio
import gc
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.support.clock import ManualClock
from tests.support.shared_engine import SharedEngine
from tests.support.studio import picture

from code_blocks import blocks_of
from imagegallery import ImageGallery, NotFound, OpenGallery, Principal, Settings, Unavailable, new_id
from imagegallery.cli.doctor_run import Examination
from imagegallery.database.pool import DatabaseOptions
from imagegallery.queue.attendance import PATIENCE, WARNING
from imagegallery.queue.worker import Worker
from imagegallery.upkeep.check import Level
from imagegallery_asgi import create_app

ME = Principal.user("ada")


@pytest.fixture
def handle(tmp_path: Path, database_dsn: str) -> OpenGallery:
    return ImageGallery.open(Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn)))


async def test_it_has_a_gallery_while_it_is_open(handle: OpenGallery) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        _ = handle.gallery
    async with handle as opened:
        assert handle.gallery is opened
    with pytest.raises(RuntimeError, match="not open"):
        _ = handle.gallery


async def test_a_data_directory_that_others_may_enter_is_said(
    handle: OpenGallery, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o755)
    async with handle:
        assert f"chmod 700 {tmp_path}" in caplog.text
    caplog.clear()
    tmp_path.chmod(0o700)
    async with handle:
        assert "chmod" not in caplog.text
    assert [(tmp_path / name).stat().st_mode & 0o077 for name in ("objects", "scratch")] == [0, 0]


def test_doctor_names_what_others_may_enter(tmp_path: Path) -> None:
    examination = Examination(Settings.embedded(tmp_path))
    (tmp_path / "objects").mkdir(mode=0o755)
    assert examination._data_dir().remedy == f"chmod 700 {tmp_path / 'objects'}"
    (tmp_path / "objects").chmod(0o700)
    assert examination._data_dir().level is Level.OK
    tmp_path.chmod(0o750)
    assert examination._data_dir().remedy == f"chmod 700 {tmp_path}"


async def test_it_opens_once_at_a_time(handle: OpenGallery) -> None:
    async with handle as first:
        with pytest.raises(RuntimeError, match="already"):
            await handle.__aenter__()
        assert handle.gallery is first
        await first.ready()
    async with handle as second:
        assert second is not first
        await second.ready()


async def test_it_is_not_ready_while_a_background_task_keeps_failing(handle: OpenGallery) -> None:
    async with handle as gallery:
        for _ in range(3):
            gallery._resources.health.failed("listening")
        with pytest.raises(Unavailable, match="listening"):
            await gallery.ready()
        assert gallery.server.task_failures == {"listening": 3}


async def test_with_a_worker_it_makes_variants_and_without_one_readiness_says_so(
    tmp_path: Path, database_dsn: str, clock: ManualClock, imaging_engine: SharedEngine
) -> None:
    settings = Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings, engine=imaging_engine, clock=clock) as gallery:
        image = await gallery.uploads.add(ME, picture(90, 60), filename="tram.jpg")
        transport = httpx.ASGITransport(create_app(gallery), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            assert (await client.get("/readyz")).json()["warnings"] == []
            clock.advance(PATIENCE * 2)
            for _ in range(2):
                await gallery._resources.attendance.look()
            answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["warnings"]) == (200, [WARNING])
    async with ImageGallery.open(settings, engine=imaging_engine, clock=clock, worker=True) as gallery:
        await gallery.images.wait_until_ready(ME, image.id)


@pytest.fixture
async def lived_in(handle: OpenGallery) -> AsyncIterator[ImageGallery]:
    """The plugin sets it up in one task and tears it down in another."""
    async with handle as gallery, gallery.worker():
        yield gallery


async def test_it_may_be_a_fixture(lived_in: ImageGallery) -> None:
    await lived_in.ready()


PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "react.md"
HOST_TESTS = """
from imagegallery import NotFound, Principal, new_id


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_it(gallery):
    with pytest.raises(NotFound):
        await gallery.galleries.get(Principal.user("ada"), new_id())
"""


def test_it_may_be_a_fixture_of_anyio_s_plugin_too(tmp_path: Path, database_dsn: str) -> None:
    (fixture,) = (each.code for each in blocks_of(PAGE.read_text()) if each.runner == "tests/test_open_gallery.py")
    (tmp_path / "test_host.py").write_text(fixture + HOST_TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:cacheprovider", "test_host.py"]
    variables = os.environ | {"IMAGEGALLERY_DATABASE_DSN": database_dsn, "IMAGEGALLERY_DATA_DIR": str(tmp_path)}
    run = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


async def test_one_task_opens_it_and_its_worker_and_another_closes_them(handle: OpenGallery) -> None:
    gallery = await asyncio.create_task(handle.__aenter__())
    working = gallery.worker()
    await asyncio.create_task(working.__aenter__())
    await gallery.ready()
    await asyncio.create_task(working.__aexit__(None, None, None))
    await asyncio.create_task(handle.__aexit__(None, None, None))
    with pytest.raises(RuntimeError, match="not open"):
        _ = handle.gallery


async def test_closing_it_ends_the_workers_that_were_forgotten(handle: OpenGallery) -> None:
    async with handle as gallery:
        working = gallery.worker()
        worker = await working.__aenter__()
    await worker.stopped()
    await working.__aexit__(None, None, None)


def test_with_its_event_loop_it_ends_and_says_so(handle: OpenGallery, caplog: pytest.LogCaptureFixture) -> None:
    async def open_it_and_go() -> ImageGallery:
        gallery = await handle.__aenter__()
        await gallery.worker().__aenter__()
        gc.collect()
        return gallery

    async def use() -> None:
        await gallery.galleries.list(ME)

    gallery = asyncio.run(open_it_and_go())
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]
    with pytest.raises(RuntimeError, match="another event loop, which has ended"):
        asyncio.run(use())

    async def open_it_again() -> None:
        async with handle as opened:
            await opened.ready()

    asyncio.run(open_it_again())


FORKS = """
import asyncio, multiprocessing, sys
from imagegallery import ImageGallery, Principal

opening, me = ImageGallery.open(worker=True), Principal.user("ada")


async def create(name):
    async with opening as gallery:
        return (await gallery.galleries.create(me, name=name)).name


def in_child(gallery):
    try:
        asyncio.run(gallery.galleries.list(me))
    except RuntimeError as error:
        assert "before the process was forked" in str(error)
        assert asyncio.run(create("of the child")) == "of the child"


async def main():
    async with opening as gallery:
        child = multiprocessing.get_context("fork").Process(target=in_child, args=(gallery,))
        child.start()
        await asyncio.to_thread(child.join)
        await gallery.ready()
        names = [each.name for each in (await gallery.galleries.list(me)).items]
        print(child.exitcode, *names)


asyncio.run(main())
"""


def test_a_fork_while_a_worker_runs_may_open_it_in_its_own_loop(tmp_path: Path, database_dsn: str) -> None:
    variables = os.environ | {"IMAGEGALLERY_DATABASE_DSN": database_dsn, "IMAGEGALLERY_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", FORKS]
    run = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=120)
    assert run.stdout.split(maxsplit=1) == ["0", "of the child\n"], run.stderr


async def test_a_worker_that_keeps_failing_is_told(
    handle: OpenGallery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: object, **__: object) -> None:
        raise LookupError("what nobody thought of")

    monkeypatch.setattr(Worker, "run", fail)
    async with handle as gallery, gallery.worker() as worker:
        worker._stopped.set()
        assert "working failed, and begins again" in caplog.text
        assert gallery.server.task_failures == {"working": 1}
        for _ in range(2):
            gallery._resources.health.failed("working")
        with pytest.raises(Unavailable, match="working"):
            await gallery.ready()


async def test_beside_a_worker_an_error_is_still_the_one_that_was_raised(handle: OpenGallery) -> None:
    with pytest.raises(NotFound):
        async with handle as gallery, gallery.worker():
            await gallery.galleries.get(Principal.user("ada"), new_id())
