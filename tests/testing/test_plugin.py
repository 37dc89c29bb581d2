"""The pytest plugin for applications: what its fixtures give, here and in the test runs of small hosts."""

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, create_autospec
from uuid import UUID

import asyncpg
import attrs
import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.database import DatabaseServer
from tests.support.studio import picture

from code_blocks import blocks_of
from imagegallery import Event, ImageGallery, ImageReady, NotFound, Principal
from imagegallery.database.connection import Connection
from imagegallery.gallery import Definition
from imagegallery.images.image.image import ProcessingStatus
from imagegallery.queue.job import QueueStats
from imagegallery.sync import SyncGallery
from imagegallery.testing import MemoryStore, make_gallery, make_image
from imagegallery.testing.records import NotEmptied
from imagegallery.testing.shared_parts import SharedParts

ME = Principal.user("ada")
PHOTO = picture(320, 240)
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'imagegallery'::regnamespace AND relkind = 'r' AND relname <> 'schema_migrations'"""

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "test.md"
ASYNC, SYNC, CONFTEST, DJANGO_DSN, VALUES = (block.code for block in blocks_of(PAGE.read_text()))

heard: list[UUID] = []
pics = ImageGallery.define()


@pics.on(ImageReady)
async def hear(event: Event[ImageReady]) -> None:
    heard.append(event.data.image_id)


@pytest.fixture(scope="session")
def imagegallery_dsn(database_server: DatabaseServer) -> Iterator[str]:
    """As an application says which database its tests use."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(database_server.empty()) as dsn:
        yield dsn


@pytest.fixture
def imagegallery_definition() -> Definition:
    heard.clear()
    return pics


@pytest.fixture
async def host(imagegallery_parts: SharedParts) -> Any:
    connection = await asyncpg.connect(imagegallery_parts.options.required_dsn)
    try:
        yield connection
    finally:
        await connection.close()


# --- what a test gets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", range(2))
async def test_what_a_test_adds_is_finished_at_once_and_gone_in_the_next(imagegallery: ImageGallery, turn: int) -> None:
    """And what the application registered has been called."""
    assert not (await imagegallery.images.library.list(ME)).items
    lisbon = await imagegallery.galleries.create(ME, name="Lisbon")
    image = await imagegallery.uploads.add(ME, PHOTO, filename="tram.png", gallery_id=lisbon.id)
    image = await imagegallery.images.get(ME, image.id)
    assert image.status is ProcessingStatus.COMPLETE
    assert {each.variant_type for each in image.variants} >= {"thumbnail", "small"}
    assert heard == [image.id]
    assert await imagegallery.server.queue.stats() == QueueStats(0, 0, 0)


async def test_objects_are_in_memory(imagegallery: ImageGallery, imagegallery_parts: SharedParts) -> None:
    image = await imagegallery.uploads.add(ME, PHOTO, filename="tram.png")
    assert isinstance(imagegallery.server.store, MemoryStore)
    assert (await imagegallery.server.store.head(image.original_key)).size == len(PHOTO)
    assert not (imagegallery_parts.folder / "objects-imagegallery").exists()


async def test_a_deleted_image_is_purged_at_once(imagegallery: ImageGallery) -> None:
    image = await imagegallery.uploads.add(ME, PHOTO, filename="tram.png")
    await imagegallery.images.delete(ME, image.id)
    await imagegallery.images.trash.purge(ME, image.id)
    assert [each async for each in imagegallery.server.store.list()] == []
    with pytest.raises(NotFound):
        await imagegallery.images.get(ME, image.id)


async def test_what_the_application_commits_itself_is_finished_when_it_looks(
    imagegallery: ImageGallery, host: Any
) -> None:
    staged = await imagegallery.uploads.stage(ME, PHOTO, filename="tram.png")
    async with host.transaction():
        image = await staged.attach(host)
    image = await imagegallery.images.get(ME, image.id)
    assert image.status is ProcessingStatus.COMPLETE
    assert heard == [image.id]


@pytest.mark.parametrize("imagegallery_eager", [False])
async def test_without_eagerness_the_test_runs_the_worker(imagegallery: ImageGallery) -> None:
    image = await imagegallery.uploads.add(ME, PHOTO, filename="tram.png")
    assert image.status is ProcessingStatus.PENDING
    async with imagegallery.worker():
        image = await imagegallery.images.wait_until_ready(ME, image.id)
    assert image.status is ProcessingStatus.COMPLETE


def test_the_same_without_an_event_loop(sync_imagegallery: SyncGallery) -> None:
    image = sync_imagegallery.uploads.add(ME, PHOTO, filename="tram.png")
    assert sync_imagegallery.images.get(ME, image.id).status is ProcessingStatus.COMPLETE
    assert heard == [image.id]


