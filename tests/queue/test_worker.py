"""The worker, on a real queue: what it does with jobs, and how it ends."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import anyio
import attrs
import pytest
from tests.support.clock import ManualClock
from tests.support.worker import EAGER, Bench, ScriptedHandler

from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, LeaseLost, Unavailable
from imagegallery.queue.job import GIVE_UP_ATTEMPTS, ClaimedJob, NewJob, QueueOptions, QueueStats
from imagegallery.queue.periodic import Periodic
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import JobOutcome
from imagegallery.queue.worker import Worker

DONE, RETRIED, BURIED, RELEASED, LOST = JobOutcome
EMPTY = QueueStats(waiting=0, running=0, dead=0)
ONE_WAITS = QueueStats(waiting=1, running=0, dead=0)


@pytest.fixture
def bench(database: Database, clock: ManualClock) -> Bench:
    return Bench(database, clock)


async def succeed(job: ClaimedJob) -> None:
    pass


async def fail(job: ClaimedJob) -> None:
    raise ValueError("https://store/key?signature=secret")


class Gate:
    """Jobs come in and stay until it is opened."""

    def __init__(self) -> None:
        self.entered = anyio.Event()
        self.opened = anyio.Event()
        self.inside = 0
        self.most_inside = 0

    async def __call__(self, job: ClaimedJob) -> None:
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        self.entered.set()
        try:
            await self.opened.wait()
        finally:
            self.inside -= 1

    async def wait_for_entry(self) -> None:
        with anyio.fail_after(30):
            await self.entered.wait()


class SlowQueue(PostgresQueue):
    """Takes its time to tell what was claimed."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        super().__init__(database, clock)
        self.claimed = anyio.Event()
        self.answer = anyio.Event()

    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        claimed = await super().claim(kinds, limit=limit, lease=lease)
        if claimed:
            self.claimed.set()
            await self.answer.wait()
        return claimed


class TestDoing:
    async def test_a_job_is_done_and_gone(self, bench: Bench) -> None:
        handler = ScriptedHandler(succeed)
        await bench.add()
        async with bench.working(handler):
            assert await bench.outcomes.next() == [DONE]
        assert handler.attempts == [1]
        assert bench.outcomes.started == ["work"]
        assert await bench.queue.stats() == EMPTY

    async def test_a_new_job_wakes_the_worker(self, bench: Bench) -> None:
        bench.options = attrs.evolve(EAGER, poll_interval=timedelta(hours=1))
        async with bench.working(ScriptedHandler(succeed)):
            for _ in range(3):
                await bench.add()
                assert await bench.outcomes.next() == [DONE]

    async def test_a_job_whose_time_comes_is_done_without_a_notification(
        self, bench: Bench, clock: ManualClock
    ) -> None:
        await bench.add(NewJob("work", run_at=clock() + timedelta(hours=1)))
        async with bench.working(ScriptedHandler(succeed)):
            clock.advance(timedelta(hours=1))
            assert await bench.outcomes.next() == [DONE]

    async def test_jobs_without_a_handler_are_left_alone(self, bench: Bench) -> None:
        await bench.add(NewJob("other"), NewJob("work"))
        async with bench.working(ScriptedHandler(succeed)):
            assert await bench.outcomes.next() == [DONE]
        assert await bench.queue.stats() == ONE_WAITS

    async def test_no_more_jobs_are_claimed_than_hands_are_free(self, bench: Bench) -> None:
        bench.options = attrs.evolve(EAGER, concurrency=2)
        gate = Gate()
        await bench.add(*[NewJob("work")] * 6)
        async with bench.working(ScriptedHandler(gate)):
            await gate.wait_for_entry()
            assert await bench.queue.stats() == QueueStats(waiting=4, running=2, dead=0)
            gate.opened.set()
            assert await bench.outcomes.next(6) == [DONE] * 6
        assert gate.most_inside <= 2

    async def test_what_waits_for_others_keeps_nobody_else_from_work(self, bench: Bench) -> None:
        """Hands of one sort are all taken: jobs of the other sort are done, and come one after the other."""
        tarpit, gate = Gate(), Gate()
        bench.options = attrs.evolve(EAGER, concurrency=1)
        await bench.add(*[NewJob("deliver")] * 5)
        async with bench.working(ScriptedHandler(gate), apart={"deliver": (ScriptedHandler(tarpit), 3)}):
            await tarpit.wait_for_entry()
            await bench.add(*[NewJob("work")] * 2)
            await gate.wait_for_entry()
            gate.opened.set()
            assert await bench.outcomes.next(2) == [DONE] * 2
            assert tarpit.inside == 3
            assert await bench.queue.stats() == QueueStats(waiting=2, running=3, dead=0)
            tarpit.opened.set()
            assert await bench.outcomes.next(5) == [DONE] * 5
        assert (gate.most_inside, tarpit.most_inside) == (1, 3)

    async def test_a_worker_full_of_work_still_does_what_waits_for_others(self, bench: Bench) -> None:
        gate = Gate()
        await bench.add(*[NewJob("work")] * (EAGER.concurrency + 1))
        async with bench.working(ScriptedHandler(gate), apart={"deliver": (ScriptedHandler(succeed), 2)}):
            await gate.wait_for_entry()
            await bench.add(NewJob("deliver"))
            assert await bench.outcomes.next() == [DONE]
            gate.opened.set()
            assert await bench.outcomes.next(EAGER.concurrency + 1) == [DONE] * (EAGER.concurrency + 1)

    async def test_a_slot_that_becomes_free_while_others_are_claimed_is_used(self, bench: Bench) -> None:
        """Nothing else would tell the worker: it is not asked again for an hour."""
        bench.options = attrs.evolve(EAGER, poll_interval=timedelta(hours=1))
        gate, freed = Gate(), anyio.Event()

        class Meanwhile(PostgresQueue):
            async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
                claimed = await super().claim(kinds, limit=limit, lease=lease)
                if tuple(kinds) == ("deliver",) and not gate.opened.is_set():
                    gate.opened.set()
                    assert await bench.outcomes.next() == [DONE]
                    freed.set()
                return claimed

        await bench.add(*[NewJob("work")] * 2)
        queue = Meanwhile(bench.database, bench.clock)
        async with bench.working(ScriptedHandler(gate), queue, apart={"deliver": (ScriptedHandler(succeed), 2)}):
            await freed.wait()
            assert await bench.outcomes.next() == [DONE]

    async def test_upkeep_is_done_beside_the_jobs(self, bench: Bench) -> None:
        gate = Gate()
        swept = anyio.Event()

        async def sweep() -> None:
            swept.set()

        await bench.add()
        async with bench.working(ScriptedHandler(gate), periodic=[Periodic("sweep", timedelta(hours=1), sweep)]):
            await gate.wait_for_entry()
            with anyio.fail_after(30):
                await swept.wait()
            gate.opened.set()


