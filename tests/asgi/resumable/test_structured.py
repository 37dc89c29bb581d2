"""Structured fields are parsed strictly: RFC 9651."""

import base64
import math

import pytest
from http_sf.types import Token
from hypothesis import given
from hypothesis import strategies as st

from imagegallery_asgi.resumable.structured import (
    parse_boolean,
    parse_dictionary,
    parse_integer,
    serialize_boolean,
    serialize_bytes,
    serialize_integers,
)


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_an_integer_is_read_as_it_is_written(value: int) -> None:
    assert parse_integer(str(value)) == value
    assert parse_integer(f"  {value};a;b=1  ") == value


@pytest.mark.parametrize(
    "field", [None, "", "-1", "1.0", "+1", "1 2", "1,2", "?1", '"1"', "1" * 16, ":MQ==:", "one", "1;", "1;A=1"]
)
def test_what_is_no_count_counts_as_absent(field: str | None) -> None:
    assert parse_integer(field) is None


@given(st.booleans())
def test_a_boolean_is_read_as_it_is_written(value: bool) -> None:
    assert parse_boolean(serialize_boolean(value)) is value


@pytest.mark.parametrize("field", [None, "", "1", "true", "?2", "?", "?1?1", "? 1", "?1, ?0"])
def test_what_is_no_boolean_counts_as_absent(field: str | None) -> None:
    assert parse_boolean(field) is None


@given(st.dictionaries(st.from_regex(r"[a-z*][a-z0-9_.*-]{0,9}", fullmatch=True), st.binary(max_size=64)))
def test_a_dictionary_of_bytes_is_read_as_it_is_written(members: dict[str, bytes]) -> None:
    field = ", ".join(f"{key}={serialize_bytes(value)}" for key, value in members.items())
    assert parse_dictionary(field) == members


@given(st.dictionaries(st.from_regex(r"[a-z*][a-z0-9_.*-]{0,9}", fullmatch=True), st.integers(0, 10**15 - 1)))
def test_limits_are_written_as_they_are_read(members: dict[str, int]) -> None:
    assert parse_dictionary(serialize_integers(members)) == members


def test_a_dictionary_may_hold_any_item() -> None:
    found = parse_dictionary('a=1,b=?0 ,\tc="x\\"y", d=tok/en;p=1, e, f=-1.5;q, a=2')
    assert found == {"a": 2, "b": False, "c": 'x"y', "d": Token("tok/en"), "e": True, "f": -1.5}
    unpadded = base64.b64encode(b"x").decode().rstrip("=")
    assert parse_dictionary(f"a=:{unpadded}:") == {"a": b"x"}


@pytest.mark.parametrize("field", ["a=", "A=1", "a=1,", ",a=1", "a=1 b", "a==1", "a=:?:", "a=:A:", "a=(1 2", "a=1,,b"])
def test_a_dictionary_with_one_fault_is_none(field: str) -> None:
    assert parse_dictionary(field) is None


def test_what_others_say_in_the_same_field_is_ignored() -> None:
    """RFC 9651 section 2: unknown members and parameters."""
    assert parse_dictionary("sha-256=:eA==:, x=(1 2)") == {"sha-256": b"x"}
    assert parse_boolean("?1;a=@1") is True


@given(st.text(max_size=40))
def test_nothing_makes_it_fail(field: str) -> None:
    parse_integer(field)
    parse_boolean(field)
    for value in (parse_dictionary(field) or {}).values():
        assert not isinstance(value, float) or math.isfinite(value)
