"""Every order of a gallery's images, by cursor and by page, with filters; and what each refuses."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from tests.support.library import Library, fits, make_image, with_failure

from imagegallery.access.audience import VisibilityLike
from imagegallery.errors import Fault, InvalidCursor, InvalidInput, NotFound
from imagegallery.galleries.gallery import ImageOrder, ImageOrderLike
from imagegallery.galleries.shuffle import MAX_SEED
from imagegallery.images.image.image import Image, ProcessingStatus
from imagegallery.images.library.filter import NO_FILTER, ImageFilter
from imagegallery.pagination import encode_cursor
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
NAMES = ["img10.jpg", "IMG2.jpg", "img1.jpg", "Zebra.png", "árvore.jpg", "img2b.jpg", "9.jpg", "img10.jpg"]
START = datetime(2026, 1, 1, tzinfo=UTC)


def seed_for(order: ImageOrderLike, seed: int = 7) -> int | None:
    return seed if order == "random" else None


async def gallery_of(library: Library, visibility: VisibilityLike = "public") -> tuple[UUID, list[Image]]:
    """Images that every order puts elsewhere, of every kind that filters tell apart."""
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility=visibility)
    images = []
    for number, name in enumerate(NAMES):
        image = evolve(
            make_image(age=timedelta(days=number * 5 % 8)),
            filename=name,
            taken_at=START + timedelta(days=number * 3 % 8 // 2),
            mime_type="image/png" if number % 3 == 0 else "image/jpeg",
            is_favorite=number % 2 == 0,
            is_archived=number == 5,
        )
        images.append(await library.add_image(with_failure(image) if number == 6 else image, gallery.id))
    return gallery.id, images


async def walked(
    library: Library,
    gallery_id: UUID,
    order: ImageOrderLike,
    *,
    seed: int | None = None,
    where: ImageFilter = NO_FILTER,
) -> list[UUID]:
    seen: list[UUID] = []
    cursor = None
    while True:
        page = await library.galleries.list_images(
            ANA, gallery_id, order=order, seed=seed, where=where, cursor=cursor, limit=3
        )
        seen += [image.id for image in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return seen


EXPECTED: dict[str, Callable[[list[Image]], list[Image]]] = {
    "position": lambda images: images,
    "created_at": lambda images: sorted(images, key=lambda each: (each.created_at, each.id), reverse=True),
    "taken_at": lambda images: sorted(images, key=lambda each: (each.taken_at, each.id), reverse=True),
}


@pytest.mark.parametrize("order", EXPECTED)
async def test_an_order_is_what_its_name_says(library: Library, order: ImageOrderLike) -> None:
    gallery_id, images = await gallery_of(library)

    assert await walked(library, gallery_id, order) == [image.id for image in EXPECTED[order](images)]


async def test_names_are_in_natural_order(library: Library) -> None:
    gallery_id, images = await gallery_of(library)
    names = {image.id: image.filename for image in images}

    by_name = [names[image_id] for image_id in await walked(library, gallery_id, "filename")]

    assert by_name == [
        "9.jpg", "img1.jpg", "IMG2.jpg", "img2b.jpg", "img10.jpg", "img10.jpg", "Zebra.png", "árvore.jpg",
    ]  # fmt: skip


@pytest.mark.parametrize("where", [NO_FILTER, ImageFilter(mime_type="image/jpeg")])
@pytest.mark.parametrize("order", ImageOrder)
async def test_pages_and_cursors_read_the_same_list(
    library: Library, order: ImageOrderLike, where: ImageFilter
) -> None:
    gallery_id, images = await gallery_of(library)
    seed = seed_for(order)
    ids = await walked(library, gallery_id, order, seed=seed, where=where)
    assert sorted(ids) == sorted(image.id for image in images if fits(where, image))

    for number in range(1, 5):
        page = await library.galleries.list_images_page(
            ANA, gallery_id, order=order, seed=seed, where=where, page=number, limit=3
        )
        assert [image.id for image in page.items] == ids[3 * number - 3 : 3 * number]
        assert page.total == len(ids)


@pytest.mark.parametrize("order", ImageOrder)
async def test_chosen_images_and_those_of_some_meta_in_every_order(library: Library, order: ImageOrderLike) -> None:
    gallery_id, images = await gallery_of(library)
    for number, image in enumerate(images):
        await library.images.update(ANA, image.id, meta={"sku": number % 2, "tags": ["tram", str(number)]})
    all_of_them = await walked(library, gallery_id, order, seed=seed_for(order))
    chosen = [images[number].id for number in (1, 4, 6)]
    for where, wanted in (
        (ImageFilter(ids=[*chosen, gallery_id]), chosen),
        (ImageFilter(meta={"sku": "1"}), [image.id for image in images[1::2]]),
        (ImageFilter(meta={"tags": ["4", "tram"]}), [images[4].id]),
        (ImageFilter(ids=chosen, meta={"sku": 0}), [images[4].id, images[6].id]),
        (ImageFilter(ids=[]), []),
    ):
        found = await walked(library, gallery_id, order, seed=seed_for(order), where=where)
        assert found == [each for each in all_of_them if each in wanted]
        page = await library.galleries.list_images_page(ANA, gallery_id, order=order, seed=seed_for(order), where=where)
        assert [image.id for image in page.items] == found


async def test_a_seed_is_an_order_and_another_seed_another(library: Library) -> None:
    gallery_id, _ = await gallery_of(library)
    for _ in range(24):  # of few images, two orders may happen to be the same
        await library.add_image(make_image(), gallery_id)
    orders = [tuple(await walked(library, gallery_id, "random", seed=seed)) for seed in range(12)]

    assert len(set(orders)) == 12
    assert tuple(await walked(library, gallery_id, "random", seed=3)) == orders[3]


async def test_the_same_images_are_shuffled_differently_in_another_gallery(library: Library) -> None:
    gallery_id, images = await gallery_of(library)
    other = await library.galleries.create(ANA, name="Other")
    await library.galleries.add_images(ANA, other.id, [image.id for image in images])

    here, there = [await walked(library, each, "random", seed=1) for each in (gallery_id, other.id)]
    assert sorted(here) == sorted(there)
    assert here != there


async def test_an_image_that_comes_back_has_its_old_place_in_a_shuffle(library: Library) -> None:
    gallery_id, images = await gallery_of(library)
    before = await walked(library, gallery_id, "random", seed=1)

    await library.galleries.remove_image(ANA, gallery_id, images[2].id)
    await library.galleries.add_images(ANA, gallery_id, [images[2].id])

    assert await walked(library, gallery_id, "random", seed=1) == before


FILTERS = [
    ImageFilter(is_favorite=True),
    ImageFilter(is_favorite=False, is_archived=False),
    ImageFilter(is_archived=True),
    ImageFilter(mime_type="image/png"),
    ImageFilter(status=ProcessingStatus.FAILED),
    ImageFilter(taken_from=START + timedelta(days=1), taken_before=START + timedelta(days=3)),
    ImageFilter(is_favorite=True, status=ProcessingStatus.PENDING),
]


@pytest.mark.parametrize("where", FILTERS, ids=lambda where: str(where.scope))
@pytest.mark.parametrize("order", ImageOrder)
async def test_a_filter_lets_through_what_fits_in_the_same_order(
    library: Library, order: ImageOrderLike, where: ImageFilter
) -> None:
    gallery_id, images = await gallery_of(library)
    fitting = {image.id for image in images if fits(where, image)}

    ids = await walked(library, gallery_id, order, seed=seed_for(order), where=where)

    everything = await walked(library, gallery_id, order, seed=seed_for(order))
    assert ids == [image_id for image_id in everything if image_id in fitting]


async def test_a_renamed_image_is_where_its_new_name_belongs(library: Library) -> None:
    gallery_id, images = await gallery_of(library)
    other = await library.galleries.create(ANA, name="Other")
    await library.galleries.add_images(ANA, other.id, [image.id for image in images])

    await library.images.update(ANA, images[0].id, filename="0.jpg")
    await library.images.update(ANA, images[1].id, alt_text="still img2")

    for each in (gallery_id, other.id):
        by_name = await walked(library, each, "filename")
        assert by_name[0] == images[0].id
        assert by_name[3] == images[1].id


async def test_cursors_go_on_with_the_same_order_seed_and_filter_only(library: Library) -> None:
    gallery_id, _ = await gallery_of(library)
    png = ImageFilter(mime_type="image/png")
    selections: list[tuple[str, int | None, ImageFilter]] = [
        *((order, seed_for(order), NO_FILTER) for order in ImageOrder),
        ("random", 8, NO_FILTER),
        ("random", 7, png),
        ("position", None, png),
        ("position", None, ImageFilter(is_favorite=True)),
    ]
    lists = library.galleries.list_images
    cursors = [
        (await lists(ANA, gallery_id, order=order, seed=seed, where=where, limit=1)).next_cursor  # type: ignore[arg-type]
        for order, seed, where in selections
    ]

    for issued_for, cursor in zip(selections, cursors, strict=True):
        assert cursor is not None
        for order, seed, where in selections:
            attempt = lists(ANA, gallery_id, order=order, seed=seed, where=where, cursor=cursor)  # type: ignore[arg-type]
            if (order, seed, where) == issued_for:
                assert (await attempt).items
            else:
                with pytest.raises(InvalidCursor):
                    await attempt


@pytest.mark.parametrize("place", [(-1, 0, 0), (31, 0, 0), (4, 16, 0), (4, -1, 0), (2**62, 0, 0), (4, 0)])
async def test_a_forged_random_cursor_is_refused(library: Library, place: tuple[int, ...]) -> None:
    gallery_id, _ = await gallery_of(library)
    cursor = encode_cursor(f"gallery:{gallery_id}:random:7:", (*place, uuid4()))

    with pytest.raises(InvalidCursor):
        await library.galleries.list_images(ANA, gallery_id, order="random", seed=7, cursor=cursor)


@pytest.mark.parametrize(
    ("order", "seed", "message"),
    [
        ("random", None, "is required with order=random"),
        ("position", 1, "goes with order=random only"),
        ("random", -1, "must be 0 to 9,007,199,254,740,991"),
        ("random", MAX_SEED + 1, "must be 0 to 9,007,199,254,740,991"),
    ],
)
async def test_a_seed_and_the_random_order_go_together(
    library: Library, order: ImageOrderLike, seed: int | None, message: str
) -> None:
    gallery_id, _ = await gallery_of(library)

    for attempt in (library.galleries.list_images, library.galleries.list_images_page):
        with pytest.raises(InvalidInput) as caught:
            await attempt(ANA, gallery_id, order=order, seed=seed)
        assert caught.value.faults == (Fault(("query", "seed"), message),)


async def test_what_only_the_owner_knows_only_the_owner_filters_by(library: Library) -> None:
    gallery_id, _ = await gallery_of(library)
    hidden = await library.galleries.create(ANA, name="Mine")
    where = ImageFilter(is_favorite=True, is_archived=False, mime_type="image/png")

    for principal in (BEN, VISITOR):
        for attempt in (library.galleries.list_images, library.galleries.list_images_page):
            with pytest.raises(InvalidInput) as caught:
                await attempt(principal, gallery_id, where=where)
            assert [fault.path for fault in caught.value.faults] == [("query", "is_favorite"), ("query", "is_archived")]
            with pytest.raises(NotFound):
                await attempt(principal, hidden.id, where=where)
        open_filter = ImageFilter(mime_type="image/png")
        assert len((await library.galleries.list_images(principal, gallery_id, where=open_filter)).items) == 3


@pytest.mark.parametrize("order", ImageOrder)
async def test_an_empty_gallery_is_empty_in_every_order(library: Library, order: ImageOrderLike) -> None:
    gallery = await library.galleries.create(ANA, name="Empty")

    assert await walked(library, gallery.id, order, seed=seed_for(order)) == []
    page = await library.galleries.list_images_page(ANA, gallery.id, order=order, seed=seed_for(order))
    assert (page.items, page.total) == ((), 0)
    with pytest.raises(NotFound):
        await walked(library, uuid4(), order, seed=seed_for(order))


async def test_a_shuffled_walk_goes_on_when_the_gallery_grows_and_shrinks(library: Library) -> None:
    """The walk keeps the slots that it began with; a page may have to look at many empty ones."""
    gallery_id, images = await gallery_of(library)
    first = await library.galleries.list_images(ANA, gallery_id, order="random", seed=5, limit=2)
    more = [(await library.add_image(make_image(), gallery_id)).id for _ in range(60)]
    gone = [image.id for image in images[:4] if image not in first.items]
    await library.galleries.remove_images(ANA, gallery_id, [*more[:50], *gone])

    seen, cursor = [image.id for image in first.items], first.next_cursor
    while cursor is not None:
        page = await library.galleries.list_images(ANA, gallery_id, order="random", seed=5, cursor=cursor, limit=2)
        seen += [image.id for image in page.items]
        cursor = page.next_cursor

    assert len(seen) == len(set(seen))
    assert {image.id for image in images} - set(gone) <= set(seen) <= {image.id for image in images} | set(more)
