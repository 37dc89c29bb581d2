"""The oldest PostgreSQL that is promised: the whole schema, and the stories that an application lives by. All other
tests run on the newest; ``TEST_POSTGRES=/usr/lib/postgresql/15/bin pytest`` runs them on this one."""

import io
import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image as Pillow
from tests.support.database import DatabaseServer
from tests.support.shared_engine import SharedEngine

from imagegallery import Image, ImageGallery, NotFound, Principal, Settings
from imagegallery.database.connections import OLDEST_SERVER
from imagegallery.database.migrate import migrate, packaged_migrations, pending
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.galleries.gallery import ImageOrder
from imagegallery.images.image.image import LibraryOrder
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.trash.service import TrashOptions

# Where Debian and PostgreSQL's own packages for it put this version.
PROGRAMS = Path(f"/usr/lib/postgresql/{OLDEST_SERVER}/bin")
MIGRATIONS = packaged_migrations()
SEED = {ImageOrder.RANDOM: 7}
ME = Principal.user("ana")


@pytest.fixture(scope="module")
def oldest_server() -> Iterator[DatabaseServer]:
    if not PROGRAMS.exists() and "CI" not in os.environ:
        pytest.skip(f"PostgreSQL {OLDEST_SERVER} is not installed")
    with DatabaseServer.shared(installed=PROGRAMS) as server:
        yield server


@pytest.fixture
async def database(oldest_server: DatabaseServer) -> AsyncIterator[Database]:
    async with oldest_server.empty() as dsn, Database.connect(DatabaseOptions(dsn=dsn)) as database:
        yield database


@pytest.fixture
async def settings(oldest_server: DatabaseServer, tmp_path: Path) -> AsyncIterator[Settings]:
    async with oldest_server.empty() as dsn:
        yield Settings(data_dir=tmp_path, database=DatabaseOptions(dsn=dsn), trash=TrashOptions(retention=timedelta(0)))


async def test_the_server_is_of_that_version_and_takes_every_migration(database: Database) -> None:
    async with database.connection() as connection:
        assert connection.get_server_version().major == OLDEST_SERVER
    assert await migrate(database) == [migration.name for migration in MIGRATIONS]
    assert await pending(database) == []


async def test_photos_are_shown_listed_found_and_deleted_for_good(
    settings: Settings, imaging_engine: SharedEngine
) -> None:
    async with ImageGallery.open(settings, engine=imaging_engine) as gallery, gallery.worker():
        await live(gallery)


async def live(gallery: ImageGallery) -> None:
    album = await gallery.galleries.create(ME, name="Lisbon", visibility="public")
    tram, river = [await add(gallery, name, colour) for name, colour in (("tram10.png", "red"), ("tram9.png", "blue"))]
    await gallery.galleries.add_images(ME, album.id, [tram.id, river.id])

    for order in ImageOrder:
        listed = await gallery.galleries.list_images(ME, album.id, order=order, seed=SEED.get(order))
        assert {image.id for image in listed.items} == {tram.id, river.id}, order
    by_name = await gallery.galleries.list_images(ME, album.id, order=ImageOrder.FILENAME)
    assert [image.filename for image in by_name.items] == ["tram9.png", "tram10.png"]
    for by in LibraryOrder:
        found = await gallery.images.library.list(ME, where=ImageFilter(mime_type="image/png"), order=by)
        assert len(found.items) == 2, by

    await gallery.images.delete(ME, tram.id)
    assert (await gallery.galleries.get(ME, album.id)).image_count == 1
    await gallery.images.trash.restore(ME, tram.id)
    assert (await gallery.galleries.get(ME, album.id)).image_count == 2
    await gallery.images.delete(ME, tram.id)
    assert await gallery.images.trash.sweep() == 1
    with pytest.raises(NotFound):
        await gallery.images.get(ME, tram.id)
    assert await gallery.uploads.sweep() == 0


async def add(gallery: ImageGallery, filename: str, colour: str) -> Image:
    """A photo that has its variants."""
    buffer = io.BytesIO()
    Pillow.new("RGB", (640, 480), colour).save(buffer, "PNG")
    image = await gallery.uploads.add(ME, buffer.getvalue(), filename=filename)
    ready = await gallery.images.wait_until_ready(ME, image.id, timeout=timedelta(seconds=60))
    assert ready.variants
    return ready
