"""Inconsistencies between database and store, and the passes that find them. Pure. Each feature has its own."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol

from attrs import frozen


@frozen
class Kind:
    """A kind of inconsistency and its repair, in one clause for people."""

    name: str
    remedy: str


class RepairOutcome(StrEnum):
    """The result of a finding. ``PASSED``: right before the repair, nothing was wrong any more, or somebody was at
    work on it."""

    FOUND = "found"
    REPAIRED = "repaired"
    PASSED = "passed"
    BEYOND_REPAIR = "beyond_repair"


@frozen
class Finding:
    """An inconsistency of ``subject``: a key, or the id of a gallery or an owner. ``detail`` is one clause for
    people."""

    kind: Kind
    subject: str
    detail: str
    outcome: RepairOutcome = RepairOutcome.FOUND

    @property
    def remains(self) -> bool:
        """Whether it is still wrong."""
        return self.outcome in (RepairOutcome.FOUND, RepairOutcome.BEYOND_REPAIR)

    def to_json(self) -> dict[str, str]:
        """All of it as a JSON object."""
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
    """A part of a pass: the number of things examined, and the findings."""

    examined: int
    findings: tuple[Finding, ...] = ()


class Phase(Protocol):
    """A pass that can be repeated and interrupted at any time."""

    @property
    def name(self) -> str:
        """What is examined, for people."""

    async def total(self) -> int | None:
        """The approximate number of things to examine, or ``None`` if unknown."""

    def run(self, *, repair: bool) -> AsyncIterator[PhaseStep]:
        """Examine, and with ``repair`` also repair. Raises `Unavailable`."""
