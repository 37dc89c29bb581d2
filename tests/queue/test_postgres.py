"""PostgresQueue: the conformance suite, and what is PostgreSQL's own."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.clock import ManualClock
from tests.support.database import explain

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.ids import new_id
from imagegallery.queue import records
from imagegallery.queue.job import ClaimedJob, NewJob
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import Queue
from imagegallery.testing.queue import QueueSuite

LEASE = timedelta(seconds=30)


@pytest.fixture
def queue(database: Database, clock: ManualClock) -> PostgresQueue:
    return PostgresQueue(database, clock)


async def add(database: Database, queue: PostgresQueue, job: NewJob, clock: ManualClock) -> None:
    async with database.transaction() as connection:
        await queue.enqueue(connection, job, now=clock())


class TestConformance(QueueSuite):
    @pytest.fixture(autouse=True)
    def parts(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock

    async def make_queue(self) -> Queue:
        return PostgresQueue(self.database, self.clock)

    async def enqueue(self, queue: Queue, job: NewJob) -> None:
        assert isinstance(queue, PostgresQueue)
        await add(self.database, queue, job, self.clock)

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        return self.database.transaction()

    def now(self) -> datetime:
        return self.clock()

    async def pass_time(self, duration: timedelta) -> None:
        self.clock.advance(duration)


class TestOutbox:
    async def test_a_job_of_a_transaction_that_rolls_back_never_was(
        self, database: Database, queue: PostgresQueue, clock: ManualClock
    ) -> None:
        async def fail() -> None:
            async with database.transaction() as connection:
                await queue.enqueue(connection, NewJob("work"), now=clock())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert (await queue.stats()).waiting == 0

    async def test_a_job_is_seen_when_its_transaction_commits(
        self, database: Database, queue: PostgresQueue, clock: ManualClock
    ) -> None:
        async with database.transaction() as connection:
            await queue.enqueue(connection, NewJob("work"), now=clock())
            assert await queue.claim(["work"], limit=1, lease=LEASE) == []
        assert len(await queue.claim(["work"], limit=1, lease=LEASE)) == 1

    async def test_a_job_that_stands_in_is_not_claimed_before_the_transaction_ends(
        self, database: Database, queue: PostgresQueue, clock: ManualClock
    ) -> None:
        await add(database, queue, NewJob("work", dedupe_key="a"), clock)
        async with database.transaction() as connection:
            await queue.enqueue(connection, NewJob("work", dedupe_key="a"), now=clock())
            assert await queue.claim(["work"], limit=1, lease=LEASE) == []
        assert len(await queue.claim(["work"], limit=5, lease=LEASE)) == 1

    async def test_a_job_that_stands_in_keeps_its_backoff(
        self, database: Database, queue: PostgresQueue, clock: ManualClock
    ) -> None:
        await add(database, queue, NewJob("work", dedupe_key="a"), clock)
        (job,) = await queue.claim(["work"], limit=1, lease=LEASE)
        await queue.retry(job, error="did not work", run_at=clock() + LEASE)
        await add(database, queue, NewJob("work", dedupe_key="a"), clock)
        assert await queue.claim(["work"], limit=1, lease=LEASE) == []


class TestTwins:
    async def test_a_job_comes_back_while_a_twin_is_being_committed(
        self, database: Database, queue: PostgresQueue, clock: ManualClock
    ) -> None:
        """The twin is not visible when `retry` looks for one, and is in the way when it writes."""
        await add(database, queue, NewJob("work", dedupe_key="a"), clock)
        (job,) = await queue.claim(["work"], limit=1, lease=LEASE)
        async with anyio.create_task_group() as tasks, database.transaction() as connection:
            await queue.enqueue(connection, NewJob("work", dedupe_key="a"), now=clock())
            tasks.start_soon(lambda: queue.retry(job, error="did not work", run_at=clock()))
            await _until_somebody_waits_for(connection)
        assert len(await queue.claim(["work"], limit=5, lease=LEASE)) == 2


async def _until_somebody_waits_for(connection: Connection) -> None:
    """Return once another session is blocked by this one's transaction."""
    blocked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    with anyio.fail_after(20):
        while not await connection.fetchval(blocked):
            # The view is a snapshot that lasts as long as the transaction.
            await connection.execute("SELECT pg_stat_clear_snapshot()")


class TestConcurrency:
    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        priorities=st.lists(st.integers(-3, 3), max_size=30),
        limits=st.lists(st.integers(1, 7), min_size=2, max_size=5),
        dying=st.sets(st.integers(0, 29)),
    )
    async def test_no_two_claimers_hold_a_job_and_every_job_is_done_once(
        self,
        database: Database,
        queue: PostgresQueue,
        clock: ManualClock,
        priorities: list[int],
        limits: list[int],
        dying: set[int],
    ) -> None:
        """Claimers with any limits, some of whose jobs are abandoned: each job is held by one at a time."""
        await _add_numbered(database, queue, priorities, clock)
        holders: dict[int, ClaimedJob] = {}
        done: list[int] = []

        async def work(limit: int) -> None:
            while claimed := await queue.claim(["work"], limit=limit, lease=LEASE):
                for job in claimed:
                    number = job.payload["number"]
                    assert isinstance(number, int)
                    assert number not in holders or job.attempt == 2
                    holders[number] = job
                    if number not in dying or job.attempt == 2:
                        await queue.complete(job)
                        done.append(number)

        for _ in range(2):
            async with anyio.create_task_group() as tasks:
                for limit in limits:
                    tasks.start_soon(work, limit)
            clock.advance(LEASE)
        assert sorted(done) == list(range(len(priorities)))

    async def test_claims_that_are_not_told_apart_by_time_have_tokens_of_their_own(
        self, database: Database, queue: PostgresQueue, clock: ManualClock
    ) -> None:
        await _add_numbered(database, queue, [0] * 10, clock)
        assert len({job.lease_token for job in await queue.claim(["work"], limit=10, lease=LEASE)}) == 10


