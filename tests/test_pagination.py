"""Cursors and pages, without a list behind them."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.errors import Fault, InvalidCursor, InvalidInput
from imagegallery.pagination import (
    LAST_MOMENT,
    CursorPage,
    NumberedPage,
    check_limit,
    check_page,
    cut_page,
    decode_cursor,
    encode_cursor,
)

SCOPE = "gallery:1:position"
bigints = st.integers(-(2**63), 2**63 - 1)
moments = st.datetimes(timezones=st.just(UTC))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)


@given(bigints)
def test_a_number_comes_back(number: int) -> None:
    assert decode_cursor(encode_cursor(SCOPE, (number,)), SCOPE, int) == (number,)


@given(moments, st.uuids())
def test_a_moment_and_an_id_come_back(moment: datetime, item_id: UUID) -> None:
    assert decode_cursor(encode_cursor(SCOPE, (moment, item_id)), SCOPE, datetime, UUID) == (moment, item_id)


@given(texts, texts)
def test_text_comes_back_whatever_the_scope(text: str, scope: str) -> None:
    cursor = encode_cursor(scope, (text,))

    assert decode_cursor(cursor, scope, str) == (text,)
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_a_moment_comes_back_in_utc() -> None:
    lisbon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=1)))

    (moment,) = decode_cursor(encode_cursor(SCOPE, (lisbon,)), SCOPE, datetime)

    assert moment.utcoffset() == timedelta(0)
    assert moment == lisbon


@given(st.text(max_size=200))
def test_anything_else_is_refused_in_the_same_words(cursor: str) -> None:
    with pytest.raises(InvalidCursor) as caught:
        decode_cursor(cursor, SCOPE, int)

    assert caught.value.faults == (Fault(("query", "cursor"), "This cursor was not issued for this list."),)


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(SCOPE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(documents | st.lists(documents, max_size=3).map(lambda parts: [SCOPE, parts]))
def test_forged_cursors_hold_what_the_list_is_sorted_by_or_are_refused(document: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(document).encode()).decode()

    for kinds in ((datetime, UUID), (int, str)):
        try:
            key = decode_cursor(cursor, SCOPE, *kinds)
        except InvalidCursor:
            continue
        assert tuple(type(part) for part in key) == kinds


@pytest.mark.parametrize(
    "key",
    [
        (True, "a"),
        (1.0, "a"),
        (2**63, "a"),
        (1, "a\0b"),
        (1, "\ud800"),
        (1, 2),
        (1,),
        (1, "a", "b"),
    ],
)
def test_a_key_of_the_wrong_shape_is_refused(key: tuple[int, ...]) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(SCOPE, key), SCOPE, int, str)


def test_a_cursor_is_refused_by_another_list() -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(SCOPE, (1,)), "gallery:2:position", int)


def test_a_page_is_cut_from_one_item_more() -> None:
    page = cut_page([1, 2, 3], 2, str)
    assert page == CursorPage((1, 2), "2")
    assert page.has_more
    assert page.map(lambda number: -number) == CursorPage((-1, -2), "2")
    assert cut_page([1, 2], 2, str) == CursorPage((1, 2), None)
    assert not cut_page([], 2, str).has_more


@pytest.mark.parametrize(("total", "pages"), [(0, 0), (1, 1), (10, 1), (11, 2)])
def test_the_last_page_may_be_short(total: int, pages: int) -> None:
    assert NumberedPage((), 1, 10, total).total_pages == pages


def test_limits_are_1_to_100() -> None:
    assert [check_limit(limit) for limit in (1, 100)] == [1, 100]
    for limit in (0, -1, 101):
        with pytest.raises(InvalidInput, match="limit must be 1 to 100"):
            check_limit(limit)


@pytest.mark.parametrize(("page", "limit", "offset"), [(1, 50, 0), (2, 50, 50), (1_001, 100, 100_000)])
def test_a_page_begins_after_those_before_it(page: int, limit: int, offset: int) -> None:
    assert check_page(page, limit) == offset


def test_pages_end_where_an_offset_costs_too_much() -> None:
    with pytest.raises(InvalidInput, match="page must be 1 to 1,001"):
        check_page(10_002, 100)


def test_a_bad_page_and_a_bad_limit_are_named_together() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_page(0, 0)

    assert [fault.path for fault in caught.value.faults] == [("query", "limit"), ("query", "page")]


def test_lists_begin_at_a_moment_that_can_be_compared() -> None:
    assert datetime.now(UTC) < LAST_MOMENT


def test_the_next_page_begins_after_the_last_item_that_is_shown() -> None:
    assert cut_page("abcd", 3, str.upper) == CursorPage(("a", "b", "c"), "C")
    assert cut_page("abc", 3, str.upper) == CursorPage(("a", "b", "c"))


def test_pages_of_one_item_end_where_all_others_do() -> None:
    assert check_page(100_001, 1) == 100_000
    with pytest.raises(InvalidInput, match="page must be 1 to 100,001"):
        check_page(100_002, 1)
