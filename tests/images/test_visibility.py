"""An image is as open as the most open of itself and its galleries."""

from itertools import product
from pathlib import Path

import pytest
from attrs import evolve
from tests.support.clock import ManualClock
from tests.support.events import closed_urls
from tests.support.library import Library, make_image

from imagegallery.access.audience import Visibility
from imagegallery.database.pool import Database
from imagegallery.errors import Forbidden, InvalidInput, NotFound
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal

ANA, BEN, NOBODY = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
PRIVATE = Visibility.PRIVATE


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock)


async def is_open(library: Library, image: Image) -> bool:
    """Whether others see it, all ways in agreeing."""
    found = set()
    for other in (BEN, NOBODY):
        for look in (library.images.get(other, image.id), library.images.view(other, image.id)):
            try:
                await look
                found.add(True)
            except NotFound:
                found.add(False)
    for variant in image.variants:
        try:
            await library.check_open(variant.key)
            found.add(True)
        except NotFound:
            found.add(False)
    seen = [await library.images.get(ANA, image.id), *(await library.images.library.list(ANA)).items]
    found |= {each.urls_expire_at is None for each in seen if each.id == image.id}
    (answer,) = found
    return answer


def url_sets(*images: Image) -> list[tuple[str, ...]]:
    return [tuple(sorted(f"/files/{variant.key}" for variant in image.variants)) for image in images]


@pytest.mark.parametrize(("own", "gallery"), [*product(Visibility, [None, *Visibility])])
async def test_it_is_as_open_as_the_most_open_of_both(
    library: Library, own: Visibility, gallery: Visibility | None
) -> None:
    image = await library.add_image(evolve(make_image(), visibility=own))
    if gallery is not None:
        made = await library.galleries.create(ANA, name="Lisbon", visibility=gallery)
        await library.galleries.add_images(ANA, made.id, [image.id])
    assert await is_open(library, image) == (own is not PRIVATE or gallery not in (None, PRIVATE))


async def test_its_owner_opens_and_closes_it_and_caches_are_told(library: Library) -> None:
    image = await library.add_image(make_image())
    assert not await is_open(library, image)
    opened = await library.images.update(ANA, image.id, visibility="public")
    assert (opened.visibility, opened.urls_expire_at) == (Visibility.PUBLIC, None)
    assert await is_open(library, image)
    await library.images.update(ANA, image.id, alt_text="A tram")
    await library.images.update(ANA, image.id, visibility="unlisted")
    assert await closed_urls(library.database) == []
    await library.images.update(ANA, image.id, visibility="private")
    assert not await is_open(library, image)
    await library.images.update(ANA, image.id, visibility="private")
    assert await closed_urls(library.database) == url_sets(image)


async def test_what_is_open_both_ways_closes_with_the_last_one(library: Library) -> None:
    image = await library.add_image(evolve(make_image(), visibility=Visibility.PUBLIC))
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    await library.galleries.add_images(ANA, gallery.id, [image.id])
    await library.images.update(ANA, image.id, visibility="private")
    assert await is_open(library, image)
    assert await closed_urls(library.database) == []
    await library.images.update(ANA, image.id, visibility="public")
    await library.galleries.delete(ANA, gallery.id)
    assert await is_open(library, image)
    assert await closed_urls(library.database) == []


async def test_the_trash_closes_it_and_what_comes_back_is_open_again(library: Library) -> None:
    image = await library.add_image(evolve(make_image(), visibility=Visibility.PUBLIC))
    await library.images.delete(ANA, image.id)
    with pytest.raises(NotFound):
        await library.check_open(image.variants[0].key)
    with pytest.raises(NotFound):
        await library.images.get(NOBODY, image.id)
    assert await closed_urls(library.database) == url_sets(image)
    await library.images.trash.restore(ANA, image.id)
    assert await is_open(library, image)


async def test_only_its_owner_changes_it_to_what_there_is(library: Library) -> None:
    image = await library.add_image(evolve(make_image(), visibility=Visibility.PUBLIC))
    with pytest.raises(Forbidden):
        await library.images.update(BEN, image.id, visibility="private")
    with pytest.raises(InvalidInput) as refused:
        await library.images.update(ANA, image.id, visibility="open")  # type: ignore[arg-type]
    assert refused.value.faults[0].path == ("body", "visibility")
    assert await is_open(library, image)