# --- between two tests -----------------------------------------------------------------------------------------------


async def rows(host: Connection) -> dict[str, str | None]:
    """All there is, by table."""
    tables = [row[0] for row in await host.fetch(TABLES)]
    return {name: await host.fetchval(f"SELECT json_agg(t)::text FROM imagegallery.{name} t") for name in tables}


async def test_an_emptied_schema_is_one_that_was_just_migrated(
    imagegallery_parts: SharedParts, host: Connection, tmp_path: Path
) -> None:
    imagegallery_parts.empty()
    before = await rows(host)
    opening = ImageGallery.open(imagegallery_parts.settings, store=MemoryStore(), engine=imagegallery_parts.engine)
    async with opening as gallery, gallery.eager():
        lisbon = await gallery.galleries.create(ME, name="Lisbon")
        image = await gallery.uploads.add(ME, PHOTO, filename="tram.png", gallery_id=lisbon.id)
        await gallery.galleries.update(ME, lisbon.id, cover_image_id=image.id)
        await gallery.images.delete(ME, image.id)
    assert await rows(host) != before
    imagegallery_parts.empty()
    assert await rows(host) == before
    assert {name for name, content in before.items() if content is not None} == {"event_log", "event_cursors"}


async def test_rows_of_the_application_that_are_in_the_way_are_named(
    imagegallery_parts: SharedParts, imagegallery: ImageGallery, host: Connection
) -> None:
    image = await imagegallery.uploads.add(ME, PHOTO, filename="tram.png")
    await host.execute(
        "CREATE TABLE public.products (photo uuid CONSTRAINT its_photo REFERENCES imagegallery.images (id))"
    )
    await host.execute("INSERT INTO public.products VALUES ($1)", image.id)
    with pytest.raises(NotEmptied, match="its_photo"):
        imagegallery_parts.empty()
    await host.execute("DROP TABLE public.products")
    imagegallery_parts.empty()


