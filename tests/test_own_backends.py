"""What an application brings of its own to `ImageGallery.open` is what the gallery uses."""

from pathlib import Path

import httpx
import pytest
from PIL import Image
from tests.support.shared_engine import SharedEngine
from tests.support.studio import RemoteStore

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.cache.memory import MemoryCache
from imagegallery.clock import utc_now
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner
from imagegallery_asgi import create_app

ME = Principal.user("ada")
UNUSED = UrlSigner(b"a secret that nothing is signed with", utc_now)


def plain_store(root: Path) -> RemoteStore:
    """What does what every store must do, and nothing besides."""
    return RemoteStore(FilesystemStore(root, UNUSED))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "tram.jpg"
    Image.new("RGB", (90, 60), (200, 60, 20)).save(path)
    return path


async def test_a_photo_goes_through_a_store_and_a_queue_of_the_application(
    tmp_path: Path, photo: Path, database: Database, database_dsn: str, imaging_engine: SharedEngine
) -> None:
    store, queue = plain_store(tmp_path / "own"), PostgresQueue(database, utc_now)
    settings = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    opening = ImageGallery.open(settings, store=store, queue=queue, engine=imaging_engine)
    async with opening as gallery, gallery.worker():
        assert (gallery.server.store, gallery.server.queue) == (store, queue)
        image = await gallery.uploads.add(ME, photo)
        await gallery.images.wait_until_ready(ME, image.id)
        stored = {each.key async for each in store.list()}
        assert image.original_key in stored
        assert len(stored) > 1
        assert not (tmp_path / "data" / "objects").exists()


async def test_what_is_private_in_it_is_read_by_urls_that_the_api_signs(
    tmp_path: Path, photo: Path, database_dsn: str, imaging_engine: SharedEngine
) -> None:
    settings = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings, store=plain_store(tmp_path / "own"), engine=imaging_engine) as gallery:
        image = await gallery.uploads.add(ME, photo)
        url = await gallery.images.download_url(ME, image.id)
        assert url.startswith("/objects/")
        transport = httpx.ASGITransport(create_app(gallery), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as client:
            assert (await client.get(url)).content == photo.read_bytes()
            refused = await client.put(url, content=b"x")
        assert refused.status_code == 404


async def test_pages_are_kept_in_a_cache_of_the_application(
    tmp_path: Path, database_dsn: str, imaging_engine: SharedEngine
) -> None:
    cache = MemoryCache(2**20, utc_now)
    settings = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    async with ImageGallery.open(settings, cache=cache, engine=imaging_engine) as gallery:
        lisbon = await gallery.galleries.create(ME, name="Lisbon")
        before = await cache.generation(str(lisbon.id))

        async def load() -> bytes:
            return b"a page"

        await gallery.server.pages.gallery(ME, lisbon.id, "page", load)
        await gallery.galleries.update(ME, lisbon.id, name="Lisboa")
        await gallery.server.pages.gallery(ME, lisbon.id, "page", load)
        assert await cache.generation(str(lisbon.id)) != before
