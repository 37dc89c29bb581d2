"""Objects without rows: walks the store, and asks the database about a few hundred keys at a time.

Bytes are stored before rows, so an object without a row may be about to get one. Only objects older than a grace period
count. Before one is deleted, its image is locked and found to have no job, and the object is examined again. Keys
outside of our prefixes belong to others.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import timedelta
from typing import ClassVar, Final

from attrs import evolve, frozen

from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import ObjectNotFound
from imagegallery.reconciliation.finding import Finding, Kind, PhaseStep, RepairOutcome
from imagegallery.storage.protocol import ObjectInfo, ObjectStore
from imagegallery.storage.streams import batches

BATCH: Final = 500
REPAIRED_AT_ONCE: Final = 50


@frozen
class Strays:
    """The walk. Each feature defines where strays are, which objects are, and when one may be deleted."""

    name: ClassVar[str]
    kind: ClassVar[Kind]
    prefixes: ClassVar[tuple[str, ...]]

    database: Database
    store: ObjectStore
    clock: Clock
    grace: timedelta

    async def total(self) -> int | None:
        """Unknown: a store does not know its number of objects."""
        return None

    async def run(self, *, repair: bool) -> AsyncIterator[PhaseStep]:
        """See `Phase.run`."""
        for prefix in self.prefixes:
            async for batch in batches(self.store.list(prefix), BATCH):
                findings = [self._finding(found) for found in await self._strays(batch)]
                if repair:
                    findings = [
                        repaired
                        for first in range(0, len(findings), REPAIRED_AT_ONCE)
                        for repaired in await self._repair(findings[first : first + REPAIRED_AT_ONCE])
                    ]
                yield PhaseStep(len(batch), tuple(findings))

    async def _strays(self, batch: Sequence[ObjectInfo]) -> list[ObjectInfo]:
        old = {found.key: found for found in batch if self._is_old(found)}
        if not old:
            return []
        async with self.database.connection() as connection:
            keys = await self.without_row(connection, list(old))
        return [old[key] for key in keys]

    async def _repair(self, findings: Sequence[Finding]) -> list[Finding]:
        """Repair in one transaction, which locks the images while objects are deleted."""
        deleted = set()
        async with self.database.transaction() as connection:
            for key in await self.deletable(connection, [finding.subject for finding in findings]):
                if await self._is_still_old(key):
                    await self.store.delete(key)
                    deleted.add(key)
        return [
            evolve(finding, outcome=RepairOutcome.REPAIRED if finding.subject in deleted else RepairOutcome.PASSED)
            for finding in findings
        ]

    async def without_row(self, connection: Connection, keys: Sequence[str]) -> Collection[str]:
        """The ``keys`` that are strays."""
        raise NotImplementedError

    async def deletable(self, connection: Connection, keys: Sequence[str]) -> Collection[str]:
        """Those that may be deleted now, until the transaction ends."""
        return await self.without_row(connection, keys)

    async def _is_still_old(self, key: str) -> bool:
        try:
            return self._is_old(await self.store.head(key))
        except ObjectNotFound:
            return False

    def _is_old(self, found: ObjectInfo) -> bool:
        return found.modified_at < self.clock() - self.grace

    def _finding(self, found: ObjectInfo) -> Finding:
        detail = f"{found.size:,} bytes of {found.modified_at:%Y-%m-%d %H:%M} that no row names"
        return Finding(self.kind, found.key, detail)
