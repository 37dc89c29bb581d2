"""A job and the rules of its life: pure.

A job is *at least once*: a worker that dies in the middle loses its lease, and another one starts over.
Attempts are counted when a job is claimed, not when it fails, so that a job which kills its worker cannot be
retried for ever.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import field, frozen
from attrs.validators import ge, gt

from imagegallery.common.backoff import Backoff

Payload = Mapping[str, str | int | bool | None]

PRIORITY_NORMAL = 0
PRIORITY_DELIVERY = -5  # word to others, whose turns are not mixed with what is done here
PRIORITY_LOW = -10
PRIORITY_IDLE = -20  # what nobody waits for

# A wait is never shorter than this: a job that is due but locked (by an open fence, or a claim under way) would
# otherwise be asked for in a tight loop.
SHORTEST_WAIT = timedelta(milliseconds=100)

# How often `give_up` itself may fail before a job is buried without it.
GIVE_UP_ATTEMPTS = 3


@frozen
class NewJob:
    """Work to be done: ``kind`` picks the handler, ``payload`` is its small JSON argument.

    Higher ``priority`` first; of one priority, owners are served in turn, and ``owner_id`` is whose work it is (empty:
    nobody's in particular); then earlier ``run_at`` (``None``: now). With ``dedupe_key``, a job of this kind
    that is already waiting under the same key makes this one superfluous: it is not added, and the waiting one
    takes over the more urgent priority and time.
    """

    kind: str
    payload: Payload = field(factory=dict)
    priority: int = PRIORITY_NORMAL
    run_at: datetime | None = None
    dedupe_key: str | None = None
    owner_id: str = ""


@frozen
class ClaimedJob:
    """A job in a worker's hands. ``attempt`` counts from 1; ``lease_token`` is this claim's own, and every
    write on the job's behalf is refused once another claim has been made."""

    id: UUID
    kind: str
    payload: Payload
    attempt: int
    lease_token: UUID
    lease_expires_at: datetime
    created_at: datetime


@frozen
class DeadJob:
    """A job that will not be tried again, and why."""

    id: UUID
    kind: str
    payload: Payload
    attempts: int
    error: str
    died_at: datetime


@frozen
class QueueStats:
    """How many jobs wait (due or not), run and are dead."""

    waiting: int
    running: int
    dead: int


@frozen
class Backlog:
    """``due_since`` is when the first job could be, or can be, claimed, and ``held_until`` when the last lease ends or
    ended; ``None``: there is none."""

    due_since: datetime | None = None
    held_until: datetime | None = None


@frozen
class SqsOptions:
    """``queue_url`` is the URL of our first queue, for what is urgent; the others have its name with a suffix. Without
    one, workers find their jobs in the database. ``events_url`` is a queue that the bucket sends its events to: they
    complete uploads whose client was not heard of again.
    """

    queue_url: str | None = None
    events_url: str | None = None
    endpoint_url: str | None = None


@frozen
class QueueOptions:
    """How hard to try. A lease is renewed every third of its length while the job runs.

    With ``relay_in_worker`` every worker passes on events and jobs, too; without, `imagegallery relay` does it alone.
    An attempt that failed because a part it needs was away (`Unavailable`, `ConfigurationError`) is no fault of the
    job's: until ``outage_patience`` after the job was made, it does not count among the ``max_attempts``.
    """

    max_attempts: int = field(default=10, validator=ge(1))
    lease: timedelta = field(default=timedelta(seconds=30), validator=gt(timedelta(0)))
    backoff_base: timedelta = field(default=timedelta(seconds=2), validator=ge(timedelta(0)))
    backoff_limit: timedelta = field(default=timedelta(minutes=15), validator=ge(timedelta(0)))
    outage_patience: timedelta = field(default=timedelta(days=1), validator=ge(timedelta(0)))
    poll_interval: timedelta = field(default=timedelta(seconds=5), validator=gt(timedelta(0)))
    concurrency: int = field(default=2, validator=ge(1))
    shutdown_grace: timedelta = field(default=timedelta(seconds=20), validator=ge(timedelta(0)))
    relay_in_worker: bool = True
    sqs: SqsOptions = field(factory=SqsOptions)


def backoff(attempt: int, options: QueueOptions) -> timedelta:
    """How long to wait after the ``attempt``-th failure: doubling from the base, up to the limit."""
    return Backoff(options.backoff_base, options.backoff_limit).after(attempt)


def retry_at(job: ClaimedJob, now: datetime, options: QueueOptions) -> datetime:
    """When a job that failed ``now`` is due again."""
    return now + _scattered(job, backoff(job.attempt, options))


def postponed_to(job: ClaimedJob, now: datetime, options: QueueOptions) -> datetime | None:
    """When a job is due again that failed ``now`` because a part was away; ``None``: that has gone on for too long, and
    the attempt counts.

    There is no count to go by, so the older the job is, the longer it waits: a quarter of its age, within the limits of
    the backoff.
    """
    age = now - job.created_at
    if age >= options.outage_patience:
        return None
    return now + _scattered(job, min(max(age / 4, options.backoff_base), options.backoff_limit))


def _scattered(job: ClaimedJob, pause: timedelta) -> timedelta:
    """Up to a quarter is taken off, by the job's id, so that jobs which failed together do not come back together."""
    thousandths = job.id.int % 1000
    return pause * (1 - thousandths / 4000)


def is_exhausted(attempt: int, options: QueueOptions) -> bool:
    """Whether a failure of the ``attempt``-th claim is the last one."""
    return attempt >= options.max_attempts


def should_dead_letter(attempt: int, options: QueueOptions) -> bool:
    """Whether all attempts were used up before this claim: it must not run again, only be given up."""
    return attempt > options.max_attempts


def may_fail_to_give_up(attempt: int, options: QueueOptions) -> bool:
    """Whether there is another try left for a `give_up` that failed in the ``attempt``-th claim."""
    return attempt < options.max_attempts + GIVE_UP_ATTEMPTS


def waiting_time(next_due: datetime | None, now: datetime, limit: timedelta) -> timedelta:
    """How long nothing can become due, unless jobs are added: until ``next_due``, ``limit`` at the longest."""
    if next_due is None:
        return limit
    return min(max(next_due - now, SHORTEST_WAIT), limit)
