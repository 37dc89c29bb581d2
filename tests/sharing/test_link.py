"""Tokens, names and visits: what is one, and what is not."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from imagegallery.sharing.link import begin_visit, is_slug, is_visit, make_token, token_hash, visitor_hash

SHARE, OTHER = UUID(int=1), UUID(int=2)
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
HOUR = timedelta(hours=1)


def test_tokens_are_random_and_fit_a_path() -> None:
    tokens = {make_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(each) == 24 and each.replace("-", "a").replace("_", "a").isalnum() for each in tokens)


@given(st.text())
def test_any_text_has_a_hash(text: str) -> None:
    assert len(token_hash(text)) == 32


@pytest.mark.parametrize("text", ["a", "lisbon", "lisbon-2026", "2026", "a" * 100, "a-b-c"])
def test_a_name(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize("text", ["", "-", "a-", "-a", "a--b", "A", "a b", "a/b", "é", "a\n", "a" * 101, "a.b", "%61"])
def test_no_name(text: str) -> None:
    assert not is_slug(text)


def test_a_visit_is_to_one_share_with_one_key_until_it_ends() -> None:
    visit = begin_visit(SHARE, KEY, START, HOUR)
    assert visit.token not in repr(visit)
    assert is_visit(visit.token, SHARE, KEY, START)
    assert is_visit(visit.token, SHARE, KEY, visit.expires_at - timedelta(microseconds=1))
    assert not is_visit(visit.token, SHARE, KEY, visit.expires_at)
    assert not is_visit(visit.token, OTHER, KEY, START)
    assert not is_visit(visit.token, SHARE, OTHER_KEY, START)
    assert not is_visit(None, SHARE, KEY, START)


def test_no_byte_of_a_visit_can_be_another() -> None:
    token = begin_visit(SHARE, KEY, START, HOUR).token
    for index, character in enumerate(token):
        for other in ("0", "f", ".", "A", " ", "\0"):
            altered = token[:index] + other + token[index + 1 :]
            assert is_visit(altered, SHARE, KEY, START) is (other == character)
    for altered in (token[:-1], token + "0", token[1:], "0" + token, token + "\n", token.upper(), token * 2):
        assert not is_visit(altered, SHARE, KEY, START)


@given(st.text(max_size=120))
def test_no_text_is_a_visit(text: str) -> None:
    assert not is_visit(text, SHARE, KEY, START)


def test_a_visitor_is_another_one_with_another_salt() -> None:
    assert visitor_hash(KEY, "192.0.2.1") == visitor_hash(KEY, "192.0.2.1")
    assert (
        len({visitor_hash(KEY, "192.0.2.1"), visitor_hash(KEY, "192.0.2.2"), visitor_hash(OTHER_KEY, "192.0.2.1")}) == 3
    )
