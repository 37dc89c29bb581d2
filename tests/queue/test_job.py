"""The rules of retrying."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.ids import new_id
from imagegallery.queue.job import (
    GIVE_UP_ATTEMPTS,
    SHORTEST_WAIT,
    ClaimedJob,
    QueueOptions,
    backoff,
    is_exhausted,
    may_fail_to_give_up,
    postpone_until,
    retry_at,
    should_dead_letter,
    waiting_time,
)

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
OPTIONS = QueueOptions(max_attempts=5, backoff_base=timedelta(seconds=2), backoff_limit=timedelta(seconds=60))


def claimed(attempt: int, job_id: UUID | None = None) -> ClaimedJob:
    return ClaimedJob(job_id or new_id(), "work", {}, attempt, new_id(), NOW, NOW)


def test_backoff_doubles_up_to_its_limit() -> None:
    seconds = [backoff(attempt, OPTIONS).total_seconds() for attempt in range(1, 8)]
    assert seconds == [2, 4, 8, 16, 32, 60, 60]


@given(attempt=st.integers(1, 100), job_id=st.uuids())
def test_a_retry_takes_off_a_quarter_of_the_backoff_at_most(attempt: int, job_id: UUID) -> None:
    delay = retry_at(claimed(attempt, job_id), NOW, OPTIONS) - NOW
    assert backoff(attempt, OPTIONS) * 0.75 <= delay <= backoff(attempt, OPTIONS)


@given(age=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)), job_id=st.uuids())
def test_while_a_part_is_away_a_job_waits_for_a_quarter_of_its_age(age: timedelta, job_id: UUID) -> None:
    options = evolve(OPTIONS, outage_patience=timedelta(days=1))
    due = postpone_until(claimed(1, job_id), NOW + age, options)
    if due is None:
        assert age >= timedelta(days=1)
    else:
        pause = min(max(age / 4, options.backoff_base), options.backoff_limit)
        assert age < timedelta(days=1)
        assert pause * 0.75 <= due - NOW - age <= pause


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    assert len({retry_at(claimed(3), NOW, OPTIONS) for _ in range(50)}) > 10


def test_the_last_attempt_is_exhausted_and_the_one_after_it_is_poisoned() -> None:
    assert [is_exhausted(attempt, OPTIONS) for attempt in (4, 5, 6)] == [False, True, True]
    assert [should_dead_letter(attempt, OPTIONS) for attempt in (4, 5, 6)] == [False, False, True]


def test_giving_up_may_fail_a_few_times() -> None:
    last = OPTIONS.max_attempts + GIVE_UP_ATTEMPTS
    assert may_fail_to_give_up(last - 1, OPTIONS)
    assert not may_fail_to_give_up(last, OPTIONS)


@pytest.mark.parametrize(
    ("next_due", "expected"),
    [
        (None, timedelta(seconds=5)),
        (NOW + timedelta(seconds=2), timedelta(seconds=2)),
        (NOW + timedelta(hours=1), timedelta(seconds=5)),
        (NOW, SHORTEST_WAIT),
        (NOW - timedelta(hours=1), SHORTEST_WAIT),
    ],
)
def test_a_wait_lasts_until_the_next_job_is_due(next_due: datetime | None, expected: timedelta) -> None:
    assert waiting_time(next_due, NOW, timedelta(seconds=5)) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_attempts": 0},
        {"concurrency": 0},
        {"lease": timedelta(0)},
        {"poll_interval": timedelta(0)},
        {"backoff_base": timedelta(seconds=-1)},
    ],
)
def test_options_that_cannot_work_are_refused(wrong: dict[str, int | timedelta]) -> None:
    with pytest.raises(ValueError):
        QueueOptions(**wrong)  # type: ignore[arg-type]
