"""The tests of claims and leases in `imagegallery.testing.queue.QueueSuite`.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

from contextlib import suppress
from datetime import timedelta

import anyio
import pytest

from imagegallery.errors import LeaseLost
from imagegallery.queue.job import PRIORITY_IDLE, PRIORITY_LOW, PRIORITY_NORMAL, ClaimedJob, NewJob, Payload
from imagegallery.queue.protocol import Queue
from imagegallery.testing.queue.base import LEASE, LONGER_THAN_A_LEASE, QueueParts


class ClaimTests(QueueParts):
    async def test_an_empty_queue_has_nothing_to_claim(self) -> None:
        assert await self.claim(await self.make_queue()) == []

    async def test_a_claimed_job_is_what_was_enqueued(self) -> None:
        queue = await self.make_queue()
        payload: Payload = {"image_id": "tram", "stage": 2, "again": True, "note": None}
        await self.enqueue(queue, NewJob("work", payload))
        job = await self.claim_one(queue)
        assert (job.kind, dict(job.payload), job.attempt) == ("work", dict(payload), 1)

    async def test_only_the_asked_kinds_are_claimed(self) -> None:
        queue = await self.make_queue()
        for kind in ("work", "play", "rest"):
            await self.enqueue(queue, NewJob(kind))
        assert {job.kind for job in await self.claim(queue, "work", "rest")} == {"work", "rest"}

    async def test_a_claim_takes_no_more_than_its_limit(self) -> None:
        queue = await self.make_queue()
        for _ in range(5):
            await self.enqueue(queue, NewJob("work"))
        assert [len(await self.claim(queue, limit=3)) for _ in range(3)] == [3, 2, 0]

    async def test_the_limit_counts_abandoned_jobs_too(self) -> None:
        queue = await self.make_queue()
        for _ in range(4):
            await self.enqueue(queue, NewJob("work"))
        await self.claim(queue, limit=2)
        await self.pass_time(LONGER_THAN_A_LEASE)
        assert [len(await self.claim(queue, limit=3)) for _ in range(2)] == [3, 1]

    async def test_higher_priority_goes_first_then_the_earlier_time(self) -> None:
        if not self.ordered:
            pytest.skip("this queue has an order of normal, low and idle jobs only")
        queue = await self.make_queue()
        times = {"late": self.now(), "early": self.now() - timedelta(minutes=1)}
        for priority in (0, 10, -10):
            for name, run_at in times.items():
                await self.enqueue(queue, NewJob("work", {"is": f"{priority} {name}"}, priority, run_at))
        order = [(await self.claim_one(queue)).payload["is"] for _ in range(6)]
        assert order == ["10 early", "10 late", "0 early", "0 late", "-10 early", "-10 late"]

    async def test_owners_are_served_in_turn(self) -> None:
        if not self.ordered:
            pytest.skip("this queue has an order of normal, low and idle jobs only")
        queue = await self.make_queue()
        for owner_id in ("hog",) * 4 + ("ana", "ben", "ana"):
            await self.enqueue(queue, NewJob("work", {"owner": owner_id}, owner_id=owner_id))
        order = [(await self.claim_one(queue)).payload["owner"] for _ in range(2)]
        # A new owner follows the turn in progress, not all earlier ones.
        await self.enqueue(queue, NewJob("work", {"owner": "cem"}, owner_id="cem"))
        order += [(await self.claim_one(queue)).payload["owner"] for _ in range(6)]
        assert order == ["hog", "ana", "ben", "cem", "hog", "ana", "hog", "hog"]

    async def test_what_nobody_waits_for_goes_last(self) -> None:
        queue = await self.make_queue()
        urgencies = (PRIORITY_LOW, PRIORITY_IDLE, PRIORITY_NORMAL)
        for priority in urgencies * 2:
            await self.enqueue(queue, NewJob("work", {"priority": priority}, priority))
        order = [(await self.claim_one(queue)).payload["priority"] for _ in range(6)]
        assert order == [PRIORITY_NORMAL] * 2 + [PRIORITY_LOW] * 2 + [PRIORITY_IDLE] * 2

    async def test_one_claim_of_many_is_in_order(self) -> None:
        queue = await self.make_queue()
        for priority in (3, 1, 4, 2, 5):
            await self.enqueue(queue, NewJob("work", {"priority": priority}, priority))
        assert [job.payload["priority"] for job in await self.claim(queue)] == [5, 4, 3, 2, 1]

    async def test_a_job_is_not_claimed_before_its_time(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work", run_at=self.now() + LEASE))
        assert await self.claim(queue) == []
        await self.pass_time(LONGER_THAN_A_LEASE)
        assert len(await self.claim(queue)) == 1

    async def test_a_claimed_job_is_not_claimed_again(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        await self.claim_one(queue)
        assert await self.claim(queue) == []

    async def test_claims_at_the_same_time_share_no_job(self) -> None:
        queue = await self.make_queue()
        for number in range(40):
            await self.enqueue(queue, NewJob("work", {"number": number}))
        claimed: list[ClaimedJob] = []

        async def claim_until_empty() -> None:
            while jobs := await self.claim(queue, limit=3):
                claimed.extend(jobs)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(claim_until_empty)
        assert len(claimed) == 40
        assert {job.payload["number"] for job in claimed} == set(range(40))

    async def test_a_job_that_waits_under_the_same_key_is_enough(self) -> None:
        queue = await self.make_queue()
        for kind, key in (("work", "a"), ("work", "a"), ("work", "b"), ("play", "a"), ("work", None), ("work", None)):
            await self.enqueue(queue, NewJob(kind, dedupe_key=key))
        assert len(await self.claim(queue, "work", "play")) == 5

    async def test_a_running_job_does_not_stand_in_for_a_new_one(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work", dedupe_key="a"))
        first = await self.claim_one(queue)
        await self.enqueue(queue, NewJob("work", dedupe_key="a"))
        assert (await self.claim_one(queue)).id != first.id

    async def test_the_waiting_job_takes_over_the_urgency_of_the_one_it_stands_in_for(self) -> None:
        queue = await self.make_queue()
        later = self.now() + timedelta(hours=1)
        await self.enqueue(queue, NewJob("work", {"is": "keyed"}, priority=1, run_at=later, dedupe_key="a"))
        await self.enqueue(queue, NewJob("work", {"is": "plain"}, priority=2))
        await self.enqueue(queue, NewJob("work", priority=3, dedupe_key="a"))
        assert [job.payload.get("is") for job in await self.claim(queue)] == ["keyed", "plain"]


class Leases(QueueParts):
    async def test_an_abandoned_job_is_claimed_again_and_counted(self) -> None:
        first, second = await self.lose(await self.make_queue())
        assert second.id == first.id
        assert second.attempt == 2
        assert second.lease_token != first.lease_token

    async def test_an_extended_lease_lasts_longer(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        job = await self.claim_one(queue)
        extended = await queue.extend([job], lease=LEASE * 10)
        assert [(one.id, one.lease_token) for one in extended] == [(job.id, job.lease_token)]
        assert extended[0].lease_expires_at > job.lease_expires_at
        await self.pass_time(LONGER_THAN_A_LEASE)
        assert await self.claim(queue) == []

    async def test_extending_tells_what_was_lost(self) -> None:
        queue = await self.make_queue()
        lost, _ = await self.lose(queue)
        for _ in range(2):
            await self.enqueue(queue, NewJob("work"))
        kept, done = await self.claim(queue)
        await queue.complete(done)
        assert [job.id for job in await queue.extend([lost, kept, done], lease=LEASE)] == [kept.id]

    @pytest.mark.parametrize("write", ["complete", "complete_in", "retry", "postpone", "bury", "release", "fence"])
    async def test_a_lost_claim_can_write_nothing_more(self, write: str) -> None:
        queue = await self.make_queue()
        lost, current = await self.lose(queue)
        with pytest.raises(LeaseLost):
            await self._write(queue, write, lost)
        assert len(await queue.extend([current], lease=LEASE)) == 1
        await queue.complete(current)

    @pytest.mark.parametrize("write", ["complete", "complete_in", "retry", "postpone", "bury", "release", "fence"])
    async def test_a_claim_can_still_write_past_its_lease_while_nobody_else_claimed(self, write: str) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        job = await self.claim_one(queue)
        await self.pass_time(LONGER_THAN_A_LEASE)
        await self._write(queue, write, job)

    @pytest.mark.parametrize("end", ["complete", "complete_in", "retry", "postpone", "bury", "release"])
    async def test_a_claim_that_was_given_up_can_write_nothing_more(self, end: str) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        job = await self.claim_one(queue)
        await self._write(queue, end, job)
        for write in ("complete", "complete_in", "retry", "postpone", "bury", "release", "fence"):
            with pytest.raises(LeaseLost):
                await self._write(queue, write, job)
        assert await queue.extend([job], lease=LEASE) == []

    async def test_an_abandoned_job_of_another_kind_is_left_alone(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("play"))
        abandoned = await self.claim_one(queue, "play")
        await self.pass_time(LONGER_THAN_A_LEASE)
        assert await self.claim(queue, "work") == []
        await queue.complete(abandoned)

    async def test_an_open_fence_keeps_other_claims_off(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        job = await self.claim_one(queue)
        async with self.transaction() as connection:
            await queue.fence(connection, job)
            await self.pass_time(LONGER_THAN_A_LEASE)
            assert await self.claim(queue) == []
        assert (await self.claim_one(queue)).id == job.id

    async def test_a_job_that_is_completed_in_a_transaction_is_kept_until_that_commits(self) -> None:
        queue = await self.make_queue()
        await self.enqueue(queue, NewJob("work"))
        job = await self.claim_one(queue)
        with suppress(ZeroDivisionError):
            async with self.transaction() as connection:
                await queue.complete_in(connection, job)
                await self.pass_time(LONGER_THAN_A_LEASE)
                assert await self.claim(queue) == []
                raise ZeroDivisionError
        assert (await self.claim_one(queue)).id == job.id

    async def test_an_open_fence_does_not_hold_up_the_renewal_of_leases(self) -> None:
        queue = await self.make_queue()
        for _ in range(2):
            await self.enqueue(queue, NewJob("work"))
        fenced, other = await self.claim(queue)
        async with self.transaction() as connection:
            await queue.fence(connection, fenced)
            with anyio.fail_after(self.patience.total_seconds()):
                held = await queue.extend([fenced, other], lease=LEASE * 10)
        assert {job.id for job in held} == {fenced.id, other.id}
        await self.pass_time(LONGER_THAN_A_LEASE)
        assert other.id not in {job.id for job in await self.claim(queue)}

    async def _write(self, queue: Queue, write: str, job: ClaimedJob) -> None:
        match write:
            case "complete":
                await queue.complete(job)
            case "complete_in":
                async with self.transaction() as connection:
                    await queue.complete_in(connection, job)
                await queue.let_go(job)
            case "retry":
                await queue.retry(job, error="did not work", run_at=self.now())
            case "postpone":
                await queue.postpone(job, error="the store is away", run_at=self.now())
            case "bury":
                await queue.bury(job, error="did not work")
            case "release":
                await queue.release(job)
            case _:
                async with self.transaction() as connection:
                    await queue.fence(connection, job)
