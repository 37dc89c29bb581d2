"""What can be wrong between database and store, and the passes that look for it. Pure. Each feature has its own."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol

from attrs import frozen


@frozen
class Kind:
    """One kind of inconsistency, and what repairing it does, in one clause for people."""

    name: str
    remedy: str


class RepairOutcome(StrEnum):
    """What became of a finding. ``PASSED``: looked at once more just before the repair, there was nothing wrong with
    it any more, or somebody was at work on it."""

    FOUND = "found"
    REPAIRED = "repaired"
    PASSED = "passed"
    BEYOND_REPAIR = "beyond_repair"


@frozen
class Finding:
    """Something wrong with ``subject``: a key, a gallery's id or an owner's. ``detail`` is one clause for people."""

    kind: Kind
    subject: str
    detail: str
    outcome: RepairOutcome = RepairOutcome.FOUND

    @property
    def remains(self) -> bool:
        """Whether it is still wrong."""
        return self.outcome in (RepairOutcome.FOUND, RepairOutcome.BEYOND_REPAIR)

    def to_json(self) -> dict[str, str]:
        """A JSON object of all of it."""
        return {
            "kind": self.kind.name,
            "subject": self.subject,
            "detail": self.detail,
            "remedy": self.kind.remedy,
            "outcome": self.outcome.value,
        }

    def __str__(self) -> str:
        kind, outcome = self.kind.name.replace("_", " "), self.outcome.replace("_", " ")
        action = f"to repair: {self.kind.remedy}" if self.outcome is RepairOutcome.FOUND else outcome
        return f"{kind} {self.subject}: {self.detail} ({action})"


@frozen
class PhaseStep:
    """A part of a pass: how many things were looked at, and what was wrong with them."""

    examined: int
    findings: tuple[Finding, ...] = ()


class Phase(Protocol):
    """A pass that can be made again at any time, and stopped anywhere."""

    @property
    def name(self) -> str:
        """What it looks at, for people."""

    async def total(self) -> int | None:
        """About how many things there are to look at; ``None`` if that is not known beforehand."""

    def run(self, *, repair: bool) -> AsyncIterator[PhaseStep]:
        """Look, and with ``repair`` also see to what is wrong. Raises `Unavailable`."""
