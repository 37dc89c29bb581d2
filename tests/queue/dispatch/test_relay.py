"""The relay: what is committed is sent, at least once, whenever a relay dies and however many there are."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import anyio
import pytest
from tests.support.clock import ManualClock
from tests.support.database import explain

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable
from imagegallery.queue.dispatch import records as dispatch_records
from imagegallery.queue.dispatch.relay import PAGE, JobRelay
from imagegallery.queue.dispatch.rules import ABANDONED_AFTER, LONGEST_DELAY, LOST_AFTER, RESERVED_FOR, Dispatch
from imagegallery.queue.job import ClaimedJob, NewJob
from imagegallery.queue.postgres import PostgresQueue

LEASE = timedelta(seconds=30)
MOMENT = timedelta(microseconds=1)


class Post:
    """Takes messages, as a message queue does, unless told otherwise."""

    def __init__(self) -> None:
        self.taken: list[Dispatch] = []
        self.is_away = False
        self.refuses = 0
        self.came = anyio.Event()

    async def send(self, dispatches: Sequence[Dispatch], *, now: datetime) -> Sequence[Dispatch]:
        if self.is_away:
            raise Unavailable("SQS does not answer.")
        taken = dispatches[self.refuses :]
        self.taken += taken
        self.came.set()
        await anyio.lowlevel.checkpoint()
        return taken


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def queue(database: Database, clock: ManualClock) -> PostgresQueue:
    return PostgresQueue(database, clock)


@pytest.fixture
def relay(database: Database, post: Post, clock: ManualClock) -> JobRelay:
    return JobRelay(database, post, clock)


async def add(database: Database, queue: PostgresQueue, clock: ManualClock, *jobs: NewJob) -> None:
    async with database.transaction() as connection:
        for job in jobs or (NewJob("work"),):
            await queue.enqueue(connection, job, now=clock())


async def claim(database: Database, dispatch: Dispatch, clock: ManualClock) -> list[ClaimedJob]:
    """As a worker does that got the message."""
    async with database.connection() as connection:
        now = clock()
        return await dispatch_records.claim(
            connection, [dispatch.job_id], ["work"], now=now, lease_expires_at=now + LEASE
        )


class LockingPost(Post):
    """While a message is sent, somebody adds a job that makes this one superfluous, and takes their time."""

    def __init__(self, database: Database, queue: PostgresQueue, clock: ManualClock) -> None:
        super().__init__()
        self._database = database
        self._queue = queue
        self._clock = clock
        self.open = AsyncExitStack()

    async def send(self, dispatches: Sequence[Dispatch], *, now: datetime) -> Sequence[Dispatch]:
        connection = await self.open.enter_async_context(self._database.transaction())
        await self._queue.enqueue(connection, NewJob("work", dedupe_key="a"), now=self._clock())
        return await super().send(dispatches, now=now)


class TestSending:
    async def test_every_job_is_sent_once(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        await add(database, queue, clock, *[NewJob("work")] * (2 * PAGE + 1))
        assert await relay.catch_up() == 2 * PAGE + 1
        assert await relay.catch_up() == 0
        assert len({each.job_id for each in post.taken}) == 2 * PAGE + 1

    async def test_a_job_of_a_transaction_that_is_open_is_not_sent(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, clock: ManualClock
    ) -> None:
        async with database.transaction() as connection:
            await queue.enqueue(connection, NewJob("work"), now=clock())
            assert await relay.catch_up() == 0
        assert await relay.catch_up() == 1

    async def test_nobody_s_transaction_holds_up_a_relay(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        await add(database, queue, clock, NewJob("work", dedupe_key="a"), NewJob("work", dedupe_key="b"))
        slow = LockingPost(database, queue, clock)
        with anyio.fail_after(10):
            async with slow.open:
                assert await JobRelay(database, slow, clock).catch_up() == 2
        clock.advance(RESERVED_FOR)
        assert await relay.catch_up() == 1, "the one that was locked is sent again"
        assert post.taken[0] in slow.taken

    async def test_a_job_for_much_later_is_sent_when_its_time_is_nearer(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        await add(database, queue, clock, NewJob("work", run_at=clock() + LONGEST_DELAY + LEASE))
        assert await relay.catch_up() == 0
        clock.advance(LEASE)
        assert await relay.catch_up() == 1
        assert post.taken[0].delay(clock()) == LONGEST_DELAY

    async def test_a_job_that_is_tried_again_is_sent_again(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        await add(database, queue, clock)
        await relay.catch_up()
        (job,) = await claim(database, post.taken[0], clock)
        await queue.retry(job, error="did not work", run_at=clock() + LEASE)
        assert await relay.catch_up() == 1
        assert post.taken[1].delay(clock()) == LEASE

    async def test_a_job_that_became_more_urgent_is_sent_again(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        later = clock() + LEASE
        await add(database, queue, clock, NewJob("work", priority=-10, run_at=later, dedupe_key="a"))
        await relay.catch_up()
        await add(database, queue, clock, NewJob("work", priority=-10, run_at=later, dedupe_key="a"))
        assert await relay.catch_up() == 0, "nothing has changed"
        await add(database, queue, clock, NewJob("work", priority=0, run_at=later, dedupe_key="a"))
        await relay.catch_up()
        await add(database, queue, clock, NewJob("work", priority=0, dedupe_key="a"))
        await relay.catch_up()
        assert [(each.priority, each.delay(clock())) for each in post.taken] == [
            (-10, LEASE),
            (0, LEASE),
            (0, timedelta(0)),
        ]

    async def test_jobs_that_were_added_without_a_message_queue_are_sent(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, clock: ManualClock
    ) -> None:
        """After a change of settings: one waits, another was held by a worker that is gone."""
        await add(database, queue, clock)
        await queue.claim(["work"], limit=1, lease=LEASE)
        await add(database, queue, clock)
        assert await relay.catch_up() == 1
        clock.advance(LEASE + ABANDONED_AFTER)
        assert await relay.catch_up() == 1


class TestLoss:
    async def test_what_a_dead_relay_had_reserved_is_sent_by_another(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, clock: ManualClock
    ) -> None:
        await add(database, queue, clock)
        async with database.connection() as connection:
            await dispatch_records.reserve(connection, now=clock(), limit=PAGE)
        assert await relay.catch_up() == 0
        clock.advance(RESERVED_FOR)
        assert await relay.catch_up() == 1

    async def test_what_was_not_taken_is_sent_again(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        await add(database, queue, clock, NewJob("work"), NewJob("work"))
        post.refuses = 1
        assert await relay.catch_up() == 1
        post.refuses = 0
        clock.advance(RESERVED_FOR)
        assert await relay.catch_up() == 1
        assert len({each.job_id for each in post.taken}) == 2

    async def test_an_outage_of_the_message_queue_loses_nothing(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        post.is_away = True
        await add(database, queue, clock)
        with pytest.raises(Unavailable):
            await relay.catch_up()
        post.is_away = False
        clock.advance(RESERVED_FOR)
        assert await relay.catch_up() == 1

    async def test_a_message_that_nobody_made_use_of_is_sent_again_in_time(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, clock: ManualClock
    ) -> None:
        await add(database, queue, clock, NewJob("work", run_at=clock() + LEASE))
        await relay.catch_up()
        clock.advance(LEASE + LOST_AFTER - MOMENT)
        assert await relay.catch_up() == 0
        clock.advance(MOMENT)
        assert await relay.catch_up() == 1

    async def test_an_abandoned_job_whose_message_does_not_come_back_is_sent_again(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        await add(database, queue, clock)
        await relay.catch_up()
        assert len(await claim(database, post.taken[0], clock)) == 1
        clock.advance(LEASE + ABANDONED_AFTER - MOMENT)
        assert await relay.catch_up() == 0
        clock.advance(MOMENT)
        assert await relay.catch_up() == 1
        assert await relay.catch_up() == 0
        assert len(await claim(database, post.taken[1], clock)) == 1

    async def test_a_dead_letter_that_is_tried_again_needs_a_new_message(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        """One was sent when its worker was taken to be dead, and was thrown away when it was not."""
        await add(database, queue, clock)
        await relay.catch_up()
        (job,) = await claim(database, post.taken[0], clock)
        clock.advance(LEASE + ABANDONED_AFTER)
        assert await relay.catch_up() == 1
        await queue.bury(job, error="did not work")
        await queue.requeue(job.id)
        assert await relay.catch_up() == 1

    async def test_a_job_that_fails_before_it_is_marked_as_sent_is_sent_again(
        self, database: Database, queue: PostgresQueue, clock: ManualClock
    ) -> None:
        """The worker is quicker than the relay's second write, which must not undo that a new message is needed."""

        class QuickPost(Post):
            async def send(self, dispatches: Sequence[Dispatch], *, now: datetime) -> Sequence[Dispatch]:
                if not self.taken:
                    (job,) = await claim(database, dispatches[0], clock)
                    await queue.retry(job, error="did not work", run_at=now)
                return await super().send(dispatches, now=now)

        await add(database, queue, clock)
        assert await JobRelay(database, QuickPost(), clock).catch_up() == 2


