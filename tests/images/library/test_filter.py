"""Filters as values: what is refused, and that no two share a cursor's scope. Pure."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.access.audience import Visibility
from imagegallery.common.validation import Faults
from imagegallery.errors import InvalidInput
from imagegallery.images.image.image import ProcessingStatus
from imagegallery.images.library.filter import NO_FILTER, ImageFilter, check_filter

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
filters = st.builds(
    ImageFilter,
    is_favorite=st.none() | st.booleans(),
    is_archived=st.none() | st.booleans(),
    mime_type=st.none() | st.sampled_from(["image/jpeg", 'image/png","status":"failed']),
    taken_from=moments,
    taken_before=moments,
    status=st.none() | st.sampled_from(ProcessingStatus),
    visibility=st.none() | st.sampled_from(Visibility),
    tag=st.none() | st.sampled_from(["tram", "TRAM", "null"]),
    rating=st.none() | st.integers(0, 5),
    rating_from=st.none() | st.integers(0, 5),
    ids=st.none() | st.lists(st.uuids(), max_size=2).map(tuple),
    meta=st.none() | st.dictionaries(st.sampled_from(["sku", "a b"]), st.just("x") | st.just(["x"]), max_size=2),
)


def check(wanted: ImageFilter) -> None:
    faults = Faults()
    check_filter(faults, wanted)
    faults.check()


@given(filters, filters)
def test_scopes_are_equal_exactly_when_filters_are(one: ImageFilter, other: ImageFilter) -> None:
    assert (one.scope == other.scope) == (one == other)
    assert one.is_empty == (one.scope == "")


def test_a_moment_is_the_same_in_every_zone() -> None:
    lisbon = NOON.astimezone(timezone(timedelta(hours=1)))
    assert ImageFilter(taken_from=lisbon).scope == ImageFilter(taken_from=NOON).scope


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        (ImageFilter(taken_from=NOON, taken_before=NOON), "taken_before"),
        (ImageFilter(taken_from=NOON.replace(tzinfo=None)), "taken_from"),
        (ImageFilter(mime_type="image/\0"), "mime_type"),
        (ImageFilter(mime_type=""), "mime_type"),
        (ImageFilter(tag="\0"), "tag"),
        (ImageFilter(tag="x" * 1_000), "tag"),
        (ImageFilter(rating=6), "rating"),
        (ImageFilter(rating_from=-1), "rating_from"),
        (ImageFilter(ids=[UUID(int=number) for number in range(1_001)]), "ids"),
    ],
)
def test_odd_filters_are_refused(wanted: ImageFilter, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(wanted)
    assert [fault.path for fault in caught.value.faults] == [("query", path)]


@pytest.mark.parametrize("meta", [{"sku": None}, {"sku": float("nan")}, {"sku": "\0"}, {"sku": [[[[[[[[[]]]]]]]]]}])
def test_meta_is_asked_for_by_what_it_can_be(meta: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        ImageFilter(meta=meta)
    assert caught.value.faults[0].path[:3] == ("query", "meta", "sku")


def test_a_long_filter_makes_no_long_cursor() -> None:
    long = ImageFilter(ids=[UUID(int=number) for number in range(1_000)], meta={"sku": "x" * 10_000})
    assert len(long.scope) < 100


def test_flags_are_the_owners_business() -> None:
    private = ImageFilter(is_favorite=False, is_archived=True, visibility=Visibility.PUBLIC, mime_type="image/png")
    assert private.owner_only == ("is_favorite", "is_archived", "visibility")
    assert NO_FILTER.owner_only == ()
