"""Telling workers of jobs by messages: when one is sent, and what one that comes is good for. Pure.

The table ``jobs`` knows what is to be done; a message only says where to look. So one that comes twice, late or out of
order does no harm, and one that is lost is sent again.
"""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from uuid import UUID

from attrs import frozen

from imagegallery.ids import parse_id
from imagegallery.queue.job import PRIORITY_LOW, PRIORITY_NORMAL

VERSION = 1
# A message queue keeps a message back for that long at the most (SQS, DelaySeconds); who is due later is sent later.
LONGEST_DELAY = timedelta(minutes=15)
# A relay that reserved a job and died before it had sent the message: another one sends it after this time.
RESERVED_FOR = timedelta(seconds=10)
# A message that nobody has made use of is taken to be lost: not too soon, or a long queue would get ever longer.
LOST_AFTER = timedelta(hours=1)
# A message comes back by itself when its worker dies. If it has not, this long after the lease, it was lost.
ABANDONED_AFTER = timedelta(minutes=1)


class Urgency(StrEnum):
    """Jobs of one urgency share a queue, where they have no order. The most urgent is first."""

    NORMAL = "normal"
    LOW = "low"
    IDLE = "idle"

    @classmethod
    def of(cls, priority: int) -> "Urgency":
        if priority >= PRIORITY_NORMAL:
            return cls.NORMAL
        return cls.LOW if priority >= PRIORITY_LOW else cls.IDLE


@frozen
class Dispatch:
    """A job that a message is to be sent for."""

    job_id: UUID
    kind: str
    priority: int
    run_at: datetime

    def delay(self, now: datetime) -> timedelta:
        """For how long the message is to be kept back."""
        return min(max(self.run_at - now, timedelta(0)), LONGEST_DELAY)

    def lost_at(self, now: datetime) -> datetime:
        """When a message that is sent ``now`` is taken to be lost, if nobody made use of it."""
        return now + self.delay(now) + LOST_AFTER


@frozen
class JobStatus:
    """How a job stands that a message spoke of. ``claimable_at`` is when it is due, or when its holder's lease ends;
    ``None`` for a dead letter."""

    job_id: UUID
    kind: str
    claimable_at: datetime | None


class MessageAction(Enum):
    """What becomes of a message whose job was not claimed."""

    DISCARD = "the job is over"
    LATER = "the job can be claimed later"
    OTHERS = "the job is of another kind, for other workers"
    KEEP = "the job is locked for a moment"


def fate(standing: JobStatus | None, kinds: Collection[str], now: datetime) -> MessageAction:
    """``standing`` is ``None`` for a job that does not exist any more."""
    if standing is None or standing.claimable_at is None:
        return MessageAction.DISCARD
    if standing.claimable_at > now:
        return MessageAction.LATER
    return MessageAction.KEEP if standing.kind in kinds else MessageAction.OTHERS


def encode(dispatch: Dispatch) -> str:
    """A message: ``{"version": 1, "job": "<id>", "kind": "process"}``.

    The kind is for people who read a queue. What a later version adds under the same number is ignored.
    """
    return json.dumps({"version": VERSION, "job": str(dispatch.job_id), "kind": dispatch.kind})


def decode(body: str) -> UUID | None:
    """The job's id; ``None`` if the message is not one of ours, or of a version that we do not know."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        return None
    job = document.get("job")
    return parse_id(job) if isinstance(job, str) else None
