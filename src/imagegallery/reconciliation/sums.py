"""Numbers that are kept beside what they count: goes through all of them, a page at a time."""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar, Final

from attrs import evolve, frozen

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.reconciliation.finding import Finding, Kind, PhaseStep, RepairOutcome

BATCH: Final = 100


@frozen
class Sum:
    """A number that is recorded, and what it ought to be."""

    id: str
    recorded: int
    actual: int


@frozen
class Sums:
    """The walk; what is counted, and how it is counted again, is each feature's own. ``detail`` is of a `Sum`."""

    name: ClassVar[str]
    kind: ClassVar[Kind]
    detail: ClassVar[str]

    database: Database

    async def total(self) -> int | None:
        """Not known, where counting them would be as much work as looking at them."""
        return None

    async def run(self, *, repair: bool) -> AsyncIterator[PhaseStep]:
        """See `Phase.run`."""
        after = None
        while page := await self._page(after):
            wrong = [each for each in page if each.recorded != each.actual]
            findings = [Finding(self.kind, each.id, self.detail.format(each.recorded, each.actual)) for each in wrong]
            if repair:
                findings = [await self._repair(finding) for finding in findings]
            yield PhaseStep(len(page), tuple(findings))
            after = page[-1].id

    async def _page(self, after: str | None) -> Sequence[Sum]:
        async with self.database.connection() as connection:
            return await self.page(connection, after, BATCH)

    async def _repair(self, finding: Finding) -> Finding:
        try:
            async with self.database.transaction() as connection:
                await self.recount(connection, finding.subject)
        except NotFound:
            return evolve(finding, outcome=RepairOutcome.PASSED)
        return evolve(finding, outcome=RepairOutcome.REPAIRED)

    async def page(self, connection: Connection, after: str | None, limit: int) -> Sequence[Sum]:
        """The next ones by id, after that one."""
        raise NotImplementedError

    async def recount(self, connection: Connection, subject: str) -> None:
        """Raises `NotFound` for what is gone."""
        raise NotImplementedError
