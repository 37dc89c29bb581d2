"""Public URLs: decided without a query for who asks again, and never open longer than the image."""

from collections.abc import Awaitable, Callable

import pytest
from tests.support.events import closed_urls
from tests.support.library import Library, make_image
from tests.support.processes import Process, settle

from imagegallery.errors import NotFound
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal

ANA = Principal.user("ana")


async def is_open(process: Process, key: str) -> bool:
    try:
        await process.files.find(key)
    except NotFound:
        return False
    return True


async def an_open_image(library: Library) -> Image:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="unlisted")
    return await library.add_image(make_image(), gallery.id)


async def test_who_asks_again_costs_no_query(library: Library, process: Process) -> None:
    image = await an_open_image(library)
    hidden = await library.add_image(make_image())
    shown, kept_back = image.variants[0].key, hidden.variants[0].key
    assert await is_open(process, shown)
    used = process.database.used
    assert await is_open(process, shown)
    assert process.database.used == used
    for key in (kept_back, "library/images/never.webp") * 2:
        assert not await is_open(process, key)
        used += 1
        assert process.database.used == used, "what is closed costs what is not there costs"


CLOSED: dict[str, Callable[[Library, Image], Awaitable[object]]] = {
    "gallery made private": lambda library, image: _hide(library),
    "taken out of the gallery": lambda library, image: _take_out(library, image),
    "put into the trash": lambda library, image: library.images.delete(ANA, image.id),
    "deleted for good": lambda library, image: library.delete_for_good(image),
}


async def _hide(library: Library) -> None:
    [gallery] = (await library.galleries.list(ANA, view="own")).items
    await library.galleries.update(ANA, gallery.id, visibility="private")


async def _take_out(library: Library, image: Image) -> None:
    [gallery] = (await library.galleries.list(ANA, view="own")).items
    await library.galleries.remove_image(ANA, gallery.id, image.id)


@pytest.mark.parametrize("how", CLOSED)
async def test_what_is_closed_is_closed_in_every_process(
    library: Library, process: Process, other: Process, how: str
) -> None:
    image = await an_open_image(library)
    key = image.variants[0].key
    await settle(other.changes)
    assert [await is_open(each, key) for each in (process, other)] == [True, True]
    await CLOSED[how](library, image)
    await settle(other.changes)
    assert [await is_open(each, key) for each in (process, other)] == [False, False]


async def test_what_is_opened_is_open(library: Library, process: Process) -> None:
    image = await library.add_image(make_image())
    assert not await is_open(process, image.variants[0].key)
    await library.images.update(ANA, image.id, visibility="public")
    assert await is_open(process, image.variants[0].key)


async def test_originals_and_odd_keys_have_no_public_url(library: Library, process: Process) -> None:
    image = await an_open_image(library)
    for key in (image.original_key, "", "../secret.key", "a\0b", "\udcff", "ü", image.key_prefix):
        assert not await is_open(process, key)


async def origins(process: Process, key: str) -> set[str] | None:
    found = (await process.files.find(key)).origins
    return None if found is None else set(found)


async def test_the_pages_that_may_show_it_are_those_of_all_its_open_galleries(
    library: Library, process: Process, other: Process
) -> None:
    one, two = "https://one.example", "https://two.example"
    make, update = library.galleries.create, library.galleries.update
    first = await make(ANA, name="One", visibility="public", allowed_origins=[one])
    second = await make(ANA, name="Two", visibility="unlisted", allowed_origins=[one, two])
    closed = await make(ANA, name="Closed", allowed_origins=None)
    image = await library.add_image(make_image(), first.id)
    key = image.variants[0].key
    assert await origins(process, key) == {one}
    await library.galleries.add_images(ANA, second.id, [image.id])
    await library.galleries.add_images(ANA, closed.id, [image.id])
    for each in (process, other):
        await settle(each.changes)
        assert await origins(each, key) == {one, two}
        used = each.database.used
        assert await origins(each, key) == {one, two}
        assert each.database.used == used

    await update(ANA, second.id, visibility="private")
    await update(ANA, first.id, allowed_origins=[])
    for each in (process, other):
        await settle(each.changes)
        assert await origins(each, key) == set()
    await update(ANA, second.id, visibility="unlisted", allowed_origins=None)
    assert await origins(process, key) is None
    await update(ANA, second.id, allowed_origins=[two])
    assert await origins(process, key) == {two}
    await library.images.update(ANA, image.id, visibility="public")
    assert await origins(process, key) is None


async def test_a_cache_is_told_to_forget_what_it_kept_for_every_page(library: Library) -> None:
    image = await an_open_image(library)
    [gallery] = (await library.galleries.list(ANA, view="own")).items
    await library.galleries.update(ANA, gallery.id, allowed_origins=["https://one.example"])
    [told] = await closed_urls(library.database)
    assert {url.removeprefix("/files/") for url in told} == {variant.key for variant in image.variants}
