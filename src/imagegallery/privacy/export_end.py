"""The end of an export: its objects, the rows of its files, and originals that it was the last to need."""

from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.images.image import original_records
from imagegallery.images.jobs import purge_leftovers
from imagegallery.privacy import export_records as records
from imagegallery.privacy.export import Export, ExportState
from imagegallery.queue.protocol import JobOutbox
from imagegallery.storage.deletion import delete_all
from imagegallery.storage.keys import export_prefix, id_hint
from imagegallery.storage.protocol import ObjectStore
from imagegallery.storage.streams import batches

BATCH: Final = 500

EMPTIED = fault_point("export.emptied", "an export's objects are deleted, the rows of its files are not")


@frozen
class ExportEnder:
    """May be interrupted and repeated."""

    database: Database
    store: ObjectStore
    outbox: JobOutbox
    clock: Clock

    async def end(self, export: Export, state: ExportState = ExportState.ENDED) -> None:
        """End the export. From the first moment on its archive cannot be fetched."""
        async with self.database.transaction() as connection:
            await records.end(connection, export.id, state)
        await self.clear(export)

    async def erase(self, connection: Connection, owner_id: str) -> int:
        """End the owner's exports, and forget them. Returns their number."""
        exports = await records.list_owned(connection, owner_id)
        for export in exports:
            await self.end(export)
            await records.delete(connection, export.id)
        return len(exports)

    async def clear(self, export: Export) -> None:
        """Delete what an ended export has left."""
        await self.delete_objects(export.id)
        EMPTIED.reached()
        async with self.database.transaction() as connection:
            await self._release_originals(connection, export)
            await records.delete_files(connection, export.id)

    async def delete_objects(self, export_id: UUID) -> None:
        """Delete what was made for an export that has ended."""
        async for batch in batches(self.store.list(export_prefix(export_id)), BATCH):
            await delete_all(self.store, [found.key for found in batch])

    async def _release_originals(self, connection: Connection, export: Export) -> None:
        """Add jobs for originals that no image has any more: they were kept for the export."""
        number = 0
        while page := await records.originals_after(connection, export.id, number, BATCH):
            number = page[-1][0]
            for key in sorted(await original_records.unnamed(connection, {key for _, key in page})):
                folder = f"{key.rpartition('/')[0]}/"
                about = {"image_id": str(id_hint(key)), "key_prefix": folder}
                job = evolve(purge_leftovers(about), owner_id=export.owner_id)
                await self.outbox.enqueue(connection, job, now=self.clock())
