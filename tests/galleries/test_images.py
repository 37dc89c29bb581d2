"""The images of a gallery: adding, removing, and reading them by cursor and by page."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from tests.support.library import Library, make_image, with_place, without_variants

from imagegallery.access.audience import VisibilityLike
from imagegallery.errors import Fault, InvalidCursor, InvalidInput, NotFound
from imagegallery.galleries.filter import GalleryFilter
from imagegallery.galleries.gallery import ImageOrderLike
from imagegallery.ids import new_id
from imagegallery.images.image.image import Image
from imagegallery.pagination import encode_cursor
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()


async def gallery_of(
    library: Library, count: int, *, visibility: VisibilityLike = "private"
) -> tuple[UUID, list[Image]]:
    """A gallery, and its images in their order: each is older than the one before."""
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility=visibility)
    images = [await library.add_image(make_image(age=timedelta(hours=hours))) for hours in range(count)]
    if images:
        await library.galleries.add_images(ANA, gallery.id, [image.id for image in images])
    return gallery.id, images


async def test_images_are_added_in_the_order_given(library: Library) -> None:
    gallery_id, images = await gallery_of(library, 3)
    more = [await library.add_image(make_image()) for _ in range(3)]
    wanted = [more[2].id, more[0].id, more[1].id]

    gallery = await library.galleries.add_images(ANA, gallery_id, wanted)

    shown = (await library.galleries.list_images(ANA, gallery_id)).items
    assert [image.id for image in shown] == [*(image.id for image in images), *wanted]
    assert gallery.image_count == 6


async def test_adding_again_changes_neither_order_nor_count(library: Library) -> None:
    gallery_id, images = await gallery_of(library, 3)
    new = await library.add_image(make_image())

    gallery = await library.galleries.add_images(ANA, gallery_id, [images[2].id, new.id, images[0].id])
    again = await library.galleries.add_images(ANA, gallery_id, [new.id])

    shown = (await library.galleries.list_images(ANA, gallery_id)).items
    assert [image.id for image in shown] == [*(image.id for image in images), new.id]
    assert gallery.image_count == again.image_count == 4


async def test_an_image_may_be_in_many_galleries(library: Library) -> None:
    first_id, images = await gallery_of(library, 1)
    second = await library.galleries.create(ANA, name="Trams")

    await library.galleries.add_images(ANA, second.id, [images[0].id])
    await library.galleries.create(ANA, name="Tiles")

    where = GalleryFilter(contains=images[0].id)
    assert [each.id for each in (await library.galleries.list(ANA, where=where)).items] == [second.id, first_id]
    chosen = evolve(where, ids=[first_id])
    assert [each.id for each in (await library.galleries.list(ANA, where=chosen)).items] == [first_id]
    assert (await library.galleries.list(BEN, where=where)).items == ()
    for view in ("public", "shared"):
        with pytest.raises(InvalidInput, match="contains"):
            await library.galleries.list(ANA, view=view, where=where)
    for gallery_id in (first_id, second.id):
        assert [image.id for image in (await library.galleries.list_images(ANA, gallery_id)).items] == [images[0].id]


async def test_a_batch_is_added_whole_or_not_at_all(library: Library) -> None:
    gallery_id, images = await gallery_of(library, 1)
    mine, hers = await library.add_image(make_image()), await library.add_image(make_image("ben"))

    with pytest.raises(InvalidInput) as caught:
        await library.galleries.add_images(ANA, gallery_id, [mine.id, hers.id, images[0].id, uuid4()])

    message = "is not one of your images"
    assert caught.value.faults == (
        Fault(("body", "image_ids", "1"), message),
        Fault(("body", "image_ids", "3"), message),
    )
    assert (await library.galleries.get(ANA, gallery_id)).image_count == 1


async def test_a_batch_holds_each_id_once_and_at_most_a_thousand(library: Library) -> None:
    gallery_id, images = await gallery_of(library, 2)
    first, second = images

    for batch, path in (
        ([], ("body", "image_ids")),
        ([uuid4() for _ in range(1001)], ("body", "image_ids")),
        ([first.id, second.id, first.id], ("body", "image_ids", "2")),
    ):
        with pytest.raises(InvalidInput) as caught:
            await library.galleries.add_images(ANA, gallery_id, batch)
        assert [fault.path for fault in caught.value.faults] == [path]


async def test_a_removed_image_leaves_the_gallery_and_stays_in_the_library(library: Library) -> None:
    gallery_id, images = await gallery_of(library, 3)

    await library.galleries.remove_image(ANA, gallery_id, images[1].id)

    shown = (await library.galleries.list_images(ANA, gallery_id)).items
    assert [image.id for image in shown] == [images[0].id, images[2].id]
    assert (await library.galleries.get(ANA, gallery_id)).image_count == 2
    assert (await library.images.get(ANA, images[1].id)).id == images[1].id
    with pytest.raises(NotFound, match="not in the gallery"):
        await library.galleries.remove_image(ANA, gallery_id, images[1].id)


@pytest.mark.parametrize("order", ["position", "created_at"])
async def test_pages_and_cursors_read_the_same_list(library: Library, order: ImageOrderLike) -> None:
    gallery_id, images = await gallery_of(library, 7)
    if order == "created_at":
        await library.galleries.remove_image(ANA, gallery_id, images[0].id)
        await library.galleries.add_images(ANA, gallery_id, [images[0].id])

    pages, cursor = [], None
    while True:
        page = await library.galleries.list_images(ANA, gallery_id, order=order, cursor=cursor, limit=3)
        pages.append([image.id for image in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break

    expected = [image.id for image in images]
    assert pages == [expected[:3], expected[3:6], expected[6:]]
    for number, ids in enumerate([*pages, []], start=1):
        numbered = await library.galleries.list_images_page(ANA, gallery_id, order=order, page=number, limit=3)
        assert [image.id for image in numbered.items] == ids
        assert (numbered.page, numbered.limit, numbered.total, numbered.total_pages) == (number, 3, 7, 3)


async def test_a_full_last_page_has_no_next(library: Library) -> None:
    gallery_id, _ = await gallery_of(library, 2)

    assert (await library.galleries.list_images(ANA, gallery_id, limit=2)).next_cursor is None


async def test_an_empty_gallery_has_empty_pages(library: Library) -> None:
    gallery_id, _ = await gallery_of(library, 0)

    assert (await library.galleries.list_images(ANA, gallery_id)).items == ()
    page = await library.galleries.list_images_page(ANA, gallery_id, page=9)
    assert (page.items, page.total, page.total_pages) == ((), 0, 0)


async def test_a_cursor_is_good_for_its_own_list_only(library: Library) -> None:
    gallery_id, _ = await gallery_of(library, 2)
    other_id, _ = await gallery_of(library, 2)
    galleries = library.galleries
    cursor = (await galleries.list_images(ANA, gallery_id, limit=1)).next_cursor
    by_time = (await galleries.list_images(ANA, gallery_id, order="created_at", limit=1)).next_cursor
    of_galleries = (await galleries.list(ANA, limit=1)).next_cursor
    assert cursor
    assert by_time
    assert of_galleries

    for attempt in (
        galleries.list_images(ANA, other_id, cursor=cursor),
        galleries.list_images(ANA, gallery_id, order="created_at", cursor=cursor),
        galleries.list_images(ANA, gallery_id, cursor=by_time),
        galleries.list_images(ANA, gallery_id, cursor=of_galleries),
        galleries.list(ANA, cursor=by_time),
        galleries.list(ANA, view="public", cursor=of_galleries),
        galleries.list(BEN, cursor=of_galleries),
        library.images.library.list(ANA, cursor=of_galleries),
    ):
        with pytest.raises(InvalidCursor) as caught:
            await attempt
        assert [fault.path for fault in caught.value.faults] == [("query", "cursor")]


@pytest.mark.parametrize("key", [(2**63,), (-(2**63) - 1,), ("1",), (1, 2), ()])
async def test_a_forged_cursor_is_refused_before_the_database_sees_it(
    library: Library, key: tuple[int | str, ...]
) -> None:
    gallery_id, _ = await gallery_of(library, 1)

    with pytest.raises(InvalidCursor):
        await library.galleries.list_images(
            ANA, gallery_id, cursor=encode_cursor(f"gallery:{gallery_id}:position", key)
        )


@pytest.mark.parametrize(
    "moment",
    ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00", "infinity", "2026-13-01T00:00Z"],
)
async def test_impossible_times_in_a_cursor_are_refused(library: Library, moment: str) -> None:
    gallery_id, _ = await gallery_of(library, 1)
    cursor = encode_cursor(f"gallery:{gallery_id}:created_at", (moment, str(new_id())))

    with pytest.raises(InvalidCursor):
        await library.galleries.list_images(ANA, gallery_id, order="created_at", cursor=cursor)


async def test_limits_pages_and_orders_out_of_range_are_refused(library: Library) -> None:
    gallery_id, _ = await gallery_of(library, 1)
    galleries = library.galleries

    for attempt, path in (
        (galleries.list_images(ANA, gallery_id, limit=0), "limit"),
        (galleries.list_images(ANA, gallery_id, limit=101), "limit"),
        (galleries.list_images(ANA, gallery_id, order="size"), "order"),  # type: ignore[arg-type]
        (galleries.list_images_page(ANA, gallery_id, page=0), "page"),
        (galleries.list_images_page(ANA, gallery_id, page=2**63), "page"),
        (galleries.list(ANA, limit=101), "limit"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await attempt
        assert [fault.path for fault in caught.value.faults] == [("query", path)]


@pytest.mark.parametrize(
    ("visibility", "begins"), [("public", "/files/"), ("unlisted", "/files/"), ("private", "/objects/")]
)
async def test_the_gallery_decides_whether_urls_are_public(
    library: Library, visibility: VisibilityLike, begins: str
) -> None:
    gallery_id, _ = await gallery_of(library, 1, visibility=visibility)

    (by_cursor,) = (await library.galleries.list_images(ANA, gallery_id)).items
    (by_page,) = (await library.galleries.list_images_page(ANA, gallery_id)).items

    for image in (by_cursor, by_page):
        assert len(image.variants) == 3
        assert all(variant.url.startswith(begins) for variant in image.variants)
        assert image.responsive.src is not None
        assert image.responsive.src.startswith(begins)


async def test_an_image_without_variants_is_listed_with_its_placeholder(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon")
    image = make_image()
    await library.add_image(without_variants(image), gallery.id)

    (shown,) = (await library.galleries.list_images(ANA, gallery.id)).items

    assert shown.variants == ()
    assert shown.responsive.src is None
    assert (shown.blurhash, shown.ratio) == (image.blurhash, 1.3333)


async def test_the_place_is_shown_to_the_owner_only(library: Library) -> None:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    image = await library.add_image(with_place(make_image()), gallery.id)

    (own,) = (await library.galleries.list_images(ANA, gallery.id)).items
    (others,) = (await library.galleries.list_images(VISITOR, gallery.id)).items
    cover = (await library.galleries.get(BEN, gallery.id)).cover

    assert (own.latitude, own.longitude, own.metadata) == (image.latitude, image.longitude, image.metadata)
    assert cover is not None
    for shown in (others, cover):
        assert (shown.latitude, shown.longitude) == (None, None)
        assert shown.metadata is not None
        assert shown.metadata.make == "Canon"
        assert (shown.metadata.latitude, shown.metadata.longitude, shown.metadata.altitude) == (None, None, None)
