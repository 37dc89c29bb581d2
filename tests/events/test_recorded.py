"""What each package records."""

from pathlib import Path

import pytest
from attrs import evolve
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image
from tests.support.studio import Studio, picture

from imagegallery.database.pool import Database
from imagegallery.errors import InvalidInput
from imagegallery.events import records
from imagegallery.events.event import DomainEvent
from imagegallery.gallery import EVENT_TYPES
from imagegallery.ids import new_id
from imagegallery.images.events import (
    GalleryChange,
    GalleryChanged,
    ImageDeleted,
    ImageFailed,
    ImageReady,
    ImageRestored,
)
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.principal import Principal
from imagegallery.variants.events import VariantReady

ANA = Principal.user("ana")


async def recorded(database: Database) -> list[DomainEvent]:
    async with database.transaction() as connection:
        last = (await records.number(connection)).last
        return [event.data for event in (await records.between(connection, EVENT_TYPES, 0, last, 1000)).events]


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock)


async def test_galleries(library: Library) -> None:
    galleries = library.galleries
    image = await library.add_image(make_image())
    gallery_id = (await galleries.create(ANA, name="Lisbon")).id
    await galleries.update(ANA, gallery_id, name="Lisboa")
    await galleries.add_images(ANA, gallery_id, [image.id])
    await galleries.add_images(ANA, gallery_id, [image.id])  # changes nothing
    await galleries.remove_image(ANA, gallery_id, image.id)
    await galleries.delete(ANA, gallery_id)
    changes: tuple[GalleryChange, ...] = ("created", "updated", "images", "images", "deleted")
    assert await recorded(library.database) == [GalleryChanged("ana", gallery_id, change) for change in changes]


async def test_the_trash(library: Library) -> None:
    gallery_id = (await library.galleries.create(ANA, name="Lisbon")).id
    image = await library.add_image(evolve(make_image(), meta={"sku": "A-1"}), gallery_id)
    before = len(await recorded(library.database))
    await library.images.delete(ANA, image.id)
    await library.images.trash.restore(ANA, image.id)
    gallery_changed = GalleryChanged("ana", gallery_id, "images")
    deleted, restored = (
        kind("ana", image.id, gallery_ids=[gallery_id], meta={"sku": "A-1"}) for kind in (ImageDeleted, ImageRestored)
    )
    assert (await recorded(library.database))[before:] == [deleted, gallery_changed, restored, gallery_changed]


async def test_what_is_refused_is_not_recorded(library: Library) -> None:
    gallery_id = (await library.galleries.create(ANA, name="Lisbon")).id
    with pytest.raises(InvalidInput):
        await library.galleries.add_images(ANA, gallery_id, [new_id()])
    assert await recorded(library.database) == [GalleryChanged("ana", gallery_id, "created")]


async def test_processing(
    database: Database, clock: ManualClock, tmp_path: Path, imaging_engine: ImagingEngine
) -> None:
    async with Studio.open(database, clock, tmp_path, imaging_engine) as studio:
        good = await studio.upload(picture(100, 75), 100, 75)
        await studio.run("image.process")
        bad = await studio.upload(b"no picture at all", 100, 75)
        await studio.run("image.process")
    *variants, ready, failed = await recorded(database)
    assert variants
    assert all(isinstance(each, VariantReady) and each.image_id == good.id for each in variants)
    assert ready == ImageReady("ana", good.id)
    assert isinstance(failed, ImageFailed)
    assert failed.image_id == bad.id
