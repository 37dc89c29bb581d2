"""Messages that come twice, late, in any order, for nobody or not at all: no job is lost, none is held twice."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from itertools import count
from typing import Any

import anyio
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.servers.sqs import SqsBench
from tests.support.worker import Outcomes, Run, ScriptedHandler

from imagegallery.errors import ConfigurationError, LeaseLost, Unavailable
from imagegallery.queue.dispatch.rules import ABANDONED_AFTER, LOST_AFTER, RESERVED_FOR, Urgency
from imagegallery.queue.job import PRIORITY_IDLE, PRIORITY_LOW, ClaimedJob, NewJob, QueueOptions, QueueStats, SqsOptions
from imagegallery.queue.protocol import JobOutcome
from imagegallery.queue.sqs import messages as sqs_messages
from imagegallery.queue.sqs.channel import Message, OutgoingMessage, SqsChannel
from imagegallery.queue.sqs.connection import Sqs
from imagegallery.queue.sqs.messages import Inbox
from imagegallery.queue.sqs.queue import PASSED_ON_AFTER, SqsQueue
from imagegallery.queue.sqs.setup import receives
from imagegallery.queue.worker import Worker

LEASE = timedelta(seconds=30)
LONGER_THAN_A_LEASE = timedelta(seconds=32)
EMPTY = QueueStats(waiting=0, running=0, dead=0)


async def claim(queue: SqsQueue, *kinds: str, limit: int = 10) -> list[ClaimedJob]:
    return await queue.claim(kinds or ("work",), limit=limit, lease=LEASE)


async def send(bench: SqsBench, *bodies: str) -> None:
    await bench.messages.channels[Urgency.NORMAL].send([OutgoingMessage(body, timedelta(0)) for body in bodies])


async def send_again(bench: SqsBench, *jobs: ClaimedJob) -> None:
    """Deliver what was delivered before, as SQS may."""
    await send(bench, *[f'{{"version": 1, "job": "{job.id}", "kind": "work"}}' for job in jobs])


async def in_queues(bench: SqsBench) -> int:
    """How many messages there are, seen or hidden."""
    count = 0
    for channel in bench.messages.channels.values():
        answer = await bench.client.get_queue_attributes(QueueUrl=channel.url, AttributeNames=["All"])
        names = ("", "NotVisible", "Delayed")
        count += sum(int(answer["Attributes"][f"ApproximateNumberOfMessages{name}"]) for name in names)
    return count


class TestDuplicates:
    @settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(order=st.permutations(range(6)), limits=st.lists(st.integers(1, 4), min_size=2, max_size=3))
    async def test_messages_that_come_twice_in_any_order_make_each_job_done_once(
        self, sqs: SqsBench, order: Sequence[int], limits: Sequence[int]
    ) -> None:
        await sqs.add(*[NewJob("work", {"number": number}) for number in range(3)])
        sent = await _take_messages(sqs) * 2
        await send(sqs, *[sent[index] for index in order])
        effects: list[object] = []

        async def work(limit: int) -> None:
            queue = sqs.queue()
            while claimed := await claim(queue, limit=limit):
                for job in claimed:
                    async with sqs.database.transaction() as connection:
                        await queue.fence(connection, job)
                        effects.append(job.payload["number"])
                    await queue.complete(job)

        for _ in range(3):
            async with anyio.create_task_group() as tasks:
                for limit in limits:
                    tasks.start_soon(work, limit)
            sqs.pass_time(LONGER_THAN_A_LEASE)
        assert sorted(map(str, effects)) == ["0", "1", "2"]
        assert await in_queues(sqs) == 0

    async def test_one_that_comes_while_its_job_runs_waits_for_the_lease(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        (job,) = await claim(sqs.queue())
        await send_again(sqs, job)
        other = sqs.queue()
        assert await claim(other) == []
        sqs.pass_time(LONGER_THAN_A_LEASE)
        (again,) = await claim(other)
        assert (again.id, again.attempt) == (job.id, 2)

    async def test_one_that_comes_after_its_job_was_done_is_deleted(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        (job,) = await claim(queue)
        await queue.complete(job)
        await send_again(sqs, job)
        assert await claim(queue) == []
        assert await in_queues(sqs) == 0

    async def test_one_of_a_dead_letter_is_deleted(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        (job,) = await claim(queue)
        await queue.bury(job, error="did not work")
        await send_again(sqs, job)
        assert await claim(queue) == []
        assert await in_queues(sqs) == 0

    async def test_two_that_come_together_are_one_job(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        (first,) = await claim(queue)
        await queue.release(first)
        await sqs.relay.catch_up()
        await send_again(sqs, first)
        (job,) = await claim(queue)
        await queue.complete(job)
        assert await in_queues(sqs) == 0

    async def test_one_that_is_early_waits_for_the_time_of_its_job(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        (job,) = await claim(queue)
        await queue.retry(job, error="did not work", run_at=sqs.clock() + LEASE)
        await send_again(sqs, job)
        assert await claim(queue) == []
        sqs.pass_time(LONGER_THAN_A_LEASE)
        assert [again.attempt for again in await claim(queue)] == [2]


async def _take_messages(bench: SqsBench) -> list[str]:
    """What the relay sent, taken out of the queue."""
    await bench.relay.catch_up()
    received = await bench.messages.receive(10, LEASE)
    await bench.messages.discard(received)
    return [message.body for message in received]


class TestLoss:
    async def test_a_job_whose_worker_died_is_claimed_when_its_lease_has_ended(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        (job,) = await claim(sqs.queue())
        sqs.pass_time(LONGER_THAN_A_LEASE)
        other = sqs.queue()
        (again,) = await claim(other)
        await other.complete(again)
        assert (again.id, again.attempt) == (job.id, 2)
        assert await in_queues(sqs) == 0

    async def test_a_paused_worker_can_write_nothing_and_leaves_the_others_message_alone(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        paused, other = sqs.queue(), sqs.queue()
        (lost,) = await claim(paused)
        sqs.pass_time(LONGER_THAN_A_LEASE)
        await claim(other)
        for write in (paused.complete, paused.release):
            with pytest.raises(LeaseLost):
                await write(lost)
        assert await paused.extend([lost], lease=LEASE) == []
        assert await in_queues(sqs) == 1

    async def test_a_message_that_sqs_lost_is_sent_again(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await _take_messages(sqs)
        sqs.pass_time(LOST_AFTER)
        await sqs.relay.catch_up()
        assert len(await claim(sqs.queue())) == 1

    async def test_the_message_of_an_abandoned_job_that_sqs_lost_is_sent_again(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        (job,) = await claim(sqs.queue())
        for channel in sqs.messages.channels.values():
            await sqs.client.purge_queue(QueueUrl=channel.url)
        sqs.pass_time(LEASE + ABANDONED_AFTER)
        await sqs.relay.catch_up()
        assert [again.id for again in await claim(sqs.queue())] == [job.id]

    async def test_renewing_a_lease_keeps_the_message_hidden(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        (job,) = await claim(queue)
        for _ in range(3):
            sqs.pass_time(LEASE / 2)
            assert len(await queue.extend([job], lease=LEASE)) == 1
        assert await sqs.messages.receive(1, LEASE) == []
        await queue.complete(job)
        assert await in_queues(sqs) == 0


class TestStrangers:
    async def test_a_message_that_is_not_ours_becomes_a_dead_letter_and_stops_nobody(
        self, sqs: SqsBench, caplog: pytest.LogCaptureFixture
    ) -> None:
        await send(sqs, "hello")
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        (job,) = await claim(queue)
        await queue.complete(job)
        assert "not ours" in caplog.text
        for _ in range(receives(sqs.options)):
            assert await sqs.receive_dead() == []
            sqs.pass_time(LONGER_THAN_A_LEASE)
            assert await claim(queue) == []
        assert await sqs.receive_dead() == ["hello"]
        assert await in_queues(sqs) == 0

    async def test_jobs_of_another_kind_are_left_to_others(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"), NewJob("play"))
        await sqs.relay.catch_up()
        assert [job.kind for job in await claim(sqs.queue(), "work")] == ["work"]
        other = sqs.queue()
        assert await claim(other, "play") == []
        sqs.pass_time(PASSED_ON_AFTER)
        assert [job.kind for job in await claim(other, "play")] == ["play"]

    async def test_what_was_received_beyond_free_hands_is_handed_back(self, sqs: SqsBench) -> None:
        """As when polls of each urgency come back at the same time, and there is one hand."""
        await sqs.add(*[NewJob("work", {"priority": each}, each) for each in (PRIORITY_IDLE, PRIORITY_LOW, 0)])
        await sqs.relay.catch_up()
        queue = sqs.queue()
        queue._messages.keep(await queue._messages.receive(3, LEASE))
        assert [job.payload["priority"] for job in await claim(queue, limit=1)] == [0]
        assert len(await claim(sqs.queue())) == 2


class TestInbox:
    async def test_a_message_whose_job_is_locked_for_a_moment_ends_a_wait(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work", dedupe_key="a"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        async with queue.watch(["work"]) as watch:
            async with sqs.database.transaction() as connection:
                await queue.enqueue(connection, NewJob("work", dedupe_key="a"), now=sqs.clock())
                assert await claim(queue) == []
            with anyio.fail_after(LEASE.total_seconds() / 3):
                await watch.wait(["work"], timeout=LEASE)
            assert len(await claim(queue)) == 1

    async def test_a_message_that_others_can_see_again_is_not_kept(self, sqs: SqsBench) -> None:
        inbox, channel = Inbox(), sqs.messages.channels[Urgency.NORMAL]
        message = Message(channel, "body", "receipt", hidden_until=anyio.current_time())
        inbox.put(Urgency.NORMAL, message, message.hidden_for(LEASE))
        assert len(inbox.take(Urgency.NORMAL, 10)) == 1
        assert not inbox


def fake(client: object) -> Any:
    """Something that is taken for an SQS client."""
    return client


class Broken:
    """An SQS client some of whose methods fail."""

    def __init__(self, client: Any, **failing: object) -> None:
        self._client = client
        self._failing = failing

    def __getattr__(self, name: str) -> object:
        if name not in self._failing:
            return getattr(self._client, name)
        outcome = self._failing[name]

        async def fail(**_arguments: object) -> object:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return fail


def refusal(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "ReceiveMessage")


AWAY = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


class TestOutages:
    @pytest.mark.parametrize(
        ("outcome", "expected"),
        [
            (AWAY, Unavailable),
            (ConnectionResetError(), Unavailable),
            (refusal("InternalError", 500), Unavailable),
            (refusal("RequestThrottled", 403), Unavailable),
            (refusal("AWS.SimpleQueueService.OverLimit", 403), Unavailable),
            (RuntimeError("the refreshed credentials are still expired"), Unavailable),
            (refusal("AWS.SimpleQueueService.NonExistentQueue", 400), ConfigurationError),
            (refusal("AccessDenied", 403), ConfigurationError),
        ],
    )
    async def test_what_goes_wrong_is_one_of_our_errors(self, outcome: Exception, expected: type[Exception]) -> None:
        channel = SqsChannel(fake(Broken(None, receive_message=outcome)), "http://sqs/1/jobs")
        with pytest.raises(expected):
            await channel.receive(limit=1, hide=LEASE)

    @pytest.mark.parametrize(
        ("outcome", "is_wrong"),
        [
            (refusal("InvalidClientTokenId", 403), True),
            (refusal("com.amazon.coral.service#UnrecognizedClientException", 400), True),
            (refusal("SignatureDoesNotMatch", 403), True),
            (NoCredentialsError(), True),
            (refusal("AccessDenied", 403), False),  # to look takes a permission that the service does not need
            (refusal("AWS.SimpleQueueService.NonExistentQueue", 400), False),
            (AWAY, False),
        ],
    )
    async def test_keys_that_are_wrong_are_told_from_keys_that_may_not_look(
        self, outcome: Exception, is_wrong: bool
    ) -> None:
        options = QueueOptions(sqs=SqsOptions(queue_url="https://sqs.test/123456789012/jobs"))
        asked = Sqs(fake(Broken(None, get_queue_attributes=outcome)), options)
        with pytest.raises(ConfigurationError) if is_wrong else nullcontext():
            await asked.check_keys()

    async def test_a_queue_that_was_never_made_is_named(self, sqs: SqsBench) -> None:
        channel = SqsChannel(sqs.client, f"{sqs.server.url}/123456789012/nowhere")
        with pytest.raises(ConfigurationError, match="no queue nowhere: run imagegallery queue setup"):
            await channel.receive(limit=1, hide=LEASE)

    async def test_without_sqs_jobs_are_added_and_done_later(
        self, sqs: SqsBench, caplog: pytest.LogCaptureFixture
    ) -> None:
        away = SqsChannel(fake(Broken(sqs.client, send_message_batch=AWAY)), sqs.messages.channels[Urgency.NORMAL].url)
        there, sqs.messages.channels = sqs.messages.channels, dict.fromkeys(Urgency, away)
        await sqs.add(NewJob("work"))
        with pytest.raises(Unavailable):
            await sqs.relay.catch_up()
        sqs.messages.channels = there
        sqs.pass_time(RESERVED_FOR)
        await sqs.relay.catch_up()
        assert len(await claim(sqs.queue())) == 1

    async def test_a_batch_that_is_taken_in_part_is_sent_again_in_part(self, sqs: SqsBench) -> None:
        part = {"Successful": [{"Id": "1"}], "Failed": [{"Id": "0", "Code": "InternalError"}]}
        channel = SqsChannel(fake(Broken(sqs.client, send_message_batch=part)), "http://sqs/1/jobs")
        assert await channel.send([OutgoingMessage("a", timedelta(0)), OutgoingMessage("b", timedelta(0))]) == [1]

    @pytest.mark.parametrize("method", ["delete_message_batch", "change_message_visibility_batch"])
    async def test_what_has_happened_to_a_job_counts_also_when_its_message_cannot_be_put_away(
        self, sqs: SqsBench, method: str
    ) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        for channel in queue._messages.channels.values():
            channel._client = fake(Broken(sqs.client, **{method: AWAY}))
        (job,) = await claim(queue)
        assert len(await queue.extend([job], lease=LEASE)) == 1
        await queue.complete(job)
        assert await queue.stats() == EMPTY
        sqs.pass_time(LONGER_THAN_A_LEASE)
        assert await claim(sqs.queue()) == []
        assert await in_queues(sqs) == 0

    @pytest.mark.parametrize("method", ["delete_message_batch", "change_message_visibility_batch"])
    async def test_sqs_that_went_silent_holds_up_no_job(
        self, sqs: SqsBench, method: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqs_messages, "PUT_AWAY_TIME", timedelta(milliseconds=10))
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        for channel in queue._messages.channels.values():
            channel._client = fake(Silent(sqs.client, method))
        with anyio.fail_after(30):
            (job,) = await claim(queue)
            assert len(await queue.extend([job], lease=LEASE)) == 1
            await queue.complete(job)
        assert await queue.stats() == EMPTY

    async def test_a_claim_waits_once_for_all_that_cannot_be_put_away(
        self, sqs: SqsBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Or it would take longer than a worker gives it, and what was claimed would be dropped."""
        await sqs.add(NewJob("work"), *[NewJob("play") for _ in range(8)])
        await sqs.relay.catch_up()
        left, all_asked = count(7, -1), anyio.Event()

        async def hide(*_arguments: object, **_more: object) -> None:
            """Answers when all eight are being hidden at the same time."""
            if next(left) == 0:
                all_asked.set()
            await all_asked.wait()

        monkeypatch.setattr(SqsChannel, "hide", hide)
        with anyio.fail_after(30):
            assert [job.kind for job in await claim(sqs.queue())] == ["work"]
        assert all_asked.is_set()

    async def test_messages_that_were_received_before_an_outage_are_used_after_it(self, sqs: SqsBench) -> None:
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        queue = sqs.queue()
        low = queue._messages.channels[Urgency.LOW]
        low._client = fake(Broken(sqs.client, receive_message=AWAY))
        with pytest.raises(Unavailable):
            await claim(queue)
        low._client = sqs.client
        assert len(await claim(queue)) == 1

    async def test_a_worker_works_on_after_an_outage(self, sqs: SqsBench) -> None:
        queue = sqs.queue()
        for channel in queue._messages.channels.values():
            channel._client = fake(AwayFor(sqs.client, calls=2))
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        async with working(sqs, queue) as outcomes:
            assert await outcomes.next() == [JobOutcome.DONE]

    async def test_a_poll_that_comes_back_when_nobody_waits_gives_its_message_to_others(self, sqs: SqsBench) -> None:
        queue = sqs.queue()
        late = fake(Late(sqs.client))
        for channel in queue._messages.channels.values():
            channel._client = late
        async with queue.watch(["work"]) as watch:
            await watch.wait(["work"], timeout=timedelta(milliseconds=10))
            await sqs.add(NewJob("work"))
            await sqs.relay.catch_up()
            other = sqs.queue()
            late.go.set()
            with anyio.fail_after(30):
                await late.received.wait()
                while not await claim(other):
                    pass