class TestSeveral:
    async def test_relays_that_run_at_once_send_each_job_once(
        self, database: Database, queue: PostgresQueue, post: Post, clock: ManualClock
    ) -> None:
        await add(database, queue, clock, *[NewJob("work")] * (3 * PAGE))
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(JobRelay(database, post, clock).catch_up)
        assert len(post.taken) == 3 * PAGE
        assert len({each.job_id for each in post.taken}) == 3 * PAGE

    async def test_a_new_job_is_heard_of(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        with anyio.fail_after(10):
            async with running(relay):
                await add(database, queue, clock)
                await post.came.wait()

    async def test_a_job_that_comes_back_is_heard_of(
        self, database: Database, queue: PostgresQueue, relay: JobRelay, post: Post, clock: ManualClock
    ) -> None:
        await add(database, queue, clock)
        await relay.catch_up()
        (job,) = await claim(database, post.taken[0], clock)
        post.came = anyio.Event()
        with anyio.fail_after(10):
            async with running(relay):
                await queue.release(job)
                await post.came.wait()


@asynccontextmanager
async def running(relay: JobRelay) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(relay.run)
        yield
        tasks.cancel_scope.cancel()


class TestPlans:
    """A look for what is to be sent costs what it finds, not what waits."""

    @pytest.fixture
    async def full(self, database: Database, clock: ManualClock) -> AsyncIterator[Connection]:
        fill = """
            INSERT INTO jobs (id, kind, payload, state, run_at, lease_token, lease_expires_at, dispatched_until,
                              created_at, updated_at)
            SELECT gen_random_uuid(), 'work', '{}', state, $1::timestamptz + number * interval '1 ms',
                   CASE state WHEN 'running' THEN gen_random_uuid() END,
                   CASE state WHEN 'running' THEN $1::timestamptz + number * interval '1 ms' END,
                   CASE number % 2 WHEN 0 THEN $1::timestamptz + number * interval '1 ms' END, $1, $1
            FROM generate_series(1, 10000) AS number, (VALUES ('waiting'), ('running'), ('dead')) AS states (state)
        """
        async with database.connection() as connection:
            await connection.execute(fill, clock())
            await connection.execute("ANALYZE jobs")
            yield connection

    async def test_what_is_to_be_sent_is_read_off_three_indexes(self, full: Connection, clock: ManualClock) -> None:
        now = clock()
        plan = await explain(full, dispatch_records.RESERVE, now, now, now, now, 10)
        for index in ("jobs_undispatched", "jobs_dispatched", "jobs_running", "jobs_pkey"):
            assert f'"Index Name": "{index}"' in plan
        assert "Seq Scan" not in plan

    async def test_the_next_time_is_read_off_one_index(self, full: Connection) -> None:
        plan = await explain(full, dispatch_records.NEXT_FRESH)
        assert '"Index Name": "jobs_undispatched"' in plan
        assert "Seq Scan" not in plan

    async def test_what_is_done_about_messages_goes_by_the_ids_of_their_jobs(
        self, full: Connection, clock: ManualClock
    ) -> None:
        ids = await full.fetchval("SELECT array_agg(id) FROM (SELECT id FROM jobs LIMIT 10) AS a_few")
        for statement, arguments in (
            (dispatch_records.CLAIM_NAMED, (["work"], clock(), clock())),
            (dispatch_records.CONFIRM, ([clock()] * 10, clock())),
            (dispatch_records.STANDINGS, ()),
        ):
            plan = await explain(full, statement, ids, *arguments)
            assert '"Index Name": "jobs_pkey"' in plan
            assert "Seq Scan" not in plan
