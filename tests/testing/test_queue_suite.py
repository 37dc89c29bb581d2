"""The conformance suite fails for a queue that breaks its word: one method is broken at a time."""

import inspect
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import anyio
import attrs
import pytest
from tests.support.clock import ManualClock

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import LeaseLost
from imagegallery.queue.job import Backlog, ClaimedJob, DeadJob, NewJob, QueueStats
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import Queue, Watch
from imagegallery.testing.queue import QueueSuite


class DoesNotCountAttempts(PostgresQueue):
    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        return [attrs.evolve(job, attempt=1) for job in await super().claim(kinds, limit=limit, lease=lease)]


class ClaimsWhatRuns(PostgresQueue):
    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        return await super().claim(kinds, limit=limit, lease=timedelta(0))


class ClaimsInReverse(PostgresQueue):
    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        return (await super().claim(kinds, limit=limit, lease=lease))[::-1]


class ClaimsTooMuch(PostgresQueue):
    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        return await super().claim(kinds, limit=limit + 1, lease=lease)


class IgnoresKeys(PostgresQueue):
    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        await super().enqueue(connection, attrs.evolve(job, dedupe_key=None), now=now)


class IgnoresUrgency(PostgresQueue):
    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        await super().enqueue(connection, attrs.evolve(job, priority=0), now=now)


class IgnoresTimes(PostgresQueue):
    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        await super().enqueue(connection, attrs.evolve(job, run_at=None), now=now)


class ExtendsNothing(PostgresQueue):
    async def extend(self, jobs: Sequence[ClaimedJob], *, lease: timedelta) -> list[ClaimedJob]:
        return list(jobs)


class ExtendsEverybody(PostgresQueue):
    async def extend(self, jobs: Sequence[ClaimedJob], *, lease: timedelta) -> list[ClaimedJob]:
        await super().extend(jobs, lease=lease)
        return list(jobs)


class DoesNotFence(PostgresQueue):
    async def fence(self, connection: Connection, job: ClaimedJob) -> None:
        pass


class FencesForAMoment(PostgresQueue):
    async def fence(self, connection: Connection, job: ClaimedJob) -> None:
        async with self._database.transaction() as another:
            await super().fence(another, job)


class CompletesQuietly(PostgresQueue):
    async def complete(self, job: ClaimedJob) -> None:
        try:
            await super().complete(job)
        except LeaseLost:
            return


class CompletesNothing(PostgresQueue):
    async def complete(self, job: ClaimedJob) -> None:
        pass


class CompletesNothingInTransactions(PostgresQueue):
    async def complete_in(self, connection: Connection, job: ClaimedJob) -> None:
        await super().fence(connection, job)


class CompletesOutsideOfTheTransaction(PostgresQueue):
    async def complete_in(self, connection: Connection, job: ClaimedJob) -> None:
        async with self._database.transaction() as another:
            await super().complete_in(another, job)


class LetsGoOnlyOfWhatIsHeld(PostgresQueue):
    async def let_go(self, job: ClaimedJob) -> None:
        await super().complete(job)


