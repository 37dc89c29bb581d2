"""Numbers that are stored beside what they count: checks all of them, a page at a time."""

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
    """A recorded number, and the correct one."""

    id: str
    recorded: int
    actual: int


@frozen
class Sums:
    """The walk. Each feature defines its sums, and how to recount them. ``detail`` describes a `Sum`."""

    name: ClassVar[str]
    kind: ClassVar[Kind]
    detail: ClassVar[str]

    database: Database

    async def total(self) -> int | None:
        """Unknown, since counting would take as long as examining."""
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
        """The next ones by id."""
        raise NotImplementedError

    async def recount(self, connection: Connection, subject: str) -> None:
        """Recount. Raises `NotFound` if the subject is gone."""
        raise NotImplementedError