async def test_so_is_a_transaction_that_was_left_open(
    imagegallery_parts: SharedParts, imagegallery: ImageGallery, host: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagegallery.testing.records.PATIENCE", "1ms")
    image = await imagegallery.uploads.add(ME, PHOTO, filename="tram.png")
    async with host.transaction():
        await host.execute("SELECT FROM imagegallery.images WHERE id = $1 FOR UPDATE", image.id)
        with pytest.raises(NotEmptied, match="transaction open"):
            imagegallery_parts.empty()


# --- without a gallery -----------------------------------------------------------------------------------------------


def test_an_image_is_made_without_a_database() -> None:
    image = make_image(width=900, height=600, filename="cat.jpg")
    assert (image.width, image.filename, image.ratio) == (900, "cat.jpg", 1.5)
    assert [(each.variant_type, each.format, each.width, each.height) for each in image.variants] == [
        ("thumbnail", "webp", 80, 80),
        ("small", "webp", 300, 200),
        ("small", "avif", 300, 200),
        ("medium", "webp", 800, 533),
        ("medium", "avif", 800, 533),
    ]
    assert image.variants[0].url.startswith("https://images.example/")
    assert make_image().id != make_image().id
    assert make_image(status=ProcessingStatus.PENDING).variants == make_image(variants=()).variants == ()
    assert len(make_image(width=10, height=10).variants) == 1
    assert make_gallery(name="Porto").name == "Porto"
    for make in (make_image, make_gallery):
        with pytest.raises(TypeError, match="colour"):
            make(colour="red")


async def test_every_service_of_a_gallery_can_be_an_autospec(imagegallery: ImageGallery) -> None:
    """As deep as services have services, and each with the methods that it has."""
    assert compared(imagegallery, create_autospec(ImageGallery, instance=True)) > 20


def test_so_can_those_of_the_gallery_without_an_event_loop(sync_imagegallery: SyncGallery) -> None:
    assert compared(sync_imagegallery, create_autospec(SyncGallery, instance=True)) > 8


SERVICES = ("service", "sync.gallery", "multipart.parts")


def compared(real: object, mock: Any) -> int:
    """The number of methods that were compared, of this and of the services that it has."""
    count, kind = 0, type(real)
    made_of = {field.name for field in attrs.fields(kind)} if attrs.has(kind) else set()
    for name in {*dir(kind), *getattr(real, "__dict__", {})} - made_of:
        value = None if name.startswith("_") else getattr(real, name)
        if inspect.ismethod(value) or inspect.isfunction(value):
            assert isinstance(getattr(mock, name), AsyncMock) == inspect.iscoroutinefunction(value), name
            count += 1
        elif type(value).__module__.endswith(SERVICES):
            count += compared(value, getattr(mock, name))
    return count


async def test_an_autospec_is_called_as_the_gallery_is() -> None:
    gallery = create_autospec(ImageGallery, instance=True)
    gallery.uploads.add.return_value = image = make_image()
    assert await gallery.uploads.add(ME, PHOTO) is image
    gallery.uploads.add.assert_awaited_once_with(ME, PHOTO)
    with pytest.raises(TypeError, match="principal"):
        await gallery.images.trash.purge()
    with pytest.raises(AttributeError):
        await gallery.uploads.ad(ME, PHOTO)


# --- the test runs of small hosts ------------------------------------------------------------------------------------

HOST = """
import pytest
from imagegallery import Principal
from tests.support.studio import picture

ME = Principal.user("ada")
PHOTO = picture(90, 60)

async def use(gallery):
    assert not (await gallery.images.library.list(ME)).items
    image = await gallery.uploads.add(ME, PHOTO, filename="tram.png")
    assert (await gallery.images.get(ME, image.id)).status == "complete"
"""
ANYIO = """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_one(imagegallery):
    await use(imagegallery)

@pytest.mark.anyio
async def test_another(imagegallery):
    await use(imagegallery)
"""


def run_host(folder: Path, test: str, *options: str, **environment: str) -> str:
    """Its test run, in which nothing is configured but what is given."""
    (folder / "test_host.py").write_text(test)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", *options]
    path = str(Path(__file__).parents[2])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{folder}", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("mode", ["strict", "auto"])
async def test_with_pytest_asyncio_as_on_the_page(
    tmp_path: Path, imagegallery_dsn: str, host: Connection, mode: str
) -> None:
    (tmp_path / "tram.jpg").write_bytes(PHOTO)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "pictures.py").write_text(
        "from imagegallery import ImageGallery\n\npics = ImageGallery.define()\n"
    )
    (tmp_path / "conftest.py").write_text(CONFTEST)
    tests = ASYNC + SYNC + VALUES
    if mode == "auto":
        assert "4 passed" in run_host(tmp_path, tests, "--asyncio-mode=auto", IMAGEGALLERY_TEST_DSN=imagegallery_dsn)
        return
    # Processes that share a database; only those that have a test with a gallery use it.
    assert "4 passed" in run_host(tmp_path, tests, "-n2", "-o", f"imagegallery_dsn={imagegallery_dsn}")
    found = await host.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'imagegallery_gw%' ORDER BY 1")
    assert {row[0] for row in found} & {"imagegallery_gw0", "imagegallery_gw1"}


def test_with_the_plugin_of_anyio_and_a_server_of_its_own(tmp_path: Path) -> None:
    """pytest-asyncio is there, too, and leaves these tests alone."""
    assert "2 passed" in run_host(tmp_path, HOST + ANYIO, "--asyncio-mode=strict")


def test_a_run_that_uses_none_of_it_imports_none_of_it(tmp_path: Path) -> None:
    test = """
import sys

def test_nothing():
    ours = {name for name in sys.modules if name.startswith("imagegallery")}
    assert ours == {"imagegallery", "imagegallery.testing", "imagegallery.testing.plugin"}
    assert "asyncpg" not in sys.modules
"""
    assert "1 passed" in run_host(tmp_path, test)


DJANGO = """
import os

import django
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from psycopg.conninfo import conninfo_to_dict, make_conninfo

given = conninfo_to_dict(os.environ["HOST_DSN"])
settings.configure(
    INSTALLED_APPS=[],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": given["dbname"], "USER": given["user"],
        "HOST": given["host"], "PORT": given["port"], "OPTIONS": {"sslmode": "disable"},
    }},
)
django.setup()

@pytest.fixture(scope="session")
def django_db_setup():
    databases = setup_databases(verbosity=0, interactive=False)
    yield
    teardown_databases(databases, verbosity=0)
    print("dropped")

def test_both_in_one_database(sync_imagegallery):
    image = sync_imagegallery.uploads.add(ME, PHOTO, filename="tram.png")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM imagegallery.images")
        assert cursor.fetchall() == [(image.id,)]
"""


async def test_the_test_database_of_django_is_dropped_in_the_end(
    tmp_path: Path, imagegallery_dsn: str, host: Connection
) -> None:
    out = run_host(tmp_path, HOST + DJANGO + DJANGO_DSN, "-s", HOST_DSN=imagegallery_dsn)
    assert "1 passed" in out
    assert "dropped" in out
    name = await host.fetchval("SELECT 'test_' || current_database()")
    assert not await host.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name)
