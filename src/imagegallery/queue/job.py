"""A job and the rules of its life: pure.

A job is *at least once*: a worker that dies in the middle loses its lease, and another one starts over.
Attempts are counted when a job is claimed, not when it fails, so that a job which kills its worker cannot be
retried for ever.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import field, frozen

Payload = Mapping[str, str | int | bool | None]

PRIORITY_NORMAL = 0
PRIORITY_LOW = -10


@frozen
class NewJob:
    """Work to be done: ``kind`` picks the handler, ``payload`` is its small JSON argument.

    Higher ``priority`` first, then earlier ``run_at`` (``None``: now). With ``dedupe_key``, a job that is
    already waiting under the same key makes this one superfluous, and it is not added.
    """

    kind: str
    payload: Payload = field(factory=dict)
    priority: int = PRIORITY_NORMAL
    run_at: datetime | None = None
    dedupe_key: str | None = None


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
class QueueOptions:
    """How hard to try. A lease is renewed every third of its length while the job runs."""

    max_attempts: int = 5
    lease: timedelta = timedelta(seconds=30)
    backoff_base: timedelta = timedelta(seconds=2)
    backoff_limit: timedelta = timedelta(minutes=15)
    poll_interval: timedelta = timedelta(seconds=5)
    concurrency: int = 2
    shutdown_grace: timedelta = timedelta(seconds=20)


def backoff(attempt: int, options: QueueOptions) -> timedelta:
    """How long to wait after the ``attempt``-th failure: doubling from the base, up to the limit."""
    factor: int = 2 ** min(attempt - 1, 32)
    return min(options.backoff_base * factor, options.backoff_limit)


def is_exhausted(attempt: int, options: QueueOptions) -> bool:
    """Whether a failure of the ``attempt``-th claim is the last one."""
    return attempt >= options.max_attempts