class RetriesAtOnce(PostgresQueue):
    async def retry(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        await super().retry(job, error=error, run_at=self._clock())


class RetriesByRelease(PostgresQueue):
    async def retry(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        await super().release(job)


class PostponesByRetry(PostgresQueue):
    async def postpone(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        await super().retry(job, error=error, run_at=run_at)


class ReleasesByRetry(PostgresQueue):
    async def release(self, job: ClaimedJob) -> None:
        await super().retry(job, error="released", run_at=self._clock())


class BuriesByRetry(PostgresQueue):
    async def bury(self, job: ClaimedJob, *, error: str) -> None:
        await super().retry(job, error=error, run_at=self._clock())


class BuriesWithoutATrace(PostgresQueue):
    async def bury(self, job: ClaimedJob, *, error: str) -> None:
        await super().complete(job)


class ForgetsWhy(PostgresQueue):
    async def bury(self, job: ClaimedJob, *, error: str) -> None:
        await super().bury(job, error="")


class Sleeps(PostgresQueue):
    @asynccontextmanager
    async def watch(self, kinds: Sequence[str]) -> AsyncIterator[Watch]:
        yield _Sleep()


class _Sleep(Watch):
    async def wait(self, kinds: Sequence[str], *, timeout: timedelta) -> None:
        await anyio.sleep(timeout.total_seconds())


class WaitsForEver(PostgresQueue):
    @asynccontextmanager
    async def watch(self, kinds: Sequence[str]) -> AsyncIterator[Watch]:
        yield _Eternity()


class _Eternity(Watch):
    async def wait(self, kinds: Sequence[str], *, timeout: timedelta) -> None:
        await anyio.sleep_forever()


class ListsTheOldest(PostgresQueue):
    async def dead(self, *, limit: int) -> list[DeadJob]:
        return (await super().dead(limit=1000))[::-1][:limit]


class RequeuesAnything(PostgresQueue):
    async def requeue(self, job_id: UUID) -> None:
        pass


class CountsNothing(PostgresQueue):
    async def stats(self) -> QueueStats:
        return QueueStats(0, 0, 0)


class TellsNothing(PostgresQueue):
    async def backlog(self) -> Backlog:
        return Backlog()


class Suite(QueueSuite):
    """Not named Test...: pytest does not collect it, this file runs its tests by name."""

    patience = timedelta(seconds=0.2)

    def __init__(self, queue: PostgresQueue, database: Database, clock: ManualClock) -> None:
        self._queue = queue
        self._database = database
        self._clock = clock

    async def make_queue(self) -> Queue:
        return self._queue

    async def enqueue(self, queue: Queue, job: NewJob) -> None:
        async with self._database.transaction() as connection:
            await self._queue.enqueue(connection, job, now=self._clock())

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        return self._database.transaction()

    def now(self) -> datetime:
        return self._clock()

    async def pass_time(self, duration: timedelta) -> None:
        self._clock.advance(duration)


SABOTAGES: list[tuple[type[PostgresQueue], str, dict[str, str]]] = [
    (DoesNotCountAttempts, "test_an_abandoned_job_is_claimed_again_and_counted", {}),
    (ClaimsWhatRuns, "test_a_claimed_job_is_not_claimed_again", {}),
    (ClaimsInReverse, "test_one_claim_of_many_is_in_order", {}),
    (IgnoresUrgency, "test_what_nobody_waits_for_goes_last", {}),
    (ClaimsTooMuch, "test_a_claim_takes_no_more_than_its_limit", {}),
    (ClaimsTooMuch, "test_the_limit_counts_abandoned_jobs_too", {}),
    (IgnoresKeys, "test_a_job_that_waits_under_the_same_key_is_enough", {}),
    (IgnoresKeys, "test_the_waiting_job_takes_over_the_urgency_of_the_one_it_stands_in_for", {}),
    (IgnoresTimes, "test_a_job_is_not_claimed_before_its_time", {}),
    (ExtendsNothing, "test_an_extended_lease_lasts_longer", {}),
    (ExtendsEverybody, "test_extending_tells_what_was_lost", {}),
    (DoesNotFence, "test_a_lost_claim_can_write_nothing_more", {"write": "fence"}),
    (FencesForAMoment, "test_an_open_fence_keeps_other_claims_off", {}),
    (CompletesQuietly, "test_a_lost_claim_can_write_nothing_more", {"write": "complete"}),
    (CompletesQuietly, "test_a_claim_that_was_given_up_can_write_nothing_more", {"end": "complete"}),
    (CompletesNothing, "test_a_completed_job_is_gone", {}),
    (CompletesNothingInTransactions, "test_a_claim_that_was_given_up_can_write_nothing_more", {"end": "complete_in"}),
    (
        CompletesOutsideOfTheTransaction,
        "test_a_job_that_is_completed_in_a_transaction_is_kept_until_that_commits",
        {},
    ),
    (
        LetsGoOnlyOfWhatIsHeld,
        "test_a_claim_can_still_write_past_its_lease_while_nobody_else_claimed",
        {"write": "complete_in"},
    ),
    (RetriesAtOnce, "test_a_retried_job_comes_back_at_its_time_and_its_attempt_counts", {}),
    (RetriesByRelease, "test_a_retried_job_comes_back_at_its_time_and_its_attempt_counts", {}),
    (
        PostponesByRetry,
        "test_a_postponed_job_comes_back_at_its_time_and_its_attempt_does_not_count",
        {},
    ),
    (ReleasesByRetry, "test_a_released_job_comes_back_at_once_and_its_attempt_does_not_count", {}),
    (BuriesByRetry, "test_a_buried_job_is_not_claimed_again", {}),
    (BuriesWithoutATrace, "test_dead_letters_are_kept_with_their_error", {}),
    (ForgetsWhy, "test_dead_letters_are_kept_with_their_error", {}),
    (Sleeps, "test_a_new_job_ends_a_wait", {}),
    (Sleeps, "test_a_job_that_came_before_the_wait_ends_it", {}),
    (Sleeps, "test_a_wait_ends_when_a_job_is_due", {}),
    (WaitsForEver, "test_a_wait_ends_after_its_timeout", {}),
    (ListsTheOldest, "test_the_last_to_die_is_listed_first", {}),
    (RequeuesAnything, "test_a_requeued_dead_letter_has_all_its_attempts_again", {}),
    (RequeuesAnything, "test_only_dead_letters_can_be_requeued", {}),
    (CountsNothing, "test_the_jobs_are_counted_by_what_they_do", {}),
    (TellsNothing, "test_the_backlog_tells_what_is_due_and_held", {}),
]


@pytest.mark.parametrize(("sabotaged", "test", "arguments"), SABOTAGES)
async def test_the_suite_notices(
    sabotaged: type[PostgresQueue], test: str, arguments: dict[str, str], database: Database, clock: ManualClock
) -> None:
    suite = Suite(sabotaged(database, clock), database, clock)
    with pytest.raises((AssertionError, TimeoutError, LeaseLost, pytest.fail.Exception)):
        await getattr(suite, test)(**arguments)


def test_every_method_is_sabotaged() -> None:
    """A method added to the queue needs a sabotage here, and so a test in the suite."""
    broken = {name for queue, _, _ in SABOTAGES for name, _ in inspect.getmembers(queue) if name in vars(queue)}
    public = {name for name, member in vars(PostgresQueue).items() if callable(member) and not name.startswith("_")}
    assert public <= broken
