"""Numbers that are kept beside what they count: galleries' ``image_count`` and owners' ``storage_used``."""

from collections.abc import AsyncIterator
from uuid import UUID

from attrs import evolve, frozen

from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.images.image import membership
from imagegallery.images.image import records as image_records
from imagegallery.pagination import FIRST_ID
from imagegallery.upkeep import records
from imagegallery.upkeep.finding import Finding, Kind, RepairOutcome
from imagegallery.upkeep.phase import PhaseStep
from imagegallery.upkeep.records import Sum

BATCH = 100


@frozen
class ImageCounts:
    """How many images galleries say they hold."""

    database: Database

    name = "galleries"

    async def total(self) -> int | None:
        async with self.database.connection() as connection:
            return await records.count_galleries(connection)

    async def run(self, *, repair: bool) -> AsyncIterator[PhaseStep]:
        """See `Phase.run`."""
        after = FIRST_ID
        while page := await self._page(after):
            findings = [_wrong_count(each) for each in page if each.recorded != each.actual]
            if repair:
                findings = [await self._repair(finding) for finding in findings]
            yield PhaseStep(len(page), tuple(findings))
            after = UUID(page[-1].id)

    async def _page(self, after: UUID) -> list[Sum]:
        async with self.database.connection() as connection:
            return await records.counts(connection, after, BATCH)

    async def _repair(self, finding: Finding) -> Finding:
        try:
            async with self.database.transaction() as connection:
                await membership.recount(connection, UUID(finding.subject))
        except NotFound:
            return evolve(finding, outcome=RepairOutcome.PASSED)
        return evolve(finding, outcome=RepairOutcome.REPAIRED)


@frozen
class StorageSums:
    """How many bytes owners are said to store."""

    database: Database

    name = "owners"

    async def total(self) -> int | None:
        """Counting them would be as much work as looking at them."""
        return None

    async def run(self, *, repair: bool) -> AsyncIterator[PhaseStep]:
        """See `Phase.run`."""
        after = ""
        while page := await self._page(after):
            findings = [_wrong_sum(each) for each in page if each.recorded != each.actual]
            if repair:
                findings = [await self._repair(finding) for finding in findings]
            yield PhaseStep(len(page), tuple(findings))
            after = page[-1].id

    async def _page(self, after: str) -> list[Sum]:
        async with self.database.connection() as connection:
            return await records.sums(connection, after, BATCH)

    async def _repair(self, finding: Finding) -> Finding:
        async with self.database.transaction() as connection:
            await image_records.recount_storage(connection, finding.subject)
        return evolve(finding, outcome=RepairOutcome.REPAIRED)


def _wrong_count(found: Sum) -> Finding:
    detail = f"image_count is {found.recorded:,}, images in it are {found.actual:,}"
    return Finding(Kind.WRONG_IMAGE_COUNT, found.id, detail)


def _wrong_sum(found: Sum) -> Finding:
    detail = f"storage_used is {found.recorded:,} bytes, originals have {found.actual:,}"
    return Finding(Kind.WRONG_STORAGE_USED, found.id, detail)
