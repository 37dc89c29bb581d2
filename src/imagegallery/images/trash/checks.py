"""What `reconcile` checks in the trash: images that the application does not let go."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, NotFound
from imagegallery.images.trash import records
from imagegallery.images.trash.records import RefusedPurge
from imagegallery.images.trash.service import TrashService
from imagegallery.pagination import FIRST_ID
from imagegallery.principal import Principal
from imagegallery.reconciliation.finding import Finding, Kind, PhaseStep, RepairOutcome

BATCH: Final = 100
REFUSED_PURGE: Final = Kind("refused_purge", "purge it, once no record of the application refers to it")


@frozen
class RefusedPurges:
    """Images whose purge a foreign key or a trigger of the application refused."""

    database: Database
    trash: TrashService
    name = "refused purges"

    async def total(self) -> int | None:
        async with self.database.connection() as connection:
            return await records.count_refused(connection)

    async def run(self, *, repair: bool) -> AsyncIterator[PhaseStep]:
        """See `Phase.run`. The repair is one more attempt."""
        after = FIRST_ID
        while batch := await self._page(after):
            yield PhaseStep(len(batch), tuple([await self._find(each, repair=repair) for each in batch]))
            after = batch[-1].image_id

    async def _page(self, after: UUID) -> list[RefusedPurge]:
        async with self.database.connection() as connection:
            return await records.list_refused(connection, after, BATCH)

    async def _find(self, refused: RefusedPurge, *, repair: bool) -> Finding:
        detail = f"not purged since {refused.since:%Y-%m-%d %H:%M}: refused by {refused.by}"
        finding = Finding(REFUSED_PURGE, str(refused.image_id), detail)
        if not repair:
            return finding
        try:
            await self.trash.purge(Principal.user(refused.owner_id), refused.image_id)
        except Conflict:
            return evolve(finding, outcome=RepairOutcome.BEYOND_REPAIR)
        except NotFound:
            return evolve(finding, outcome=RepairOutcome.PASSED)
        return evolve(finding, outcome=RepairOutcome.REPAIRED)
