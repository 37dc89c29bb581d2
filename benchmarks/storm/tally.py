"""What happened while the storm went on, and which of it the kills explain."""

import time
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from attrs import define, field, frozen

# A client notices a little later than the process dies.
_LATENCY = 1.0  # seconds


@frozen
class Outage:
    """A process that was killed, from then until its successor answered; monotonic seconds."""

    name: str
    killed_at: float
    back_at: float


@frozen
class BrokenRequest:
    """A request that got no answer: ``target`` is the API it was sent to, or ``objects``."""

    target: str
    what: str
    began_at: float
    ended_at: float
    error: str

    def is_explained_by(self, outage: Outage) -> bool:
        """In flight when that API was killed, or refused while it was away."""
        if self.target != outage.name:
            return False
        return self.began_at <= outage.back_at and self.ended_at >= outage.killed_at - _LATENCY

    def was_in_flight_at(self, outage: Outage) -> bool:
        return self.target == outage.name and self.began_at <= outage.killed_at <= self.ended_at + _LATENCY


@frozen
class Acknowledged:
    """An upload whose client was told that it is in."""

    image_id: UUID
    gallery_id: UUID
    sha256: str
    size: int
    upload_id: UUID | None
    transport: str
    seconds: float


@define
class Tally:
    """``failed`` uploads and ``wrong`` answers must stay empty."""

    started: float = field(factory=time.monotonic)
    acknowledged: list[Acknowledged] = field(factory=list)
    failed: list[str] = field(factory=list)
    wrong: list[str] = field(factory=list)
    broken: list[BrokenRequest] = field(factory=list)
    outages: list[Outage] = field(factory=list)
    answers: Counter[str] = field(factory=Counter)
    reads: Counter[str] = field(factory=Counter)

    def refused(self, what: str, why: object) -> None:
        """An answer that no kill excuses."""
        self.wrong.append(f"{time.monotonic() - self.started:5.1f} s  {what}: {why}")

    def unexplained(self) -> Iterator[BrokenRequest]:
        for request in self.broken:
            if not any(request.is_explained_by(outage) for outage in self.outages):
                yield request

    def in_flight(self) -> int:
        """How many requests a kill broke off; the other broken ones were refused while the API was away."""
        return sum(any(request.was_in_flight_at(outage) for outage in self.outages) for request in self.broken)
