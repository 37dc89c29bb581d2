"""A job and its rules. Pure.

A job runs *at least once*: a worker that dies loses its lease, and another one starts over. Claims count as attempts,
not failures, so that a job that kills its worker is not retried forever.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import field, frozen
from attrs.validators import ge, gt

from imagegallery.common.backoff import Backoff

Payload = Mapping[str, str | int | bool | None]

PRIORITY_NORMAL = 0
PRIORITY_DELIVERY = -5  # messages to others, whose turns are separate
PRIORITY_LOW = -10
PRIORITY_IDLE = -20  # nobody waits for it

# A wait is never shorter: a due job that is locked (by an open fence, or a claim in progress) would otherwise cause a
# busy loop.
SHORTEST_WAIT = timedelta(milliseconds=100)

# How often `give_up` may fail before a job is buried without it.
GIVE_UP_ATTEMPTS = 3


@frozen
class NewJob:
    """Work to be done: ``kind`` selects the handler, ``payload`` is its small JSON argument.

    Higher ``priority`` comes first. Within a priority, owners (``owner_id``, empty for none) are served in turn, then
    earlier ``run_at`` (``None``: now) comes first. With ``dedupe_key``, a waiting job of the same kind and key replaces
    this one, and takes the more urgent priority and time.
    """

    kind: str
    payload: Payload = field(factory=dict)
    priority: int = PRIORITY_NORMAL
    run_at: datetime | None = None
    dedupe_key: str | None = None
    owner_id: str = ""


@frozen
class ClaimedJob:
    """A claimed job. ``attempt`` counts from 1. ``lease_token`` identifies this claim: writes for the job are refused
    after
    another claim.
    """

    id: UUID
    kind: str
    payload: Payload
    attempt: int
    lease_token: UUID
    lease_expires_at: datetime
    created_at: datetime


@frozen
class DeadJob:
    """A job that is not tried again, and why."""

    id: UUID
    kind: str
    payload: Payload
    attempts: int
    error: str
    died_at: datetime


@frozen
class RunningJob:
    """A job that a worker does: its ``attempt`` since ``claimed_at``, held until ``held_until``."""

    id: UUID
    kind: str
    attempt: int
    claimed_at: datetime
    held_until: datetime


@frozen
class KindCount:
    """The jobs of one kind. ``due_since``: when the first of the waiting ones became due, or will be."""

    kind: str
    waiting: int = 0
    running: int = 0
    dead: int = 0
    due_since: datetime | None = None


@frozen
class JobCounts:
    """The jobs by kind. Of one state at most ``counted_to`` are counted: those due first, and the latest dead ones."""

    kinds: tuple[KindCount, ...]
    counted_to: int

    @property
    def waiting(self) -> int:
        return sum(each.waiting for each in self.kinds)

    @property
    def running(self) -> int:
        return sum(each.running for each in self.kinds)

    @property
    def dead(self) -> int:
        return sum(each.dead for each in self.kinds)


@frozen
class QueueStats:
    """The number of jobs that wait (due or not), run and are dead."""

    waiting: int
    running: int
    dead: int


@frozen
class Backlog:
    """``due_since``: when the first job could be claimed; ``held_until``: when the last lease ends or ended. ``None``
    without
    any.
    """

    due_since: datetime | None = None
    held_until: datetime | None = None


@frozen
class SqsOptions:
    """``queue_url`` is the URL of our first queue, for urgent jobs; the others have its name with a suffix. Without it,
    workers
    find jobs in the database. ``events_url`` is a queue that the bucket sends its events to: they complete uploads
    whose client disappeared.
    """

    queue_url: str | None = None
    events_url: str | None = None
    endpoint_url: str | None = None


@frozen
class QueueOptions:
    """How persistently jobs are tried. A lease is renewed every third of its length while the job runs.

    With ``relay_in_worker`` every worker relays events and jobs, too; otherwise only `imagegallery relay` does.
    Attempts that failed because a service was unavailable (`Unavailable`, `ConfigurationError`) do not count among the
    ``max_attempts`` until ``outage_patience`` after the job was made.
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
    """The wait after the ``attempt``-th failure: doubled from the base up to the limit."""
    return Backoff(options.backoff_base, options.backoff_limit).after(attempt)


def retry_at(job: ClaimedJob, now: datetime, options: QueueOptions) -> datetime:
    """When a job that failed ``now`` is due again."""
    return now + _scatter(job, backoff(job.attempt, options))


def postpone_until(job: ClaimedJob, now: datetime, options: QueueOptions) -> datetime | None:
    """When a job is due again that failed ``now`` because a service was unavailable; ``None`` if that has lasted too
    long, and
    the attempt counts.

    The wait grows with the job's age: a quarter of it, within the limits of the backoff.
    """
    age = now - job.created_at
    if age >= options.outage_patience:
        return None
    return now + _scatter(job, min(max(age / 4, options.backoff_base), options.backoff_limit))


def _scatter(job: ClaimedJob, pause: timedelta) -> timedelta:
    """Reduce the pause by up to a quarter, by the job's id, so that jobs that failed together return apart."""
    thousandths = job.id.int % 1000
    return pause * (1 - thousandths / 4000)


def is_exhausted(attempt: int, options: QueueOptions) -> bool:
    """Whether a failure of the ``attempt``-th claim is the last."""
    return attempt >= options.max_attempts


def should_dead_letter(attempt: int, options: QueueOptions) -> bool:
    """Whether all attempts were used before this claim: it must only be given up."""
    return attempt > options.max_attempts


def may_fail_to_give_up(attempt: int, options: QueueOptions) -> bool:
    """Whether a `give_up` that failed in the ``attempt``-th claim may be tried again."""
    return attempt < options.max_attempts + GIVE_UP_ATTEMPTS


def waiting_time(next_due: datetime | None, now: datetime, limit: timedelta) -> timedelta:
    """The time until ``next_due``, at most ``limit``: unless jobs are added, none becomes due before."""
    if next_due is None:
        return limit
    return min(max(next_due - now, SHORTEST_WAIT), limit)
