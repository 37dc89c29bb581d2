"""One pass over one side of the gallery."""

from collections.abc import AsyncIterator
from typing import Protocol

from attrs import frozen

from imagegallery.upkeep.finding import Finding


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
