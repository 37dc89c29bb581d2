"""An application's functions, called by the processes that commands start: ``--app package.module:name``."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest
from tests.cli.conftest import InProcess
from tests.support.servers.service import running_service
from tests.support.studio import picture
from tests.support.waiting import until

from code_blocks import blocks_of
from imagegallery import Principal
from imagegallery.sync import open_gallery

ROOT = Path(__file__).parents[3]
ADA = Principal.user("ada")
PAGE = ROOT / "docs" / "how-to" / "react.md"
POST = """
from pathlib import Path


async def send(to: str, text: str, *, once: str) -> None:
    Path(f"sent-{once}").write_text(text)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of its processes, with the modules that the page shows."""
    shop = tmp_path / "shop"
    shop.mkdir()
    names = ("pictures.py", "letters.py", "app.py")
    shown = [block.code for block in blocks_of(PAGE.read_text()) if block.runner and "test_app" in block.runner]
    for name, code in zip(names, shown, strict=False):
        (shop / name).write_text(code)
    (shop / "post.py").write_text(POST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def worker(log: Path, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        command = [sys.executable, "-m", "imagegallery.cli", "worker", *options]
        process = subprocess.Popen(command, stdout=output, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def until_heard(upload: Callable[[int], None], is_heard: Callable[[], bool]) -> None:
    """Upload pictures until the functions were called: they are not for what happened before the worker knew them."""
    numbers = count()

    def go_on() -> bool:
        upload(next(numbers))
        return is_heard()

    until(go_on)


def test_a_worker_calls_what_the_modules_of_the_application_registered(
    folder: Path, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGALLERY_DATABASE_DSN", database_dsn)
    monkeypatch.setenv("IMAGEGALLERY_DATA_DIR", str(folder / "data"))
    log = folder / "worker.log"
    with open_gallery() as gallery, worker(log, "--app", "shop.app:pics") as process:

        def upload(number: int) -> None:
            added = [gallery.uploads.add(ADA, picture(90, 60 + 2 * number + each)) for each in range(2)]
            gallery.images.delete(ADA, added[0].id)

        until_heard(upload, lambda: any(folder.glob("sent-*")) and "one less in" in log.read_text())
    assert process.returncode == 0
    assert "is ready." in next(folder.glob("sent-*")).read_text()


def test_serve_calls_them_too_with_the_settings_of_the_application(folder: Path) -> None:
    own_settings = "import Settings, ImageGallery", "define(Settings.embedded('photos of the shop'))"
    shown = (folder / "shop" / "pictures.py").read_text()
    (folder / "shop" / "pictures.py").write_text(
        shown.replace("import ImageGallery", own_settings[0]).replace("define()", own_settings[1])
    )
    with (
        running_service(folder / "data", "--app", "shop.app:pics") as service,
        httpx.Client(base_url=service.url) as api,
    ):
        lisbon = api.post("/api/v1/galleries", json={"name": "Lisbon"}).raise_for_status().json()["data"]

        def upload(number: int) -> None:
            images, headers = f"/api/v1/galleries/{lisbon['id']}/images", {"Content-Type": "image/jpeg"}
            api.post(images, content=picture(90, 60 + number), headers=headers).raise_for_status()

        until_heard(upload, lambda: any(folder.glob("sent-*")))
        assert service.interrupt() == 0
    assert (folder / "data" / "postgres").is_dir()
    assert not (folder / "photos of the shop").exists()


def test_what_is_wrong_with_it_is_one_error(folder: Path, in_process: InProcess) -> None:
    for command in ("worker", "relay", "migrate", "serve"):
        ended = in_process(command, "--app", "shopp.app:pics")
        assert ended.returncode == 1
        assert ended.stderr.startswith("Error: --app: 'shopp.app:pics' cannot be imported: there is no module shopp")
