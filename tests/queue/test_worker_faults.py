"""The worker when leases, the database or its own process are lost."""

import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import anyio
import attrs
import pytest
from tests.support.clock import ManualClock
from tests.support.worker import EAGER, Bench, ScriptedHandler

from imagegallery.clock import utc_now
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import Unavailable
from imagegallery.queue import attempt
from imagegallery.queue.job import ClaimedJob, QueueStats
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import JobOutcome

DONE, RETRIED, BURIED, RELEASED, LOST = JobOutcome
EMPTY = QueueStats(waiting=0, running=0, dead=0)
# Renewed every 50 ms, by the machine's time; whether it ran out is the test clock's business.
SHORT_LEASE = timedelta(milliseconds=150)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(database: Database, clock: ManualClock) -> Bench:
    return Bench(database, clock)


async def succeed(job: ClaimedJob) -> None:
    pass


class FlakyQueue(PostgresQueue):
    """Its database is away for a number of claims, renewals or completions; it tells of those that succeed."""

    failing_claims = 0
    failing_renewals = 0
    failing_completions = 0

    def __init__(self, database: Database, clock: ManualClock) -> None:
        super().__init__(database, clock)
        self.claimed = anyio.Event()
        self.renewed = anyio.Event()

    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        if self.failing_claims:
            self.failing_claims -= 1
            raise Unavailable("The database does not answer.")
        claimed = await super().claim(kinds, limit=limit, lease=lease)
        self.claimed.set()
        return claimed

    async def extend(self, jobs: Sequence[ClaimedJob], *, lease: timedelta) -> list[ClaimedJob]:
        if self.failing_renewals:
            self.failing_renewals -= 1
            raise Unavailable("The database does not answer.")
        held = await super().extend(jobs, lease=lease)
        self.renewed.set()
        return held

    async def complete(self, job: ClaimedJob) -> None:
        if self.failing_completions:
            self.failing_completions -= 1
            raise Unavailable("The database does not answer.")
        await super().complete(job)


@pytest.fixture
def flaky(database: Database, clock: ManualClock) -> FlakyQueue:
    return FlakyQueue(database, clock)


class TestLeases:
    @pytest.mark.parametrize("failing_renewals", [0, 2])
    async def test_the_lease_of_a_running_job_is_renewed(
        self, bench: Bench, flaky: FlakyQueue, clock: ManualClock, failing_renewals: int
    ) -> None:
        bench.options = attrs.evolve(EAGER, lease=SHORT_LEASE)
        flaky.failing_renewals = failing_renewals
        finish = anyio.Event()
        await bench.add()
        async with bench.working(ScriptedHandler(lambda job: finish.wait()), flaky):
            for _ in range(3):
                flaky.renewed = anyio.Event()
                clock.advance(SHORT_LEASE * 0.9)
                with anyio.fail_after(30):
                    await flaky.renewed.wait()
                assert await bench.claim() == []
            finish.set()
            assert await bench.outcomes.next() == [DONE]

    async def test_a_job_whose_lease_was_lost_is_cancelled_and_left_to_its_new_holder(
        self, bench: Bench, clock: ManualClock
    ) -> None:
        bench.options = attrs.evolve(EAGER, lease=SHORT_LEASE)
        stolen: list[ClaimedJob] = []

        async def be_robbed(job: ClaimedJob) -> None:
            clock.advance(SHORT_LEASE)
            stolen.extend(await bench.claim())
            await anyio.sleep_forever()

        await bench.add()
        async with bench.working(ScriptedHandler(be_robbed)):
            assert await bench.outcomes.next() == [LOST]
        (job,) = stolen
        assert job.attempt == 2
        await bench.queue.complete(job)


class TestOutages:
    async def test_after_an_outage_longer_than_its_lease_a_worker_keeps_its_job(
        self, bench: Bench, flaky: FlakyQueue, clock: ManualClock
    ) -> None:
        bench.options = attrs.evolve(EAGER, concurrency=2)
        begun, finish = anyio.Event(), anyio.Event()

        async def begin(job: ClaimedJob) -> None:
            begun.set()
            await finish.wait()

        handler = ScriptedHandler(begin)
        await bench.add()
        async with bench.working(handler, flaky):
            with anyio.fail_after(30):
                await begun.wait()
                flaky.failing_claims = 2
                clock.advance(EAGER.lease)
                await flaky.renewed.wait()
                flaky.claimed = anyio.Event()
                await flaky.claimed.wait()
            finish.set()
            assert await bench.outcomes.next() == [DONE]
        assert handler.attempts == [1]

    async def test_the_worker_goes_on_when_claims_fail(self, bench: Bench, flaky: FlakyQueue) -> None:
        flaky.failing_claims = 3
        await bench.add()
        async with bench.working(ScriptedHandler(succeed), flaky):
            assert await bench.outcomes.next() == [DONE]

    async def test_the_worker_goes_on_when_its_connections_are_cut(self, bench: Bench, database_dsn: str) -> None:
        bench.options = attrs.evolve(EAGER, poll_interval=timedelta(seconds=1))
        async with bench.working(ScriptedHandler(succeed)):
            await bench.add()
            assert await bench.outcomes.next() == [DONE]
            async with Database.connect(DatabaseOptions(dsn=database_dsn)) as other:
                async with other.connection() as connection:
                    await connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                await Bench(other, bench.clock).add()
                assert await bench.outcomes.next() == [DONE]

    async def test_the_end_of_a_job_is_written_after_an_outage(
        self, bench: Bench, flaky: FlakyQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(attempt, "SETTLE_PAUSE", 0)
        flaky.failing_completions = 3
        await bench.add()
        async with bench.working(ScriptedHandler(succeed), flaky):
            assert await bench.outcomes.next() == [DONE]
        assert await bench.queue.stats() == EMPTY

    async def test_a_job_whose_end_cannot_be_written_is_done_again(
        self, bench: Bench, flaky: FlakyQueue, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(attempt, "SETTLE_TIME", 0.05)
        flaky.failing_completions = 1
        handler = ScriptedHandler(succeed)
        await bench.add()
        async with bench.working(handler, flaky):
            assert await bench.outcomes.next() == [LOST]
            clock.advance(EAGER.lease)
            assert await bench.outcomes.next() == [DONE]
        assert handler.attempts == [1, 2]


async def test_a_job_whose_worker_was_killed_is_done_by_the_next_one(database: Database, database_dsn: str) -> None:
    """``kill -9`` in mid-job, for real."""
    bench = Bench(database, utc_now)
    await bench.add()
    command = [sys.executable, "-m", "tests.queue.doomed_worker", database_dsn]
    async with await anyio.open_process(command, stderr=None, cwd=ROOT) as doomed:
        try:
            assert doomed.stdout is not None
            with anyio.fail_after(60):
                assert await doomed.stdout.receive() == b"1"
        finally:
            doomed.send_signal(signal.SIGKILL)
    assert await bench.claim() == [], "its lease has not run out"

    later = Bench(database, lambda: utc_now() + EAGER.lease)
    handler = ScriptedHandler(succeed)
    async with later.working(handler):
        assert await later.outcomes.next() == [DONE]
    assert handler.attempts == [2]
    assert await bench.queue.stats() == EMPTY
