"""``meta`` of images and galleries in services: what is kept, changed, shown to whom, and told in events."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import anyio
import pytest
from attrs import evolve
from tests.events.test_recorded import recorded
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image

from imagegallery.access.disclosure import MetaOptions
from imagegallery.common.meta import MAX_META
from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, InvalidInput
from imagegallery.images.events import MAX_TOLD_GALLERIES, GalleryChanged, ImageDeleted
from imagegallery.principal import Principal

ANA, BEN, NOBODY = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
META = {"sku": "A-1", "colour": "red"}


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock)


async def test_changes_at_once_all_count(library: Library) -> None:
    image = await library.add_image(make_image())
    gallery = await library.galleries.create(ANA, name="Lisbon")
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            change = {f"key {number}": number}
            tasks.start_soon(partial(library.images.update, ANA, image.id, meta=change))
            tasks.start_soon(partial(library.galleries.update, ANA, gallery.id, meta=change))
    everything = {f"key {number}": number for number in range(5)}
    assert (await library.images.get(ANA, image.id)).meta == everything
    assert (await library.galleries.get(ANA, gallery.id)).meta == everything


async def test_what_together_is_too_much_changes_nothing(library: Library) -> None:
    much, more = {"a": "x" * (MAX_META // 2)}, {"b": "x" * (MAX_META // 2)}
    image = await library.add_image(evolve(make_image(), meta=much))
    gallery = await library.galleries.create(ANA, name="Lisbon", meta=much)
    for change in (
        library.images.update(ANA, image.id, meta=more, alt_text="A tram"),
        library.galleries.update(ANA, gallery.id, meta=more, name="Lisboa"),
    ):
        with pytest.raises(InvalidInput):
            await change
    unchanged = await library.images.get(ANA, image.id)
    assert (unchanged.meta, unchanged.alt_text) == (much, "")
    assert (await library.galleries.get(ANA, gallery.id)).name == "Lisbon"


async def shown(library: Library, principal: Principal, gallery_id: UUID, image_id: UUID) -> list[object]:
    """As what the principal sees it, wherever it is shown."""
    galleries, images = library.galleries, library.images
    gallery = await galleries.get(principal, gallery_id)
    listed = (await galleries.list(principal, view="public")).items[0]
    member = (await galleries.list_images(principal, gallery_id)).items[0]
    counted = (await galleries.list_images_page(principal, gallery_id)).items[0]
    assert gallery.cover is not None
    assert listed.cover is not None
    image = await images.get(principal, image_id)
    return [each.meta for each in (gallery, listed, gallery.cover, listed.cover, member, counted, image)]


@pytest.mark.parametrize("public", [(), ("colour",), ("colour", "weight")])
async def test_others_see_the_keys_that_are_public(
    database: Database, clock: ManualClock, tmp_path: Path, public: tuple[str, ...]
) -> None:
    library = Library.on(database, tmp_path, clock, meta=MetaOptions(public=public))
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public", meta=META)
    image = await library.add_image(evolve(make_image(), meta=META), gallery.id)
    assert await shown(library, ANA, gallery.id, image.id) == [META] * 7
    for other in (BEN, NOBODY):
        assert await shown(library, other, gallery.id, image.id) == [{"colour": "red"} if public else {}] * 7


async def test_events_tell_of_a_bounded_number_of_galleries(library: Library) -> None:
    image = await library.add_image(evolve(make_image(), meta=META))
    galleries = [await library.galleries.create(ANA, name=f"{number}") for number in range(MAX_TOLD_GALLERIES + 2)]
    for gallery in galleries:
        await library.galleries.add_images(ANA, gallery.id, [image.id])
    await library.images.delete(ANA, image.id)
    (deleted,) = [each for each in await recorded(library.database) if isinstance(each, ImageDeleted)]
    assert deleted.meta == META
    assert len(deleted.gallery_ids) == MAX_TOLD_GALLERIES


async def test_changes_of_a_gallery_tell_what_it_has_then(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon", meta=META)
    await library.galleries.update(ANA, gallery.id, meta={"colour": None})
    await library.galleries.delete(ANA, gallery.id)
    told = [each.meta for each in await recorded(library.database) if isinstance(each, GalleryChanged)]
    assert told == [META, {"sku": "A-1"}, {"sku": "A-1"}]


@pytest.mark.parametrize("make", [lambda keys: MetaOptions(public=keys), lambda keys: MetaOptions(indexed=keys)])
@pytest.mark.parametrize("key", ["a b", "a'b", "ä", "a" * 51])
def test_keys_in_settings_are_words(make: Callable[[tuple[str, ...]], MetaOptions], key: str) -> None:
    with pytest.raises(ConfigurationError):
        make((key, "sku"))
