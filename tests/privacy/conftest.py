"""A gallery whose clock stands still, and what somebody has in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from attrs import evolve, frozen
from tests.support.clock import ManualClock
from tests.support.photographs import photograph
from tests.support.shared_engine import SharedEngine

from imagegallery import Image, ImageGallery, Principal, Settings
from imagegallery.database.options import DatabaseOptions
from imagegallery.galleries.gallery import Gallery
from imagegallery.webhooks.webhook import WebhookOptions

ANA, BEN = Principal.user("ana-1984"), Principal.user("ben-1990")


@pytest.fixture
def settings(tmp_path: Path, database_dsn: str) -> Settings:
    options = Settings(data_dir=tmp_path / "data", database=DatabaseOptions(dsn=database_dsn))
    return evolve(options, webhooks=WebhookOptions(allow_private=True))


@pytest.fixture
async def gallery(settings: Settings, imaging_engine: SharedEngine, clock: ManualClock) -> AsyncIterator[ImageGallery]:
    """Jobs are done when a test says so: `ImageGallery.eager`."""
    async with ImageGallery.open(settings, engine=imaging_engine, clock=clock) as gallery:
        yield gallery


@frozen
class Things:
    """Two images in an album, of which one is public by itself; and one in the trash."""

    album: Gallery
    tram: Image
    bike: Image
    trashed: Image


async def things_of(gallery: ImageGallery, principal: Principal) -> Things:
    """What they have, processed."""
    async with gallery.eager():
        album = await gallery.galleries.create(principal, name="Lisbon holidays", visibility="public")
        tram = await gallery.uploads.add(principal, photograph(80, 60), filename="tram.jpg", gallery_id=album.id)
        bike = await gallery.uploads.add(
            principal, photograph(60, 80), filename="bike.jpg", gallery_id=album.id, visibility="public"
        )
        trashed = await gallery.uploads.add(principal, photograph(70, 70), filename="blurred.jpg")
        await gallery.images.update(principal, tram.id, alt_text="A yellow tram", is_favorite=True, meta={"sku": "A-1"})
        await gallery.images.trash.put(principal, trashed.id)
    return Things(album, tram, bike, trashed)
