"""Fresh, stale or nothing: the table, the edges, and what holds for any age."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from imagegallery.cache.policy import (
    GALLERY,
    IMAGE_PAGES,
    LONGEST,
    UNHEARD_LIMIT,
    Decision,
    Lifetime,
    Load,
    Serve,
    ServeStale,
    decide,
    is_kept,
)
from imagegallery.cache.protocol import Entry

ENTRY = Entry(b"page", START)
SECOND = timedelta(seconds=1)
MOMENT = timedelta(microseconds=1)


def at(age: timedelta, lifetime: Lifetime = IMAGE_PAGES, *, is_listening: bool = True) -> Decision:
    return decide(ENTRY, lifetime, START + age, is_listening=is_listening)


def test_the_lifetimes_are_those_of_the_design() -> None:
    assert Lifetime(300 * SECOND, 60 * SECOND) == GALLERY
    assert Lifetime(120 * SECOND, 30 * SECOND) == IMAGE_PAGES
    assert LONGEST == 360 * SECOND


@pytest.mark.parametrize(
    ("age", "decision"),
    [
        (timedelta(0), Serve(ENTRY)),
        (120 * SECOND - MOMENT, Serve(ENTRY)),
        (120 * SECOND, ServeStale(ENTRY)),
        (150 * SECOND - MOMENT, ServeStale(ENTRY)),
        (150 * SECOND, Load()),
        (-MOMENT, Load()),
    ],
)
def test_an_entry_is_fresh_then_stale_then_nothing(age: timedelta, decision: Decision) -> None:
    assert at(age) == decision


def test_what_is_not_there_is_loaded() -> None:
    assert decide(None, GALLERY, START, is_listening=True) == Load()


@pytest.mark.parametrize("lifetime", [GALLERY, IMAGE_PAGES])
def test_who_hears_of_no_changes_serves_nothing_over_a_minute_old(lifetime: Lifetime) -> None:
    assert at(UNHEARD_LIMIT - MOMENT, lifetime, is_listening=False) == Serve(ENTRY)
    assert at(UNHEARD_LIMIT, lifetime, is_listening=False) == Load()


def test_a_lifetime_that_is_shorter_stays_so() -> None:
    assert at(5 * SECOND, Lifetime(5 * SECOND, 5 * SECOND), is_listening=False) == Load()


@given(st.timedeltas(-LONGEST, 2 * LONGEST), st.timedeltas(MOMENT, LONGEST), st.timedeltas(timedelta(0), LONGEST))
def test_who_is_deaf_serves_less_and_never_anything_stale(age: timedelta, ttl: timedelta, stale: timedelta) -> None:
    lifetime = Lifetime(ttl, stale)
    deaf = at(age, lifetime, is_listening=False)
    assert deaf == Load() or deaf == at(age, lifetime) == Serve(ENTRY)


def test_the_first_three_pages_of_a_list_are_kept() -> None:
    assert [number for number in range(1, 10) if is_kept(number)] == [1, 2, 3]
    assert not is_kept(None)
