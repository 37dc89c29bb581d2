"""When Redis is left alone, and when it is tried again: a table, and what holds for any course of events."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START

from imagegallery.redis.breaker import Breaker, ClosedState, OpenState, State

REST = timedelta(seconds=5)
MOMENT = timedelta(microseconds=1)
BREAKER = Breaker(failures_allowed=2, rest=REST)


def after(*events: str) -> State:
    state: State = ClosedState()
    for event in events:
        state = BREAKER.after_failure(state, START) if event == "failed" else BREAKER.after_success(state)
    return state


def test_it_opens_after_more_failures_in_a_row_than_are_allowed() -> None:
    assert after("failed", "failed") == ClosedState(2)
    assert after("failed", "failed", "failed") == OpenState(START + REST)
    assert after("failed", "failed", "worked", "failed") == ClosedState(1)


def test_a_breaker_that_allows_no_failure_opens_at_the_first() -> None:
    assert Breaker(0, REST).after_failure(ClosedState(), START) == OpenState(START + REST)


@pytest.mark.parametrize(
    ("wait", "is_let_through"),
    [(timedelta(0), False), (REST - MOMENT, False), (REST, True), (100 * REST, True), (-MOMENT, True)],
)
def test_who_asks_an_open_one_is_let_through_when_it_has_rested(wait: timedelta, is_let_through: bool) -> None:
    may_call, _ = BREAKER.ask(OpenState(START + REST), START + wait)
    assert may_call is is_let_through


def test_one_at_a_time_is_let_through_until_it_comes_back_or_never_does() -> None:
    now = START + REST
    first, state = BREAKER.ask(OpenState(START + REST), now)
    second, state = BREAKER.ask(state, now + MOMENT)
    third, _ = BREAKER.ask(state, now + REST)
    assert (first, second, third) == (True, False, True)


def test_a_trial_that_works_closes_it_and_one_that_fails_lets_it_rest_again() -> None:
    _, trying = BREAKER.ask(OpenState(START), START)
    assert BREAKER.after_success(trying) == ClosedState()
    assert BREAKER.after_failure(trying, START) == OpenState(START + REST)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60), st.integers(0, 4))
def test_a_server_that_is_down_is_asked_once_a_rest_and_one_that_is_up_always(
    course: list[tuple[bool, int]], allowed: int
) -> None:
    """Each step: whether the server works, and how many seconds pass before the call."""
    breaker, state, now = Breaker(allowed, REST), ClosedState(), START
    failures, last_asked = 0, START - REST
    for works, seconds in course:
        now += timedelta(seconds=seconds)
        may_call, state = breaker.ask(state, now)  # type: ignore[assignment]
        if failures <= allowed:
            assert may_call
        else:
            assert may_call is (now - last_asked >= REST)
        if may_call:
            last_asked, failures = now, 0 if works else failures + 1
            state = breaker.after_success(state) if works else breaker.after_failure(state, now)  # type: ignore[assignment]
