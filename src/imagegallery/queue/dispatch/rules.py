"""Messages about jobs: when to send one, and what to do with one received. Pure.

The table ``jobs`` knows what to do; a message only says where to look. So a message that arrives twice, late or out of
order does no harm, and a lost one is sent again.
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
# If a relay reserved a job and died before sending the message, another one sends it after this time.
RESERVED_FOR = timedelta(seconds=10)
# An unused message is considered lost after this time: not too soon, or a long queue would grow endlessly.
LOST_AFTER = timedelta(hours=1)
# A message reappears when its worker dies. If it has not, this long after the lease, it was lost.
ABANDONED_AFTER = timedelta(minutes=1)


class Urgency(StrEnum):
    """Jobs of one urgency share an unordered queue. The most urgent comes first."""

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
    """A job that needs a message."""

    job_id: UUID
    kind: str
    priority: int
    run_at: datetime

    def delay(self, now: datetime) -> timedelta:
        """How long the message stays invisible."""
        return min(max(self.run_at - now, timedelta(0)), LONGEST_DELAY)

    def lost_at(self, now: datetime) -> datetime:
        """When a message sent ``now`` is considered lost, if unused."""
        return now + self.delay(now) + LOST_AFTER


@frozen
class JobStatus:
    """The status of a job named in a message. ``claimable_at`` is when it is due, or when its lease ends; ``None`` for
    a dead
    letter.
    """

    job_id: UUID
    kind: str
    claimable_at: datetime | None


class MessageAction(Enum):
    """What to do with a message whose job was not claimed."""

    DISCARD = "the job is over"
    LATER = "the job can be claimed later"
    OTHERS = "the job is of another kind, for other workers"
    KEEP = "the job is locked for a moment"


def fate(status: JobStatus | None, kinds: Collection[str], now: datetime) -> MessageAction:
    """Decide about a message. ``status`` is ``None`` for a job that no longer exists."""
    if status is None or status.claimable_at is None:
        return MessageAction.DISCARD
    if status.claimable_at > now:
        return MessageAction.LATER
    return MessageAction.KEEP if status.kind in kinds else MessageAction.OTHERS


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
