"""The conformance suite of `imagegallery.queue.protocol.Queue`, to be subclassed by authors of backends.

::

    class TestMyQueue(QueueSuite): async def make_queue(self): return MyQueue(...) async def enqueue(self, queue, job):
        ... ...

The tests are coroutines: they need pytest with pytest-asyncio or anyio's plugin.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from uuid import UUID, uuid4

import anyio
import pytest

from imagegallery.errors import NotFound
from imagegallery.queue.job import Backlog, NewJob, QueueStats
from imagegallery.queue.protocol import KeepsDeadLetters, Queue, TellsBacklog
from imagegallery.testing.queue.base import LEASE, LONGER_THAN_A_LEASE, MOMENT, QueueParts
from imagegallery.testing.queue.claims import ClaimTests, Leases

__all__ = ["QueueParts", "QueueSuite"]


class Endings(QueueParts):
    async def test_a_completed_job_is_gone(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        await queue.complete(await self.claim_one(queue))
        await self.pass_time(LONGER_THAN_A_LEASE)
        assert await self.claim(queue) == []

    async def test_a_retried_job_comes_back_at_its_time_and_its_attempt_counts(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        await queue.retry(await self.claim_one(queue), error="did not work", run_at=self.now() + LEASE)
        assert await self.claim(queue) == []
        await self.pass_time(LONGER_THAN_A_LEASE)
        assert (await self.claim_one(queue)).attempt == 2

    async def test_a_postponed_job_comes_back_at_its_time_and_its_attempt_does_not_count(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        job = await self.claim_one(queue)
        await queue.postpone(job, error="the store is away", run_at=self.now() + LEASE)
        assert await self.claim(queue) == []
        await self.pass_time(LONGER_THAN_A_LEASE)
        again = await self.claim_one(queue)
        assert (again.attempt, again.created_at) == (1, job.created_at)

    async def test_a_released_job_comes_back_at_once_and_its_attempt_does_not_count(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        await queue.release(await self.claim_one(queue))
        assert (await self.claim_one(queue)).attempt == 1

    @pytest.mark.parametrize("back", ["retry", "postpone", "release"])
    async def test_a_job_comes_back_also_when_another_waits_under_its_key(self, back: str) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work", dedupe_key="a"))
        job = await self.claim_one(queue)
        await self.enqueue(queue, NewJob("work", dedupe_key="a"))
        if back == "retry":
            await queue.retry(job, error="did not work", run_at=self.now())
        elif back == "postpone":
            await queue.postpone(job, error="the store is away", run_at=self.now())
        else:
            await queue.release(job)
        assert len(await self.claim(queue)) == 2

    async def test_a_buried_job_is_not_claimed_again(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        await queue.bury(await self.claim_one(queue), error="did not work")
        await self.pass_time(LONGER_THAN_A_LEASE)
        assert await self.claim(queue) == []

    async def test_the_jobs_are_counted_by_what_they_do(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        await queue.bury(await self.claim_one(queue), error="did not work")
        for _ in range(2):
            await self.enqueue(queue, NewJob("work"))
        await self.claim(queue)
        for _ in range(3):
            await self.enqueue(queue, NewJob("work", run_at=self.now() + LEASE))
        assert await queue.stats() == QueueStats(waiting=3, running=2, dead=1)


class WatchTests(QueueParts):
    async def test_a_new_job_ends_a_wait(self) -> None:
        queue = await self.make_queue()
        with anyio.fail_after(self.patience.total_seconds()):
            async with queue.watch(["work"]) as watch, anyio.create_task_group() as tasks:
                assert await self.claim(queue) == []
                tasks.start_soon(self.enqueue, queue, NewJob("work"))
                await watch.wait(["work"], timeout=self.patience * 2)
                while not await self.claim(queue):
                    await watch.wait(["work"], timeout=self.patience * 2)

    async def test_a_job_that_came_before_the_wait_ends_it(self) -> None:
        queue = await self.make_queue()
        async with queue.watch(["work"]) as watch:
            await self.enqueue(queue, NewJob("work"))
            with anyio.fail_after(self.patience.total_seconds()):
                await watch.wait(["work"], timeout=self.patience * 2)

    async def test_a_released_job_ends_a_wait(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        job = await self.claim_one(queue)
        async with queue.watch(["work"]) as watch:
            await queue.release(job)
            with anyio.fail_after(self.patience.total_seconds()):
                await watch.wait(["work"], timeout=self.patience * 2)

    async def test_a_wait_ends_when_a_job_is_due(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work", run_at=self.now() + MOMENT))
        async with queue.watch(["work"]) as watch:
            with anyio.fail_after(self.patience.total_seconds()):
                await watch.wait(["work"], timeout=self.patience * 2)

    async def test_a_wait_ends_after_its_timeout(self) -> None:
        queue = await self.make_queue()
        async with queue.watch(["work"]) as watch:
            with anyio.fail_after(self.patience.total_seconds()):
                await watch.wait(["work"], timeout=MOMENT)


class DeadLetters(QueueParts):
    """Only for queues that have the capability `KeepsDeadLetters`."""

    async def make_queue_with_dead_letters(self) -> tuple[Queue, KeepsDeadLetters]:
        queue = await self.make_queue()
        if not isinstance(queue, KeepsDeadLetters):
            pytest.skip("this queue keeps no dead letters")
        return queue, queue

    async def bury_one(self, queue: Queue, **payload: str) -> UUID:
        await self.enqueue(queue, NewJob("work", payload))
        job = await self.claim_one(queue)
        await queue.bury(job, error="did not work")
        await self.pass_time(MOMENT)
        return job.id

    async def test_dead_letters_are_kept_with_their_error(self) -> None:
        queue, letters = await self.make_queue_with_dead_letters()
        died_at = self.now()
        await self.bury_one(queue, image_id="tram")
        listed = await letters.dead(limit=10)
        assert len(listed) == 1
        dead = listed[0]
        assert (dead.kind, dict(dead.payload)) == ("work", {"image_id": "tram"})
        assert (dead.attempts, dead.error) == (1, "did not work")
        assert died_at <= dead.died_at <= self.now()

    async def test_the_last_to_die_is_listed_first(self) -> None:
        queue, letters = await self.make_queue_with_dead_letters()
        ids = [await self.bury_one(queue) for _ in range(3)]
        assert [dead.id for dead in await letters.dead(limit=2)] == [ids[2], ids[1]]

    async def test_a_requeued_dead_letter_has_all_its_attempts_again(self) -> None:
        queue, letters = await self.make_queue_with_dead_letters()
        job_id = await self.bury_one(queue)
        await self.pass_time(LONGER_THAN_A_LEASE)
        requeued_at = self.now()
        await letters.requeue(job_id)
        assert await letters.dead(limit=10) == []
        job = await self.claim_one(queue)
        assert (job.id, job.attempt) == (job_id, 1)
        assert job.created_at >= requeued_at, "and all the patience there is with outages"

    async def test_only_dead_letters_can_be_requeued(self) -> None:
        queue, letters = await self.make_queue_with_dead_letters()
        await self.enqueue(queue, NewJob("work"))
        job = await self.claim_one(queue)
        for job_id in (job.id, uuid4()):
            with pytest.raises(NotFound):
                await letters.requeue(job_id)


class Backlogs(QueueParts):
    """Only for queues that have the capability `TellsBacklog`."""

    async def test_the_backlog_tells_what_is_due_and_held(self) -> None:
        queue = await self.make_queue()
        if not isinstance(queue, TellsBacklog):
            pytest.skip("this queue tells nothing of its backlog")
        assert await queue.backlog() == Backlog()
        before = self.now()
        await self.enqueue(queue, NewJob("work"))
        await self.enqueue(queue, NewJob("work", run_at=self.now() + LEASE * 2))
        backlog = await queue.backlog()
        assert backlog.due_since is not None
        assert before <= backlog.due_since <= self.now()
        assert backlog.held_until is None
        job = await self.claim_one(queue)
        assert await queue.backlog() == Backlog(job.lease_expires_at, job.lease_expires_at)


class QueueSuite(ClaimTests, Leases, Endings, WatchTests, DeadLetters, Backlogs):
    """All that a worker relies on. See `QueueParts` for what a subclass provides."""