class TestFailing:
    async def test_a_failed_job_is_tried_again_after_its_backoff(self, bench: Bench, clock: ManualClock) -> None:
        bench.options = attrs.evolve(EAGER, backoff_base=timedelta(minutes=1))

        async def fail_at_first(job: ClaimedJob) -> None:
            if job.attempt == 1:
                await fail(job)

        handler = ScriptedHandler(fail_at_first)
        await bench.add()
        async with bench.working(handler):
            assert await bench.outcomes.next() == [RETRIED]
            assert await bench.claim() == []
            clock.advance(timedelta(minutes=1))
            assert await bench.outcomes.next() == [DONE]
        assert handler.attempts == [1, 2]

    @pytest.mark.parametrize(
        "error",
        [
            Unavailable("The store does not answer."),
            ConfigurationError("The store refuses us."),
            ExceptionGroup("both", [Unavailable("The store does not answer."), Unavailable("The cache neither.")]),
        ],
    )
    async def test_an_outage_uses_up_no_attempts_until_it_has_lasted_too_long(
        self, bench: Bench, clock: ManualClock, error: Exception
    ) -> None:
        async def be_without(job: ClaimedJob) -> None:
            raise error

        bench.options = attrs.evolve(EAGER, backoff_limit=timedelta(hours=1), outage_patience=timedelta(hours=6))
        handler = ScriptedHandler(be_without)
        await bench.add()
        async with bench.working(handler):
            for _ in range(6):
                assert await bench.outcomes.next() == [RETRIED]
                clock.advance(timedelta(hours=1))
            assert await bench.outcomes.next(3) == [RETRIED, RETRIED, BURIED]
        assert handler.attempts == [1] * 6 + [1, 2, 3]

    async def test_a_fault_beside_an_outage_counts(self, bench: Bench) -> None:
        async def go_wrong(job: ClaimedJob) -> None:
            raise ExceptionGroup("both", [Unavailable("The store does not answer."), ValueError("and a fault")])

        await bench.add()
        async with bench.working(ScriptedHandler(go_wrong)):
            assert await bench.outcomes.next(3) == [RETRIED, RETRIED, BURIED]

    async def test_after_the_last_attempt_it_is_given_up_and_buried(self, bench: Bench) -> None:
        handler = ScriptedHandler(fail)
        await bench.add()
        async with bench.working(handler):
            assert await bench.outcomes.next(3) == [RETRIED, RETRIED, BURIED]
        (dead,) = await bench.queue.dead(limit=10)
        assert (handler.attempts, handler.given_up) == ([1, 2, 3], [(3, dead.error)])
        assert dead.attempts == 3
        assert dead.error.startswith("ValueError at test_worker.py:")
        assert "secret" not in dead.error

    async def test_a_job_that_killed_its_workers_is_given_up_without_being_run(
        self, bench: Bench, clock: ManualClock
    ) -> None:
        await bench.add()
        for number in range(EAGER.max_attempts):
            (job,) = await bench.claim()
            assert job.attempt == number + 1
            clock.advance(EAGER.lease)
        handler = ScriptedHandler(succeed)
        async with bench.working(handler):
            assert await bench.outcomes.next() == [BURIED]
        (dead,) = await bench.queue.dead(limit=10)
        assert handler.attempts == []
        assert handler.given_up == [(EAGER.max_attempts + 1, dead.error)]

    async def test_giving_up_that_fails_is_tried_again_and_cannot_go_on_for_ever(self, bench: Bench) -> None:
        async def fail_to_give_up(job: ClaimedJob, error: str) -> None:
            await fail(job)

        handler = ScriptedHandler(fail, fail_to_give_up)
        await bench.add()
        async with bench.working(handler):
            count = EAGER.max_attempts + GIVE_UP_ATTEMPTS
            assert await bench.outcomes.next(count) == [RETRIED] * (count - 1) + [BURIED]
        assert handler.attempts == [1, 2, 3]
        assert [attempt for attempt, _ in handler.given_up] == [3, 4, 5, 6]

    async def test_a_handler_that_was_fenced_off_writes_nothing(self, bench: Bench, clock: ManualClock) -> None:
        async def be_fenced_off(job: ClaimedJob) -> None:
            raise LeaseLost("Another worker holds this job now.")

        await bench.add()
        async with bench.working(ScriptedHandler(be_fenced_off)):
            assert await bench.outcomes.next() == [LOST]
        assert (await bench.queue.stats()).running == 1

    async def test_a_cancellation_that_nobody_asked_for_is_a_failure(self, bench: Bench) -> None:
        async def cancel_itself(job: ClaimedJob) -> None:
            raise anyio.get_cancelled_exc_class()

        await bench.add()
        async with bench.working(ScriptedHandler(cancel_itself)):
            assert await bench.outcomes.next(3) == [RETRIED, RETRIED, BURIED]


