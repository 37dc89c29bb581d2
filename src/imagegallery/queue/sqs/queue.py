"""The queue on Amazon SQS, or a compatible service: workers wait for messages instead of polling the database.

The table ``jobs`` stays the truth about each job (`PostgresQueue`): added in the caller's transaction, attempts,
fencing lease token, dead letters. A message is an invitation to claim one job by its id; `JobRelay` sends it. So a
message that arrives twice, late or after the end does no harm, and a lost one is sent again.

It needs three standard queues, made by ``imagegallery queue setup``: ``queue.sqs.queue_url``, and the same with
``-low`` and ``-idle`` for less urgent jobs, received in that order; and ``…-dead``, where they send foreign messages
that were received too often (redrive policy). Nothing relies on FIFO, deduplication or order.

Permissions on the three: ``sqs:SendMessage`` for relays; ``sqs:ReceiveMessage``, ``sqs:DeleteMessage`` and
``sqs:ChangeMessageVisibility`` for workers. API processes need none. ``imagegallery doctor`` needs
``sqs:GetQueueAttributes``, the setup also ``sqs:CreateQueue``, ``sqs:GetQueueUrl`` and ``sqs:SetQueueAttributes``.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from uuid import UUID

import anyio

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.queue.dispatch import records as dispatch_records
from imagegallery.queue.dispatch.rules import JobStatus, MessageAction, decode, fate
from imagegallery.queue.job import Backlog, ClaimedJob, DeadJob, NewJob, QueueOptions, QueueStats
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import JobOutbox, KeepsDeadLetters, Queue, TellsBacklog, Watch
from imagegallery.queue.sqs.channel import Message
from imagegallery.queue.sqs.messages import SqsMessages
from imagegallery.queue.sqs.watch import SqsWatch

logger = logging.getLogger(__name__)

# A message reappears a little after its job's lease ends, so that the job can be claimed then.
LATER_THAN_THE_LEASE = timedelta(seconds=1)
# How long a message is hidden from workers without a handler for its kind of job.
PASSED_ON_AFTER = timedelta(seconds=15)

ENDED = fault_point("sqs.ended", "a job is over, its message is still there")


class SqsQueue(Queue, KeepsDeadLetters, TellsBacklog, JobOutbox):
    """`PostgresQueue` writes to jobs, which counts from then on; then the message is deleted.

    Raises `Unavailable` while the database is unavailable, and in `claim` and `watch` also while SQS is. Jobs can be
    added regardless.
    """

    def __init__(
        self, database: Database, jobs: PostgresQueue, messages: SqsMessages, options: QueueOptions, clock: Clock
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._messages = messages
        self._options = options
        self._clock = clock
        self._held: dict[UUID, Message] = {}  # by the token of the claim

    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        await self._jobs.enqueue(connection, job, now=now)

    async def claim(self, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[ClaimedJob]:
        """Claim most urgent first among received messages; jobs of one urgency are unordered."""
        received = await self._messages.receive(limit, lease + LATER_THAN_THE_LEASE)
        invitations = _by_job(received)
        if not invitations:
            return []
        now = self._clock()
        try:
            async with self._database.connection() as connection:
                claimed = await dispatch_records.claim(
                    connection, list(invitations), kinds, now=now, lease_expires_at=now + lease
                )
                left = invitations.keys() - {job.id for job in claimed}
                statuses = await dispatch_records.statuses(connection, list(left)) if left else {}
        except BaseException:
            self._messages.keep(received)
            raise
        await self._take_up(claimed, invitations)
        await self._put_by({job_id: invitations[job_id] for job_id in left}, statuses, kinds, now)
        if len(claimed) == limit:
            await self._messages.hand_back_rest()
        return claimed

    async def extend(self, jobs: Sequence[ClaimedJob], *, lease: timedelta) -> list[ClaimedJob]:
        kept = await self._jobs.extend(jobs, lease=lease)
        for token in {job.lease_token for job in jobs} - {job.lease_token for job in kept}:
            self._held.pop(token, None)
        held = {job.lease_token: self._held[job.lease_token] for job in kept if job.lease_token in self._held}
        hide = lease + LATER_THAN_THE_LEASE
        self._held |= {token: message.hidden_for(hide) for token, message in held.items()}
        await self._messages.hide(list(held.values()), hide)
        return kept

    async def fence(self, connection: Connection, job: ClaimedJob) -> None:
        await self._jobs.fence(connection, job)

    async def complete(self, job: ClaimedJob) -> None:
        await self._jobs.complete(job)
        await self.let_go(job)

    async def complete_in(self, connection: Connection, job: ClaimedJob) -> None:
        await self._jobs.complete_in(connection, job)

    async def let_go(self, job: ClaimedJob) -> None:
        """Delete the message of an ended claim: a job that goes back to waiting gets a new one."""
        ENDED.reached()
        message = self._held.pop(job.lease_token, None)
        if message is not None:
            await self._messages.discard([message])

    async def retry(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        await self._jobs.retry(job, error=error, run_at=run_at)
        await self.let_go(job)

    async def postpone(self, job: ClaimedJob, *, error: str, run_at: datetime) -> None:
        await self._jobs.postpone(job, error=error, run_at=run_at)
        await self.let_go(job)

    async def bury(self, job: ClaimedJob, *, error: str) -> None:
        await self._jobs.bury(job, error=error)
        await self.let_go(job)

    async def release(self, job: ClaimedJob) -> None:
        await self._jobs.release(job)
        await self.let_go(job)

    def watch(self, kinds: Sequence[str]) -> AbstractAsyncContextManager[Watch]:
        """Watch for messages. Their kind is unknown before they are received, so jobs of other kinds end a wait,
        too."""
        hide = self._options.lease + LATER_THAN_THE_LEASE
        return SqsWatch.running(self._messages, hide=hide, poll=self._options.poll_interval)

    async def dead(self, *, limit: int) -> list[DeadJob]:
        return await self._jobs.dead(limit=limit)

    async def requeue(self, job_id: UUID) -> None:
        await self._jobs.requeue(job_id)

    async def stats(self) -> QueueStats:
        return await self._jobs.stats()

    async def backlog(self) -> Backlog:
        return await self._jobs.backlog()

    async def _take_up(self, claimed: Sequence[ClaimedJob], invitations: Mapping[UUID, Sequence[Message]]) -> None:
        """Keep one message of each job, to reappear if we die, and delete the others."""
        now = anyio.current_time()
        # Claims that were lost without an end here: others have received their messages by now.
        self._held = {token: message for token, message in self._held.items() if message.hidden_until > now}
        superfluous: list[Message] = []
        for job in claimed:
            message, *others = invitations[job.id]
            self._held[job.lease_token] = message
            superfluous += others
        await self._messages.discard(superfluous)

    async def _put_by(
        self,
        invitations: Mapping[UUID, Sequence[Message]],
        statuses: Mapping[UUID, JobStatus],
        kinds: Collection[str],
        now: datetime,
    ) -> None:
        """Delete, hide or keep the messages of jobs that were not claimed, all at once: claimed jobs wait for it."""
        useless: list[Message] = []
        async with anyio.create_task_group() as tasks:
            for job_id, messages in invitations.items():
                status = statuses.get(job_id)
                match fate(status, kinds, now):
                    case MessageAction.DISCARD:
                        useless += messages
                    case MessageAction.LATER:
                        assert status is not None
                        assert status.claimable_at is not None
                        tasks.start_soon(self._messages.hide, messages, status.claimable_at - now)
                    case MessageAction.OTHERS:
                        tasks.start_soon(self._messages.hide, messages, PASSED_ON_AFTER)
                    case MessageAction.KEEP:
                        self._messages.keep(messages)
            tasks.start_soon(self._messages.discard, useless)


def _by_job(messages: Sequence[Message]) -> dict[UUID, list[Message]]:
    """The messages by job. One that is not ours is ignored: received often enough, it goes to the dead-letter queue."""
    by_job: dict[UUID, list[Message]] = {}
    for message in messages:
        job_id = decode(message.body)
        if job_id is None:
            logger.warning("queue %s: a message is not ours, and is left to its redrive policy", message.channel.name)
        else:
            by_job.setdefault(job_id, []).append(message)
    return by_job
