"""What an application may keep with an image or a gallery: bounds, and how it changes."""

import json
from enum import StrEnum
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegallery.common.meta import (
    MAX_META,
    MAX_META_DEPTH,
    MAX_NUMBER,
    changed,
    check_meta,
    check_patch,
    merge,
    parse_meta,
)
from imagegallery.common.validation import Faults
from imagegallery.errors import InvalidInput

PATH = ("body", "meta")
LOOP: dict[str, Any] = {}
LOOP["a"] = [LOOP]


class Colour(StrEnum):
    RED = "red"


def checked(meta: object) -> object:
    faults = Faults()
    copy = check_meta(faults, PATH, meta)
    faults.check()
    return copy


def nested(levels: int) -> dict[str, Any]:
    """An object in so many levels."""
    meta: dict[str, Any] = {}
    for _ in range(levels - 1):
        meta = {"a": meta}
    return meta


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9)
NUMBERS = st.integers(-MAX_NUMBER, MAX_NUMBER) | st.floats(-MAX_NUMBER, MAX_NUMBER)
SCALARS = TEXTS | NUMBERS | st.booleans()
METAS = st.dictionaries(
    TEXTS,
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)),
    max_size=5,
).filter(lambda meta: len(json.dumps(meta)) < MAX_META / 400 and depth_of(meta) <= MAX_META_DEPTH)


def depth_of(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth_of, value.values() if isinstance(value, dict) else value), default=0)


@given(meta=METAS)
@settings(max_examples=40)
def test_json_in_its_bounds_is_taken_as_it_is(meta: object) -> None:
    assert checked(meta) == meta


def test_plain_values_are_kept_of_what_looks_like_them() -> None:
    kept = checked({Colour.RED: (Colour.RED, True)})
    assert json.dumps(kept) == '{"red": ["red", true]}'


@pytest.mark.parametrize(
    ("meta", "path"),
    [
        ("text", ()),
        (None, ()),
        ([], ()),
        ({"a": "x" * 1_000_000}, ()),
        ({f"{number}": number for number in range(100_000)}, ()),
        ({number: number for number in range(100_000)}, ()),
        ({"a": [float("nan")] * 100_000}, ()),
        ({"a": [[[[]]] * 100] * 100}, ()),
        ({"a": [5e-324] * 100}, ()),  # which PostgreSQL writes with 326 characters each
        ({1: "a"}, ()),
        ({"a\0": 1}, ("a\\0",)),
        ({"\ud800": 1}, ("\\ud800",)),
        ({"a": "\0"}, ("a",)),
        ({"a": {"b": ["\udfff"]}}, ("a", "b", "0")),
        ({"a": float("nan")}, ("a",)),
        ({"a": float("-inf")}, ("a",)),
        ({"a": 10**5_000}, ("a",)),
        ({"a": -MAX_NUMBER - 1}, ("a",)),
        ({"a": 1e300}, ("a",)),
        ({"a": {1, 2}}, ("a",)),
        ({"a": b"bytes"}, ("a",)),
        (nested(MAX_META_DEPTH + 1), ("a",) * MAX_META_DEPTH),
        (nested(100_000), ("a",) * MAX_META_DEPTH),
        (LOOP, ("a", "0") * (MAX_META_DEPTH // 2)),
    ],
    ids=count(),
)
def test_what_is_out_of_bounds_is_refused_with_its_path(meta: object, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(meta)
    assert refused.value.faults[-1].path == (*PATH, *path)
    json.dumps(refused.value.faults[-1].path).encode()


@pytest.mark.parametrize("text", ["x", 'é"\n\\', "\u0001"])
def test_the_bound_is_of_the_bytes_of_its_json(text: str) -> None:
    def size(meta: object) -> int:
        return len(json.dumps(meta, ensure_ascii=False, separators=(",", ":")).encode())

    meta: dict[str, Any] = {"list": [1, -2.5, None, False], "empty": [{}, []], "text": text, "rest": ""}
    meta["rest"] = "x" * (MAX_META - size(meta))
    faults = Faults()
    assert check_patch(faults, PATH, meta) == meta
    faults.check()
    meta["rest"] += "x"
    with pytest.raises(InvalidInput, match="16,384"):
        checked(meta)


def test_the_deepest_level_is_taken() -> None:
    assert checked(nested(MAX_META_DEPTH)) == nested(MAX_META_DEPTH)


# RFC 7396, appendix A, those of objects.
@pytest.mark.parametrize(
    ("current", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_change_is_a_merge_patch(current: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]) -> None:
    before = json.dumps(current)
    assert merge(current, patch) == result
    assert json.dumps(current) == before


def test_a_change_may_leave_nothing_and_not_too_much() -> None:
    half = {"a": "x" * (MAX_META // 2)}
    assert changed(half, None) == {}
    with pytest.raises(InvalidInput) as refused:
        changed(half, {"b": half["a"]})
    assert [fault.path for fault in refused.value.faults] == [PATH]


def test_nothing_is_kept_by_the_name_of_null() -> None:
    assert checked({"a": None, "b": {"c": None}, "d": [None]}) == {"b": {}, "d": [None]}


@pytest.mark.parametrize("text", ["[1]", "{", '"a"', "[" * 10_000, '{"a": NaN}', "{}" * 10_000, '{"a": "\\ud800"}'])
def test_text_that_is_no_such_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_meta(("query", "meta"), text)
    assert refused.value.faults[0].path[:2] == ("query", "meta")


def test_text_is_read() -> None:
    assert parse_meta(PATH, '{"sku": "A-1"}') == {"sku": "A-1"}
    assert parse_meta(PATH, None) == parse_meta(PATH, " ") == {}