class Silent:
    """An SQS client one of whose methods never answers."""

    def __init__(self, client: Any, method: str) -> None:
        self._client = client
        self._method = method

    def __getattr__(self, name: str) -> object:
        return _never if name == self._method else getattr(self._client, name)


async def _never(**_arguments: object) -> None:
    await anyio.sleep_forever()


class AwayFor:
    """An SQS client that fails for a number of calls to receive."""

    def __init__(self, client: Any, calls: int) -> None:
        self._client = client
        self._calls = calls

    async def receive_message(self, **arguments: object) -> object:
        if self._calls:
            self._calls -= 1
            raise AWAY
        return await self._client.receive_message(**arguments)

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)


class Late:
    """An SQS client whose polls begin when they may."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.go = anyio.Event()
        self.received = anyio.Event()

    async def receive_message(self, **arguments: object) -> object:
        await self.go.wait()
        answer = await self._client.receive_message(**arguments)
        if answer.get("Messages"):
            self.received.set()
        return answer

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)


class TestBatches:
    async def test_messages_that_are_deleted_at_the_same_time_go_in_one_request(self, sqs: SqsBench) -> None:
        counts: list[int] = []

        class Counting:
            async def delete_message_batch(self, **arguments: Any) -> object:
                counts.append(len(arguments["Entries"]))
                return await sqs.client.delete_message_batch(**arguments)

        channel = SqsChannel(fake(Counting()), sqs.messages.channels[Urgency.NORMAL].url)
        await send(sqs, *map(str, range(10)))
        received = await sqs.messages.receive(10, LEASE)
        async with anyio.create_task_group() as tasks:
            for message in received:
                tasks.start_soon(channel.delete, [message.receipt])
        assert counts == [10]
        assert await in_queues(sqs) == 0

    async def test_many_messages_are_hidden_ten_at_a_time(self, sqs: SqsBench) -> None:
        await send(sqs, *map(str, range(10)))
        await send(sqs, *map(str, range(5)))
        channel = sqs.messages.channels[Urgency.NORMAL]
        received = await sqs.messages.receive(15, LEASE)
        assert len(received) == 15
        await channel.hide([message.receipt for message in received], timedelta(0))
        assert len(await sqs.messages.receive(15, LEASE)) == 15


@asynccontextmanager
async def working(bench: SqsBench, queue: SqsQueue, run: Run | None = None) -> AsyncIterator[Outcomes]:
    """A worker over the queue, and a relay beside it."""

    async def succeed(job: ClaimedJob) -> None:
        pass

    outcomes = Outcomes(timedelta(seconds=30))
    handler = ScriptedHandler(run or succeed)
    worker = Worker(queue, {"work": handler}, bench.options, bench.clock, observer=outcomes)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.relay.run)
        await tasks.start(worker.run)
        yield outcomes
        worker.stop()
        await worker.stopped()
        tasks.cancel_scope.cancel()


class TestWorking:
    async def test_a_worker_does_what_the_relay_sends(self, sqs: SqsBench) -> None:
        done: list[object] = []

        async def run(job: ClaimedJob) -> None:
            if job.attempt == 1 and job.payload["number"] == 3:
                raise ValueError
            done.append(job.payload["number"])

        async with working(sqs, sqs.queue(), run) as outcomes:
            await sqs.add(*[NewJob("work", {"number": number}) for number in range(6)])
            assert sorted(await outcomes.next(7)) == [JobOutcome.DONE] * 6 + [JobOutcome.RETRIED]
        assert sorted(map(str, done)) == list("012345")
        assert await in_queues(sqs) == 0

    async def test_a_job_that_kills_every_worker_becomes_a_dead_letter(self, sqs: SqsBench) -> None:
        """Its message comes back each time, and is ours for as long as that takes: the redrive policy leaves it."""
        await sqs.add(NewJob("work"))
        await sqs.relay.catch_up()
        for attempt in range(1, sqs.options.max_attempts + 1):
            assert [job.attempt for job in await claim(sqs.queue())] == [attempt]
            sqs.pass_time(LONGER_THAN_A_LEASE)
        queue = sqs.queue()
        async with working(sqs, queue) as outcomes:
            assert await outcomes.next() == [JobOutcome.BURIED]
        assert await queue.stats() == QueueStats(waiting=0, running=0, dead=1)
        assert (await in_queues(sqs), await sqs.receive_dead()) == (0, [])
