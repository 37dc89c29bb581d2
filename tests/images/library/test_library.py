"""The library on a real database: in every order, through every filter, by months."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.support.library import Library, fits, make_image, with_failure, without_variants

from imagegallery.access.audience import Visibility
from imagegallery.errors import InvalidCursor, InvalidInput, Unauthenticated
from imagegallery.images.image.image import Image, LibraryOrder, ProcessingStatus
from imagegallery.images.library import records as library_records
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.library.timeline import MonthColumns, MonthCount, month_bounds, month_of
from imagegallery.pagination import LAST_MOMENT
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
MAY, JUNE, JULY = (datetime(2024, month, 1, tzinfo=UTC) for month in (5, 6, 7))
INSTANT = timedelta(microseconds=1)


def taken(moment: datetime, age: timedelta = timedelta(0)) -> Image:
    return evolve(make_image(age=age), taken_at=moment)


async def walk(library: Library, order: LibraryOrder, where: ImageFilter, limit: int = 2) -> list[Image]:
    shown: list[Image] = []
    cursor = None
    while True:
        page = await library.images.library.list(ANA, order=order, where=where, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        shown += page.items
        cursor = page.next_cursor
        if cursor is None:
            return shown


async def a_bit_of_everything(library: Library) -> list[Image]:
    """Eight images, each uploaded before the one before it; some were taken at the same time."""
    hour = timedelta(hours=1)
    images = [
        evolve(taken(JUNE, age=0 * hour), tags=("Straße", "tram"), rating=5),
        evolve(
            taken(JULY, age=1 * hour),
            is_favorite=True,
            tags=("TRAM",),
            rating=3,
            meta={"sku": "A-1", "tags": ["tram", "red", "blue"]},
        ),
        evolve(taken(JUNE - INSTANT, age=2 * hour), is_archived=True, rating=0, meta={"sku": 3}),
        evolve(taken(JUNE, age=3 * hour), mime_type="image/png", visibility=Visibility.UNLISTED),
        evolve(with_failure(taken(MAY, age=4 * hour)), meta={"sku": "3", "tags": "tram"}),
        without_variants(taken(JULY, age=5 * hour)),
        evolve(taken(JULY - INSTANT, age=6 * hour), is_favorite=True, is_archived=True),
        evolve(taken(JUNE, age=7 * hour), is_favorite=True),
    ]
    for image in images:
        await library.add_image(image)
    trashed = await library.add_image(evolve(taken(JUNE), is_favorite=True, tags=("tram",), rating=5))
    await library.images.delete(ANA, trashed.id)
    await library.add_image(evolve(make_image("ben"), tags=("tram",), rating=5))
    return images


FILTERS = [
    ImageFilter(),
    ImageFilter(is_favorite=True),
    ImageFilter(is_favorite=False),
    ImageFilter(is_archived=True),
    ImageFilter(is_archived=False, is_favorite=True),
    ImageFilter(mime_type="image/png"),
    ImageFilter(status=ProcessingStatus.FAILED),
    ImageFilter(visibility=Visibility.UNLISTED),
    ImageFilter(meta={"sku": "3"}),
    ImageFilter(meta={"sku": 3}),
    ImageFilter(meta={"tags": ["tram"]}),
    ImageFilter(meta={"tags": ["tram", "blue"], "sku": "A-1"}),
    ImageFilter(ids=[]),
    ImageFilter(tag="Tram"),
    ImageFilter(tag="STRASSE", rating=5),
    ImageFilter(tag="tram", taken_from=JULY),
    ImageFilter(tag="nobody's"),
    ImageFilter(rating=3),
    ImageFilter(rating=0),
    ImageFilter(rating_from=3),
    ImageFilter(rating_from=0, is_archived=True),
    ImageFilter(rating=5, rating_from=2, taken_before=JULY),
    ImageFilter(rating=2, rating_from=3),
    ImageFilter(taken_from=JUNE),
    ImageFilter(taken_before=JUNE),
    ImageFilter(taken_from=JUNE, taken_before=JULY),
    ImageFilter(taken_from=JUNE, taken_before=JULY, is_favorite=True, mime_type="image/jpeg"),
]


@pytest.mark.parametrize("examined", [1, 3, library_records.EXAMINED])
@pytest.mark.parametrize("order", LibraryOrder)
async def test_every_filter_in_every_order_however_little_a_page_looks_at(
    library: Library, order: LibraryOrder, examined: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_records, "EXAMINED", examined)
    images = await a_bit_of_everything(library)
    ordered = sorted(images, key=lambda image: (getattr(image, order), image.id), reverse=True)

    for where in FILTERS:
        wanted = [image.id for image in ordered if fits(where, image)]
        assert [image.id for image in await walk(library, order, where)] == wanted
        assert [image.id for image in await walk(library, order, where, limit=100)] == wanted


async def test_a_cursor_belongs_to_its_order_and_its_filter(library: Library) -> None:
    await a_bit_of_everything(library)
    images = library.images.library
    favorites = ImageFilter(is_favorite=True)
    cursor = (await images.list(ANA, where=favorites, limit=1)).next_cursor

    assert cursor is not None
    for attempt in (
        images.list(ANA, cursor=cursor),
        images.list(ANA, where=favorites, order="taken_at", cursor=cursor),
        images.list(ANA, where=evolve(favorites, is_archived=False), cursor=cursor),
        images.list(BEN, where=favorites, cursor=cursor),
    ):
        with pytest.raises(InvalidCursor):
            await attempt


async def test_every_fault_of_a_request_is_named(library: Library) -> None:
    with pytest.raises(InvalidInput) as caught:
        await library.images.library.list(ANA, order="size", where=ImageFilter(taken_from=JULY, taken_before=JUNE))  # type: ignore[arg-type]

    assert [fault.path for fault in caught.value.faults] == [("query", "order"), ("query", "taken_before")]
    for attempt in (
        library.images.library.list(VISITOR),
        library.images.library.timeline(VISITOR),
        library.images.library.month(VISITOR, "2024-06"),
    ):
        with pytest.raises(Unauthenticated):
            await attempt


async def test_the_timeline_counts_by_months_of_utc(library: Library) -> None:
    await a_bit_of_everything(library)
    images = library.images.library

    assert await images.timeline(ANA) == (MonthCount("2024-07", 2), MonthCount("2024-06", 3), MonthCount("2024-05", 1))
    assert await images.timeline(ANA, is_archived=True) == (MonthCount("2024-06", 1), MonthCount("2024-05", 1))
    assert await images.timeline(Principal.user("nobody")) == ()


async def test_parts_of_a_month_add_up_to_it(library: Library) -> None:
    """Of 7 images of one moment among others, with parts of 2; a month that fits is not cut."""
    for moment in (*[JUNE] * 7, JULY, MAY):
        await library.add_image(taken(moment))
    images = library.images.library

    july, june, may = await images.timeline(ANA, part_size=2)
    parts = [await images.month(ANA, "2024-06", cursor=part.cursor) for part in june.parts]

    assert (july, may) == (MonthCount("2024-07", 1), MonthCount("2024-05", 1))
    assert june.count == 7 == sum(part.count for part in june.parts)
    assert [len(part.ids) for part in parts] == [part.count for part in june.parts]
    assert max(part.count for part in june.parts) == 2
    whole = await images.month(ANA, "2024-06")
    assert [image_id for part in parts for image_id in part.ids] == list(whole.ids)


async def test_what_comes_later_is_in_a_part_that_was_told_before(library: Library) -> None:
    for _ in range(5):
        await library.add_image(taken(JUNE + INSTANT))
    images = library.images.library
    (june,) = await images.timeline(ANA, part_size=2)
    first = await library.add_image(taken(JULY - INSTANT))
    last = await library.add_image(taken(JUNE))

    parts = [(await images.month(ANA, "2024-06", cursor=part.cursor)).ids for part in june.parts]

    assert (parts[0][0], parts[-1][-1]) == (first.id, last.id)
    assert sum(map(len, parts)) == 7


async def test_a_cursor_is_of_a_part_of_this_month_of_this_library(library: Library) -> None:
    for _ in range(3):
        await library.add_image(taken(JUNE))
    images = library.images.library
    (june,) = await images.timeline(ANA, part_size=1)
    cursor = june.parts[1].cursor

    for refused in (
        images.month(ANA, "2024-05", cursor=cursor),
        images.month(ANA, "2024-06", cursor=cursor, is_archived=True),
        images.month(BEN, "2024-06", cursor=cursor),
        images.month(ANA, "2024-06", cursor="x"),
    ):
        with pytest.raises(InvalidCursor):
            await refused
    for size in (0, -1, 10_001):
        with pytest.raises(InvalidInput, match="1 to 10,000"):
            await images.timeline(ANA, part_size=size)


@pytest.mark.parametrize("is_archived", [False, True])
async def test_a_timeline_of_what_passes_a_filter_adds_up_to_its_list(library: Library, is_archived: bool) -> None:
    await a_bit_of_everything(library)
    images = library.images.library

    for said in FILTERS:
        where = evolve(said, is_archived=is_archived)
        listed = [image.id for image in await walk(library, LibraryOrder.TAKEN_AT, where)]
        months = await images.timeline(ANA, where=where)
        columns = [await images.month(ANA, each.month, where=where) for each in months]
        assert [image_id for month in columns for image_id in month.ids] == listed
        assert [each.count for each in months] == [len(month.ids) for month in columns]


async def test_a_part_belongs_to_its_filter(library: Library) -> None:
    await a_bit_of_everything(library)
    images, where = library.images.library, ImageFilter(taken_from=JUNE)
    months = await images.timeline(ANA, where=where, part_size=1)
    first = next(month for month in months if month.parts)

    columns = [await images.month(ANA, first.month, where=where, cursor=part.cursor) for part in first.parts]
    assert [len(each.ids) for each in columns] == [part.count for part in first.parts]
    with pytest.raises(InvalidCursor):
        await images.month(ANA, first.month, cursor=first.parts[0].cursor)


async def test_a_month_lays_out_what_its_lists_show(library: Library) -> None:
    images = await a_bit_of_everything(library)
    wide = await library.add_image(evolve(taken(JUNE + INSTANT), width=65_000, height=7, blurhash=None))
    tall = await library.add_image(evolve(taken(JUNE + 2 * INSTANT), width=1, height=65_000))

    month = await library.images.library.month(ANA, "2024-06")

    inside = ImageFilter(taken_from=JUNE, taken_before=JULY, is_archived=False)
    listed = await walk(library, LibraryOrder.TAKEN_AT, inside)
    assert [tall.id, wide.id] == [image.id for image in listed][:2]
    assert month == MonthColumns(
        month="2024-06",
        ids=tuple(image.id for image in listed),
        ratios=(0.0001, 9285.7143, *(1.3333 for _ in listed[2:])),
        blurhashes=(tall.blurhash, None, *(images[0].blurhash for _ in listed[2:])),
        taken_at=tuple(image.taken_at for image in listed),
    )
    archived = await library.images.library.month(ANA, "2024-05", is_archived=True)
    assert archived.ids == (images[2].id,)
    assert await library.images.library.month(ANA, "2023-12") == MonthColumns("2023-12", (), (), (), ())


@pytest.mark.parametrize(
    "month", ["2024-13", "2024-00", "0000-01", "2024-6", "24-06", "2024-06-01", "٢٠٢٤-06", "", "\0"]
)
async def test_what_is_no_month_is_one_clear_error(library: Library, month: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await library.images.library.month(ANA, month)

    assert [fault.path for fault in caught.value.faults] == [("path", "month")]


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.timezones()))  # noqa: DTZ001 - zones follow
def test_every_moment_is_in_the_bounds_of_its_month(moment: datetime) -> None:
    month = month_of(moment)
    first, beyond = month_bounds(month)

    assert first <= moment < beyond
    assert (first.day, first.hour, month_of(first)) == (1, 0, month)
    assert month_bounds(month_of(beyond))[0] == beyond


def test_the_last_month_there_is_ends_with_time() -> None:
    assert month_bounds("9999-12") == (datetime(9999, 12, 1, tzinfo=UTC), LAST_MOMENT)