async def _add_numbered(database: Database, queue: PostgresQueue, priorities: list[int], clock: ManualClock) -> None:
    async with database.transaction() as connection:
        for number, priority in enumerate(priorities):
            await queue.enqueue(connection, NewJob("work", {"number": number}, priority), now=clock())


async def test_a_worker_that_cannot_record_an_end_does_the_job_again_when_its_lease_ends(
    queue: PostgresQueue, database: Database, clock: ManualClock
) -> None:
    """It need not be told: whoever waits after a claim wakes then, not an hour later."""
    async with database.transaction() as connection:
        await queue.enqueue(connection, NewJob("work", {}), now=clock())
    (lost,) = await queue.claim(["work"], limit=2, lease=timedelta(milliseconds=1))
    async with queue.watch(["work"]) as watch:
        with anyio.fail_after(20):
            await watch.wait(["work"], timeout=timedelta(hours=1))
    clock.advance(timedelta(milliseconds=1))
    (again,) = await queue.claim(["work"], limit=2, lease=timedelta(minutes=1))
    assert again.id == lost.id


class TestPlans:
    """A claim costs what it takes, not what waits."""

    @pytest.fixture
    async def full(self, database: Database, clock: ManualClock) -> AbstractAsyncContextManager[Connection]:
        fill = """
            INSERT INTO jobs (id, kind, payload, state, run_at, lease_token, lease_expires_at, created_at, updated_at)
            SELECT gen_random_uuid(), 'work', '{}', state, $1::timestamptz + number * interval '1 ms',
                   CASE state WHEN 'running' THEN gen_random_uuid() END,
                   CASE state WHEN 'running' THEN $1::timestamptz + number * interval '1 ms' END, $1, $1
            FROM generate_series(1, 10000) AS number, (VALUES ('waiting'), ('running'), ('dead')) AS states (state)
        """
        async with database.connection() as connection:
            await connection.execute(fill, clock())
            await connection.execute("ANALYZE jobs")
        return database.connection()

    async def test_a_claim_reads_indexes_in_their_order(
        self, full: AbstractAsyncContextManager[Connection], clock: ManualClock
    ) -> None:
        later = clock() + timedelta(hours=1)
        async with full as connection:
            plan = await explain(connection, records.CLAIM, later, ["work"], 10, later)
        assert '"Index Name": "jobs_waiting"' in plan
        assert '"Index Name": "jobs_running"' in plan
        assert '"Index Name": "jobs_pkey"' in plan
        assert "Seq Scan" not in plan
        assert plan.count('"Sort"') == 1, "only the claimed jobs are sorted"

    async def test_a_turn_is_found_without_looking_at_what_waits(
        self, full: AbstractAsyncContextManager[Connection], clock: ManualClock
    ) -> None:
        payload: dict[str, str] = {}
        arguments = (new_id(), "work", payload, 0, clock(), None, clock(), records.CHANNEL, "hog")
        async with full as connection:
            await connection.execute("UPDATE jobs SET owner_id = 'hog' WHERE state = 'waiting'")
            await connection.execute("VACUUM ANALYZE jobs")
            plan = await explain(connection, records.ENQUEUE, *arguments)
        for index in ("jobs_by_owner", "jobs_at_work", "jobs_waiting"):
            assert f'"Index Name": "{index}"' in plan
        assert "Seq Scan" not in plan
        assert plan.count('"Limit"') == 3, "the first of each"

    async def test_the_next_due_time_is_read_off_two_indexes(
        self, full: AbstractAsyncContextManager[Connection]
    ) -> None:
        async with full as connection:
            plan = await explain(connection, records.NEXT_DUE, ["work"])
        assert '"Index Name": "jobs_due"' in plan
        assert '"Index Name": "jobs_running"' in plan
        assert "Seq Scan" not in plan

    async def test_the_backlog_is_read_off_two_indexes(self, full: AbstractAsyncContextManager[Connection]) -> None:
        async with full as connection:
            plan = await explain(connection, records.BACKLOG)
        assert plan.count('"Index Name": "jobs_due"') == 1
        assert plan.count('"Index Name": "jobs_running"') == 2
        assert plan.count('"Limit"') == 3, "the first or last entry of each"
        assert "Seq Scan" not in plan

    @pytest.mark.parametrize("statement", ["FENCE", "COMPLETE"])
    async def test_one_job_is_found_by_its_id(
        self, full: AbstractAsyncContextManager[Connection], statement: str
    ) -> None:
        async with full as connection:
            plan = await explain(connection, getattr(records, statement), new_id(), new_id())
        assert '"Index Name": "jobs_pkey"' in plan
