"""The job that erases an owner: in batches, each of which is done or not, so that it goes on after any crash.

First what they have, feature by feature, those that use others before these. Then the event that they are gone, and
when all have received it, what told of it. It ends with a receipt that names nobody.
"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.audit import records as audit
from imagegallery.audit.entry import BY_SYSTEM, SYSTEM, Act, AuditEntry
from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import StillReferenced
from imagegallery.events import records as events
from imagegallery.events.event import DomainEvent, Event
from imagegallery.feature import Erases, Feature
from imagegallery.holdings import records as holding_records
from imagegallery.holdings.holding import Holding
from imagegallery.images.jobs import PURGE_OBJECTS
from imagegallery.privacy import erasure_records as records
from imagegallery.privacy.erasure import (
    Erasure,
    ErasureState,
    emails_of,
    erase_job,
    later,
    pause_after,
)
from imagegallery.privacy.events import OwnerErased
from imagegallery.privacy.export import EXPORT
from imagegallery.privacy.options import PrivacyOptions
from imagegallery.queue import records as queue_records
from imagegallery.queue.job import ClaimedJob, NewJob
from imagegallery.queue.protocol import JobOutbox, Queue

ROWS_AT_ONCE: Final = 1000
PASSES: Final = 3
BLOCKED_PAUSE: Final = timedelta(hours=1)
_OBJECT_JOBS: Final = (PURGE_OBJECTS, EXPORT)
_log = logging.getLogger(__name__)

BATCH = fault_point("erasure.batch", "a part of what an owner has is erased, the rest is not")
TOLD = fault_point("erasure.told", "all is erased but the event about it and who receives it")
FORGOTTEN = fault_point("erasure.forgotten", "webhooks and events are erased, whose erasure it was is known")


@frozen
class FeatureErasure:
    """What one feature keeps of an owner, and how it goes."""

    erases: Sequence[Erases]
    holdings: Sequence[Holding]


@frozen
class Eraser:
    """The `JobHandler` of ``owner.erase``. ``features`` are in the order of their erasure."""

    _database: Database
    _queue: Queue
    _outbox: JobOutbox
    _features: Sequence[FeatureErasure]
    _options: PrivacyOptions
    _clock: Clock

    async def run(self, job: ClaimedJob) -> None:
        async with self._database.connection() as connection:
            erasure = await records.get(connection, UUID(str(job.payload["erasure_id"])))
        if erasure is None or erasure.owner_id is None:  # taken back, or done
            return
        if erasure.state is ErasureState.TELLING:
            await self._end(job, erasure, erasure.owner_id)
        elif self._clock() < erasure.erase_at:
            await self._again(job, erasure, erasure.erase_at)
        else:
            await self._erase(job, erasure, erasure.owner_id)

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """Log it: the job can be requeued, and goes on where it was."""
        _log.error("erasure %s came to a halt: %s", job.payload["erasure_id"], error)

    async def _erase(self, job: ClaimedJob, erasure: Erasure, owner_id: str) -> None:
        if erasure.state is ErasureState.REQUESTED:
            async with self._writing(job) as connection:
                await records.begin(connection, erasure.id, await self._count(connection, owner_id))
        try:
            for _ in range(PASSES):  # what is erased is audited, and what was under way may arrive
                await self._erase_once(job, owner_id)
                async with self._database.connection() as connection:
                    left = await self._count(connection, owner_id, with_last=False)
                if not left:
                    break
        except StillReferenced as error:
            _log.warning("erasure %s waits for records of the application: %s", erasure.id, error.full_message)
            await self._again(job, erasure, self._clock() + BLOCKED_PAUSE)
            return
        async with self._writing(job) as connection:
            jobs = await records.unfinished(connection, owner_id, _OBJECT_JOBS)
            for job_id in [each for each, is_dead in jobs.items() if is_dead]:
                await queue_records.requeue(connection, job_id, now=self._clock())
        if left or jobs:
            now = self._clock()
            await self._again(job, erasure, now + pause_after(erasure.erase_at, now))
        else:
            await self._tell(job, erasure, owner_id)

    async def _erase_once(self, job: ClaimedJob, owner_id: str) -> None:
        async with self._writing(job) as connection:
            await records.forget_addresses(connection, emails_of(job.payload))
        for feature in self._features:
            for erase in feature.erases:
                found = 1
                while found:
                    async with self._writing(job) as connection:
                        found = await erase(connection, owner_id)
                    BATCH.reached()
            for holding in reversed([each for each in feature.holdings if not each.is_last]):
                await self._erase_rows(job, holding, owner_id)

    async def _erase_rows(self, job: ClaimedJob, holding: Holding, owner_id: str) -> None:
        found = ROWS_AT_ONCE
        while found == ROWS_AT_ONCE:
            async with self._writing(job) as connection:
                found = await holding_records.erase(connection, holding, owner_id, ROWS_AT_ONCE)

    async def _tell(self, job: ClaimedJob, erasure: Erasure, owner_id: str) -> None:
        """Record the event. When it was relayed to all who receive it, the job goes on (`ErasureConsumer`)."""
        now = self._clock()
        async with self._writing(job) as connection:
            if await records.tell(connection, erasure.id, now=now):
                counted = await records.get(connection, erasure.id)
                counts = {} if counted is None else counted.counts
                await events.record(connection, OwnerErased(owner_id, erasure.id, counts), now=now)
                at_last = later(job.payload, erasure, now + self._options.tombstone_time)
                await self._outbox.enqueue(connection, at_last, now=now)
        TOLD.reached()

    async def _end(self, job: ClaimedJob, erasure: Erasure, owner_id: str) -> None:
        now, told_at = self._clock(), erasure.erased_at or erasure.erase_at
        async with self._database.connection() as connection:
            is_awaited = await records.is_awaited(connection, owner_id)
        if is_awaited and now < told_at + self._options.tombstone_time:
            await self._again(job, erasure, now + pause_after(told_at, now))
            return
        for holding in [each for feature in self._features for each in reversed(feature.holdings) if each.is_last]:
            await self._erase_rows(job, holding, owner_id)
        FORGOTTEN.reached()
        async with self._writing(job) as connection:
            if await records.finish(connection, erasure.id, now=now):
                counts = dict(erasure.counts)
                act = AuditEntry(Act.OWNER_ERASED, SYSTEM, BY_SYSTEM, None, subject=str(erasure.id), details=counts)
                await audit.record(connection, act, now=now)

    async def _count(self, connection: Connection, owner_id: str, *, with_last: bool = True) -> Mapping[str, int]:
        """How many rows there are of what, of which there are any."""
        holdings = [each for feature in self._features for each in feature.holdings if with_last or not each.is_last]
        counted = [(each.known_as, await holding_records.count(connection, each, owner_id)) for each in holdings]
        return {name: count for name, count in sorted(counted) if count}

    async def _again(self, job: ClaimedJob, erasure: Erasure, at: datetime) -> None:
        async with self._writing(job) as connection:
            await self._outbox.enqueue(connection, later(job.payload, erasure, at), now=self._clock())

    @asynccontextmanager
    async def _writing(self, job: ClaimedJob) -> AsyncIterator[Connection]:
        """A transaction that counts only while the job is ours."""
        async with self._database.transaction() as connection:
            await self._queue.fence(connection, job)
            yield connection


def in_order(features: Sequence[Feature], erases: Mapping[str, Sequence[Erases]]) -> Sequence[FeatureErasure]:
    """What each feature erases (``erases`` by its name), those that use others first."""
    return [FeatureErasure(erases[each.name], each.holdings) for each in reversed(features)]


class ErasureConsumer:
    """A `Consumer` that goes on with an erasure whose event was relayed to consumers before this one."""

    name = "erasures"

    async def jobs_for(self, connection: Connection, events: Sequence[Event[DomainEvent]]) -> Sequence[NewJob]:
        jobs = []
        for event in events:
            if isinstance(event.data, OwnerErased):
                erasure = await records.get(connection, event.data.erasure_id)
                if erasure is not None and erasure.owner_id is not None:
                    jobs.append(erase_job(erasure, (), event.occurred_at))
        return jobs
