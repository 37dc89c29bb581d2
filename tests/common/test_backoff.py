"""Pauses between tries."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from imagegallery.common.backoff import Backoff

positive = st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(days=365))


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(timedelta(seconds=2), timedelta(seconds=60))
    assert [backoff.after(failures).total_seconds() for failures in range(1, 8)] == [2, 4, 8, 16, 32, 60, 60]


@given(failures=st.integers(1, 10**9), first=positive, longest=positive)
def test_pauses_never_shrink_and_never_pass_the_longest(failures: int, first: timedelta, longest: timedelta) -> None:
    backoff = Backoff(first, longest)
    assert backoff.after(failures) <= backoff.after(failures + 1) <= longest
