"""The cover of a gallery: what is chosen, else its first image, shown wherever the gallery is."""

import pytest
from tests.support.library import Library, make_image

from imagegallery.errors import InvalidInput
from imagegallery.principal import Principal

ANA, VISITOR = Principal.user("ana"), Principal.anonymous()


async def test_the_first_image_is_the_cover_until_one_is_chosen(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    first, second = [await library.add_image(make_image(), gallery.id) for _ in range(2)]

    shown = await library.galleries.get(VISITOR, gallery.id)
    assert shown.cover_image_id is None
    assert shown.cover is not None
    assert shown.cover.id == first.id
    assert [variant.url for variant in shown.cover.variants] == [f"/files/{each.key}" for each in first.variants]

    chosen = await library.galleries.update(ANA, gallery.id, cover_image_id=second.id)
    assert chosen.cover_image_id == second.id
    assert chosen.cover is not None
    assert chosen.cover.id == second.id

    reset = await library.galleries.update(ANA, gallery.id, cover_image_id=None)
    assert reset.cover_image_id is None
    assert reset.cover is not None
    assert reset.cover.id == first.id


async def test_a_list_shows_every_gallery_with_its_cover(library: Library) -> None:
    empty = await library.galleries.create(ANA, name="empty")
    full = await library.galleries.create(ANA, name="full")
    image = await library.add_image(make_image(), full.id)

    covers = {gallery.id: gallery.cover for gallery in (await library.galleries.list(ANA)).items}

    assert covers[empty.id] is None
    cover = covers[full.id]
    assert cover is not None
    assert cover.id == image.id
    assert cover.responsive.src is not None


async def test_a_cover_must_be_in_the_gallery(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    stray = await library.add_image(make_image())

    with pytest.raises(InvalidInput) as caught:
        await library.galleries.update(ANA, gallery.id, cover_image_id=stray.id)

    assert [fault.path for fault in caught.value.faults] == [("body", "cover_image_id")]


@pytest.mark.parametrize("by", ["removal", "deletion"])
async def test_a_cover_that_goes_is_no_cover_any_more(library: Library, by: str) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    first, second = [await library.add_image(make_image(), gallery.id) for _ in range(2)]
    await library.galleries.update(ANA, gallery.id, cover_image_id=second.id)

    if by == "removal":
        await library.galleries.remove_image(ANA, gallery.id, second.id)
    else:
        await library.images.delete(ANA, second.id)

    shown = await library.galleries.get(ANA, gallery.id)
    assert shown.cover_image_id is None
    assert shown.cover is not None
    assert shown.cover.id == first.id
