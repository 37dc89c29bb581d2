"""The handle of a gallery that will be open: what an application is put together with."""

from pathlib import Path

import pytest

from imagegallery import ImageGallery, NotFound, OpenGallery, Principal, Settings, new_id
from imagegallery.database.pool import DatabaseOptions


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


async def test_it_opens_once_at_a_time(handle: OpenGallery) -> None:
    async with handle as first:
        with pytest.raises(RuntimeError, match="already"):
            await handle.__aenter__()
        assert handle.gallery is first
        await first.ready()
    async with handle as second:
        assert second is not first
        await second.ready()


async def test_beside_a_worker_an_error_is_still_the_one_that_was_raised(handle: OpenGallery) -> None:
    with pytest.raises(NotFound):
        async with handle as gallery, gallery.worker():
            await gallery.galleries.get(Principal.user("ada"), new_id())
