"""Whether anybody does the jobs is said once it is sure, and taken back when somebody does."""

import logging
from datetime import datetime, timedelta

import pytest
from attrs import evolve
from tests.support.clock import START, ManualClock

from imagegallery.database.pool import Database
from imagegallery.queue.attendance import PATIENCE, WARNING, Attendance, is_unattended
from imagegallery.queue.job import Backlog, NewJob
from imagegallery.queue.postgres import PostgresQueue

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)
ONE_WAITS = Backlog(due_since=START)
LATE = START + PATIENCE + SECOND


@pytest.mark.parametrize(
    ("backlog", "now", "expected"),
    [
        (Backlog(), LATE, False),
        (ONE_WAITS, START + PATIENCE, False),
        (ONE_WAITS, LATE, True),
        (evolve(ONE_WAITS, due_since=LATE + LEASE), LATE, False),
        (evolve(ONE_WAITS, held_until=LATE + SECOND), LATE, False),
        (evolve(ONE_WAITS, held_until=LATE), LATE, True),
    ],
    ids=["nothing waits", "not long enough", "long enough", "not due yet", "somebody works", "who worked is gone"],
)
def test_jobs_are_unattended_when_they_are_due_for_long_and_nobody_holds_one(
    backlog: Backlog, now: datetime, expected: bool
) -> None:
    assert is_unattended(backlog, now) is expected


async def test_it_is_said_once_and_taken_back_when_a_worker_comes(
    database: Database, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "imagegallery")
    queue = PostgresQueue(database, clock)
    attendance = Attendance(queue, clock)
    async with database.transaction() as connection:
        await queue.enqueue(connection, NewJob("work"), now=clock())
        await queue.enqueue(connection, NewJob("work"), now=clock())

    for _ in range(2):
        await attendance.look()
    assert (attendance.warnings, caplog.messages) == ([], [])

    clock.advance(PATIENCE + SECOND)
    await attendance.look()
    assert attendance.warnings == []  # a worker may just be between two jobs
    for _ in range(2):
        await attendance.look()
        assert (attendance.warnings, caplog.messages) == ([WARNING], [WARNING])

    (job,) = await queue.claim(["work"], limit=1, lease=LEASE)
    await attendance.look()
    assert attendance.warnings == []
    assert len(caplog.messages) == 2

    # The worker is killed; what it held is due from the end of its lease.
    clock.set(job.lease_expires_at)
    for _ in range(2):
        await attendance.look()
    assert attendance.warnings == [WARNING]
