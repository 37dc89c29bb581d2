"""The hosts without an event loop, as they stand on their page, over a service that makes the variants."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import nbformat
import pytest
from nbclient import NotebookClient
from tests.support.servers.service import RunningService
from tests.support.studio import picture

from code_blocks import blocks_of

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "synchronous.md"
SCRIPT, FLASK, DJANGO, CELERY, NOTEBOOK = (
    block.code for block in blocks_of(PAGE.read_text()) if block.language == "python"
)


@pytest.fixture
def folder(service: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a photograph and the data of the service, which others join by their environment."""
    (tmp_path / "photo.jpg").write_bytes(picture(320, 240))
    (tmp_path / "data").symlink_to(service.data_dir)
    monkeypatch.setenv("IMAGEGALLERY_DATA_DIR", str(service.data_dir))
    return tmp_path


def run(program: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=120
    )
    return done.stdout


def test_a_script(folder: Path) -> None:
    assert run(SCRIPT, folder).startswith("/objects/")


FLASK_CLIENT = """
from uuid import UUID

visitor = app.test_client()
with open("photo.jpg", "rb") as photo:
    added = visitor.post("/photos", data={"photo": (photo, "photo.jpg")})
assert added.status_code == 201, added.text
gallery.images.wait_until_ready(signed_in(), UUID(added.json["id"]))
shown = visitor.get(f"/photos/{added.json['id']}/small")
print(shown.status_code, shown.location)
missing = visitor.get("/photos/01a22c2d-f393-70fe-ad01-ee11d50852c9/small")
print(missing.status_code, missing.json["error"])
"""


def test_flask(folder: Path) -> None:
    shown, missing = run(FLASK + FLASK_CLIENT, folder).splitlines()
    assert shown.startswith("302 /objects/")
    assert missing == "404 There is no such image."


DJANGO_CLIENT = """
import asyncio
from types import SimpleNamespace
from uuid import UUID

import django
from django.conf import settings
from django.urls import path

def signed_in(get_response):
    def middleware(request):
        request.user = SimpleNamespace(pk=7)
        return get_response(request)
    return middleware

settings.configure(ROOT_URLCONF=__name__, MIDDLEWARE=[f"{__name__}.signed_in"], ALLOWED_HOSTS=["*"])
django.setup()

import views

urlpatterns = [path("photos", views.add_photo), path("photos/<uuid:image_id>/<size>", views.show_photo)]

from django.test import AsyncClient, Client

with open("photo.jpg", "rb") as photo:
    added = Client().post("/photos", {"photo": photo})
assert added.status_code == 201, added.content
image_id = added.json()["id"]
views.gallery.images.wait_until_ready(views.Principal.user(7), UUID(image_id))
for shown in (Client().get(f"/photos/{image_id}/small"), asyncio.run(AsyncClient().get(f"/photos/{image_id}/small"))):
    print(shown.status_code, shown.headers["Location"])
"""


def test_django(folder: Path) -> None:
    (folder / "views.py").write_text(DJANGO)
    (folder / "site_of_tests.py").write_text(DJANGO_CLIENT)
    for shown in run("import site_of_tests", folder).splitlines():
        assert shown.startswith("302 /objects/")


# The parent of the pool has the gallery open before it forks, which is the worst that can happen.
CELERY_PLACE = """
app.conf.broker_transport_options = {"data_folder_in": "broker", "data_folder_out": "broker"}
gallery.ready()
"""
CELERY_CLIENT = """
import tasks
print(*[tasks.add_photo.delay("ana", "photo.jpg").get(timeout=60) for _ in range(2)], sep="\\n")
"""


def test_celery(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "tasks.py").write_text(CELERY + CELERY_PLACE)
    for name in ("broker", "results"):
        (folder / name).mkdir()
    monkeypatch.setenv("BROKER_URL", "filesystem://")
    monkeypatch.setenv("RESULT_BACKEND", f"file://{folder / 'results'}")
    command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool", "prefork", "--concurrency", "2"]
    with (folder / "celery.log").open("wb") as log:
        worker = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "C_FORCE_ROOT": "1"})
    try:
        first, second = map(UUID, run(CELERY_CLIENT, folder).splitlines())
        assert first != second
    finally:
        worker.terminate()
        worker.wait(60)


def test_a_notebook(folder: Path) -> None:
    rest: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [
        {"id": name, "source": source, **rest} for name, source in (("shown", NOTEBOOK), ("end", "gallery.close()"))
    ]
    notebook = nbformat.from_dict(  # type: ignore[no-untyped-call] # says nothing of its types
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    (shown,) = notebook.cells[0].outputs
    assert shown["data"]["text/plain"] == "'Lisbon'"