class TestStopping:
    async def test_running_jobs_may_finish_and_no_other_is_begun(self, bench: Bench) -> None:
        gate = Gate()
        await bench.add(NewJob("work"), NewJob("work"))
        async with bench.working(ScriptedHandler(gate)) as worker:
            await gate.wait_for_entry()
            worker.stop()
            gate.opened.set()
            assert await bench.outcomes.next() == [DONE]
            await worker.stopped()
        assert await bench.queue.stats() == ONE_WAITS

    async def test_what_outlasts_the_grace_is_handed_back_and_not_counted(self, bench: Bench) -> None:
        bench.options = attrs.evolve(EAGER, shutdown_grace=timedelta(0))
        gate = Gate()
        await bench.add()
        async with bench.working(ScriptedHandler(gate)) as worker:
            await gate.wait_for_entry()
            worker.stop()
            assert await bench.outcomes.next() == [RELEASED]
        assert await bench.queue.stats() == ONE_WAITS
        assert [job.attempt for job in await bench.claim()] == [1]

    @pytest.mark.parametrize("stop", [lambda worker: None, Worker.stop], ids=["at work", "while stopping"])
    async def test_a_cancelled_worker_hands_back_at_once(self, bench: Bench, stop: Callable[[Worker], None]) -> None:
        gate = Gate()
        await bench.add()
        worker = Worker(bench.queue, {"work": ScriptedHandler(gate)}, EAGER, bench.clock, observer=bench.outcomes)
        async with anyio.create_task_group() as tasks:
            await tasks.start(worker.run)
            await gate.wait_for_entry()
            stop(worker)
            tasks.cancel_scope.cancel()
        assert await bench.outcomes.next() == [RELEASED]
        assert await bench.queue.stats() == ONE_WAITS

    async def test_jobs_of_a_claim_that_was_under_way_are_handed_back(
        self, bench: Bench, database: Database, clock: ManualClock
    ) -> None:
        queue = SlowQueue(database, clock)
        await bench.add()
        worker = Worker(queue, {"work": ScriptedHandler(Gate())}, EAGER, clock, observer=bench.outcomes)
        working = asyncio.create_task(worker.run())
        with anyio.fail_after(30):
            await queue.claimed.wait()
        working.cancel()
        await anyio.wait_all_tasks_blocked()
        queue.answer.set()
        with pytest.raises(asyncio.CancelledError):
            await working
        assert await bench.outcomes.next() == [RELEASED]
        assert await bench.queue.stats() == ONE_WAITS

    async def test_stopping_before_the_start_is_possible(self, bench: Bench) -> None:
        await bench.add()
        worker = Worker(bench.queue, {"work": ScriptedHandler(succeed)}, QueueOptions(), bench.clock)
        worker.stop()
        with anyio.fail_after(30):
            await worker.run()
            await worker.stopped()
        assert await bench.queue.stats() == ONE_WAITS
