"""``meta`` of images and galleries in services: what is kept, changed, shown to whom, and told in events."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import anyio
import asyncpg
import pytest
from attrs import evolve
from tests.events.test_recorded import recorded
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image
from tests.support.trace import traced

from imagegallery.access.audience import Visibility
from imagegallery.access.disclosure import MetaOptions
from imagegallery.common.meta import MAX_META, JsonValue
from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, InvalidInput
from imagegallery.galleries.filter import GalleryFilter
from imagegallery.galleries.gallery import Gallery
from imagegallery.ids import new_id
from imagegallery.images.events import MAX_TOLD_GALLERIES, GalleryChanged, ImageDeleted
from imagegallery.images.image.image import LibraryOrder
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.library.index_records import MetaIndexes, index_meta
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


@pytest.mark.parametrize("public", [(), ("colour",)])
async def test_others_filter_by_the_keys_that_they_see(
    database: Database, clock: ManualClock, tmp_path: Path, public: tuple[str, ...]
) -> None:
    library = Library.on(database, tmp_path, clock, meta=MetaOptions(public=public))
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public", meta=META)
    image = await library.add_image(evolve(make_image(), meta=META), gallery.id)
    for other in (BEN, NOBODY):
        for where, may in ((META, False), ({"colour": "red"}, bool(public)), ({"colour": "blue"}, bool(public))):
            for attempt in (
                library.galleries.list_images(other, gallery.id, where=ImageFilter(meta=where)),
                library.galleries.list_images_page(other, gallery.id, where=ImageFilter(meta=where)),
                library.galleries.list(other, view="public", where=GalleryFilter(meta=where)),
            ):
                if may:
                    assert bool((await attempt).items) == (where["colour"] == "red")
                else:
                    with pytest.raises(InvalidInput) as refused:
                        await attempt
                    assert refused.value.faults[0].path[1].startswith("meta.")
    for listed in (
        await library.galleries.list_images(ANA, gallery.id, where=ImageFilter(meta=META)),
        await library.images.library.list(ANA, where=ImageFilter(meta=META)),
    ):
        assert [each.id for each in listed.items] == [image.id]
    assert [each.id for each in (await library.galleries.list(ANA, where=GalleryFilter(meta=META))).items] == [
        gallery.id
    ]


@pytest.mark.parametrize("indexed", [(), ("sku", "shop-2")])
async def test_galleries_are_found_by_ids_and_meta_with_an_index_or_without(
    database: Database, clock: ManualClock, tmp_path: Path, indexed: tuple[str, ...]
) -> None:
    await index_meta(database, indexed)
    library = Library.on(database, tmp_path, clock, meta=MetaOptions(public=("sku", "shop-2"), indexed=indexed))
    more: list[dict[str, JsonValue]] = [{}, {"shop-2": "x" * 9_000}, {"shop-2": "x"}, {"tags": ["a", "b"]}]
    made = [
        await library.galleries.create(ANA, name=f"{number}", visibility="public", meta={"sku": number % 2, **each})
        for number, each in enumerate(more)
    ]
    others = await library.galleries.create(BEN, name="Porto", visibility="private", meta={"sku": 1})
    for view in ("own", "public"):
        for where, wanted in (
            (GalleryFilter(meta={"sku": 1}), [made[3], made[1]]),
            (GalleryFilter(meta={"sku": "1", "shop-2": "x" * 9_000}), [made[1]]),
            (GalleryFilter(meta={"sku": True}), []),
            (GalleryFilter(ids=[made[2].id, made[0].id, others.id]), [made[2], made[0]]),
            (GalleryFilter(ids=[each.id for each in made], meta={"sku": 0}), [made[2], made[0]]),
            (GalleryFilter(ids=[]), []),
        ):
            found: list[Gallery] = []
            cursor = None
            while True:
                page = await library.galleries.list(ANA, view=view, where=where, cursor=cursor, limit=1)
                found += page.items
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert found == wanted
    tagged = await library.galleries.list(ANA, where=GalleryFilter(meta={"tags": ["b"]}))
    assert list(tagged.items) == [made[3]]


async def test_images_are_found_by_an_indexed_key_whatever_else_is_asked(
    database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    library = Library.on(database, tmp_path, clock, meta=MetaOptions(indexed=("sku", "colour")))
    await index_meta(database, ("sku", "colour"))
    images = [
        await library.add_image(evolve(make_image(age=timedelta(days=n)), meta={"sku": n % 2}, is_favorite=n == 1))
        for n in range(5)
    ]
    find = library.images.library.list
    for order in LibraryOrder:
        odd = await find(ANA, where=ImageFilter(meta={"sku": 1}), order=order)
        assert [each.id for each in odd.items] == [images[1].id, images[3].id]
        loved = await find(ANA, where=ImageFilter(meta={"sku": "1"}, is_favorite=True), order=order)
        assert [each.id for each in loved.items] == [images[1].id]
        assert (await find(ANA, where=ImageFilter(meta={"sku": 1, "colour": "red"}), order=order)).items == ()
    assert (await find(BEN, where=ImageFilter(meta={"sku": 1}))).items == ()


async def test_indexes_come_and_go_with_their_setting_and_broken_ones_are_made_anew(library: Library) -> None:
    database = library.database
    assert await index_meta(database, ("sku",), dry_run=True) == MetaIndexes(("images_meta_sku", "galleries_meta_sku"))
    assert await index_meta(database, ("sku",)) == MetaIndexes(("images_meta_sku", "galleries_meta_sku"))
    assert await index_meta(database, ("sku",)) == MetaIndexes()
    await library.add_images([make_image(), make_image()])
    async with library.database.connection() as connection:
        await connection.execute("DROP INDEX images_meta_sku")
        with pytest.raises(asyncpg.UniqueViolationError):  # which leaves an index that is not valid
            await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY images_meta_sku ON images (owner_id)")
    assert await index_meta(database, ("sku",)) == MetaIndexes(("images_meta_sku",))
    assert await index_meta(database, ("Sku",)) == MetaIndexes(
        ("images_meta_Sku", "galleries_meta_Sku"), ("galleries_meta_sku", "images_meta_sku")
    )


async def test_many_are_one_statement_each_in_the_order_asked_for(library: Library) -> None:
    """And one more for all that are others', about what shares may grant on them."""
    images = [await library.add_image(make_image()) for _ in range(20)]
    hidden = await library.add_image(make_image("ben"))
    shared = await library.add_image(evolve(make_image("ben"), visibility=Visibility.UNLISTED))
    trashed = await library.add_image(make_image())
    await library.images.delete(ANA, trashed.id)
    galleries = [await library.galleries.create(ANA, name=f"{number}") for number in range(20)]
    for gallery, image in zip(galleries, images, strict=True):
        await library.galleries.add_images(ANA, gallery.id, [image.id])
    private = await library.galleries.create(BEN, name="Porto")
    asked = [shared, *images[::-1], hidden, trashed, images[3]]
    with traced() as trace:
        found = await library.images.get_many(ANA, [new_id(), *(each.id for each in asked)])
    assert (list(found), len(trace.statements)) == ([shared.id, *(each.id for each in images[::-1])], 2)
    assert found[images[3].id] == await library.images.get(ANA, images[3].id)
    assert found[shared.id].urls_expire_at is None
    with traced() as trace:
        items = await library.galleries.get_many(ANA, [private.id, *(each.id for each in galleries[::-1])])
    assert (list(items), len(trace.statements)) == ([each.id for each in galleries[::-1]], 2)
    for gallery, image in zip(galleries, images, strict=True):
        cover = items[gallery.id].cover
        assert cover is not None
        assert (cover.id, len(cover.variants)) == (image.id, 3)
        assert all(variant.url for variant in cover.variants)
    assert await library.images.get_many(NOBODY, []) == {}
    assert await library.galleries.get_many(NOBODY, []) == {}
    for get_many in (library.images.get_many, library.galleries.get_many):
        with pytest.raises(InvalidInput):
            await get_many(ANA, [new_id() for _ in range(1_001)])


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
@pytest.mark.parametrize("key", ["a b", "a'b", "ä", "a" * 41])
def test_keys_in_settings_are_words(make: Callable[[tuple[str, ...]], MetaOptions], key: str) -> None:
    with pytest.raises(ConfigurationError):
        make((key, "sku"))
