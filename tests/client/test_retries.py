from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.client.problems import read_problem
from imagegallery.client.retries import RetryPolicy, is_passing

POLICY = RetryPolicy(attempts=4, first_pause=timedelta(seconds=1), longest_pause=timedelta(seconds=10))


def test_pauses_double_up_to_the_longest() -> None:
    assert [POLICY.pause(failures, chance=1) for failures in (1, 2, 3, 4, 5, 60)] == [1, 2, 4, 8, 10, 10]


@given(failures=st.integers(1, 100), chance=st.floats(0, 1))
def test_a_pause_is_at_least_half_of_what_it_could_be(failures: int, chance: float) -> None:
    longest = POLICY.pause(failures, chance=1)
    assert longest / 2 <= POLICY.pause(failures, chance=chance) <= longest


def test_the_server_is_given_the_time_it_asks_for() -> None:
    assert POLICY.pause(1, 30.0) == 30.0
    assert POLICY.pause(4, 0.1, chance=0) == 4


def test_attempts_are_counted_with_the_first() -> None:
    assert [POLICY.may_try_again(failures) for failures in (1, 3, 4)] == [True, True, False]


@pytest.mark.parametrize(("status", "passing"), [(503, True), (429, True), (500, True), (409, False), (403, False)])
def test_only_what_may_pass_is_tried_again(status: int, passing: bool) -> None:
    assert is_passing(status) is passing


def test_a_problem_is_told_in_the_words_of_the_api() -> None:
    body = b'{"title": "Too large", "detail": "At most 5 bytes.", "code": "too_large"}'
    problem = read_problem(413, {}, body)
    assert (problem.status, problem.problem, problem.message) == (413, "too_large", "At most 5 bytes.")


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[]", b'{"code": 7, "detail": null}', b"\xff"])
def test_an_answer_of_somebody_in_between_is_a_problem_too(body: bytes) -> None:
    problem = read_problem(502, {"retry-after": "7"}, body)
    assert (problem.problem, problem.message, problem.retry_after) == ("http_502", "The server answered 502.", 7.0)


@pytest.mark.parametrize("value", ["", "-1", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "٣"])
def test_another_retry_after_is_left_to_the_backoff(value: str) -> None:
    assert read_problem(503, {"retry-after": value}, b"").retry_after is None
