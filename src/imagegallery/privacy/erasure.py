"""An erasure of all that an owner has, which ends as a receipt. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from imagegallery.queue.job import NewJob, Payload

ERASE: Final = "owner.erase"
SHORTEST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=15)
_SEPARATOR: Final = "\n"  # no address holds one


class ErasureState(StrEnum):
    """``requested``: all is closed, and can be taken back; ``erasing``; ``telling`` webhooks, when nothing else is
    left; ``erased``: only the receipt is left."""

    REQUESTED = "requested"
    ERASING = "erasing"
    TELLING = "telling"
    ERASED = "erased"


@frozen
class Erasure:
    """``counts`` are how many rows there were of what; ``owner_id`` is ``None`` in a receipt.

    It begins at ``erase_at``. At ``erased_at`` nothing was left but webhooks and their events, at ``finished_at``
    nothing.
    """

    id: UUID
    owner_id: str | None
    state: ErasureState
    counts: Mapping[str, int]
    requested_at: datetime
    erase_at: datetime
    erased_at: datetime | None = None
    finished_at: datetime | None = None


def erase_job(erasure: Erasure, emails: Collection[str], run_at: datetime) -> NewJob:
    """``emails`` are verified addresses of the owner's, by which others may have named them."""
    payload: Payload = {"erasure_id": str(erasure.id), "emails": _SEPARATOR.join(sorted(emails))}
    return NewJob(ERASE, payload, run_at=run_at, dedupe_key=str(erasure.id), owner_id=erasure.owner_id or "")


def emails_of(payload: Payload) -> list[str]:
    return str(payload.get("emails") or "").split(_SEPARATOR)


def later(payload: Payload, erasure: Erasure, run_at: datetime) -> NewJob:
    """The same job again."""
    return evolve(erase_job(erasure, (), run_at), payload=payload)


def pause_after(since: datetime, now: datetime) -> timedelta:
    """How long to wait for others, the longer the longer it has lasted."""
    return min(max((now - since) / 4, SHORTEST_PAUSE), LONGEST_PAUSE)
