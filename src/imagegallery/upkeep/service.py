"""Looking after a gallery that has been running for a while."""

from datetime import timedelta
from typing import Final

from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.queue.outbox import JobOutbox
from imagegallery.storage.protocol import ObjectStore
from imagegallery.upkeep.missing import MissingObjects
from imagegallery.upkeep.phase import Phase
from imagegallery.upkeep.strays import StrayObjects, StrayUploads, check_same_gallery
from imagegallery.upkeep.sums import ImageCounts, StorageSums
from imagegallery.variants.backfill import Backfill
from imagegallery.variants.preset import Preset

# Longer than an upload, or a worker's attempt at an image, lasts.
GRACE: Final = timedelta(hours=24)


class UpkeepService:
    """For whoever runs the gallery, not for its users: nothing here asks for a principal."""

    def __init__(
        self, database: Database, store: ObjectStore, outbox: JobOutbox, presets: tuple[Preset, ...], clock: Clock
    ) -> None:
        self.backfill = Backfill(database, outbox, presets, clock)
        self._database = database
        self._store = store
        self._outbox = outbox
        self._clock = clock

    async def check_same_gallery(self) -> None:
        """To be asked before repairing: raises `ConfigurationError` when the database has no images at all, but the
        store has objects of images, which repairing would delete."""
        await check_same_gallery(self._database, self._store)

    def reconciliation(self, *, grace: timedelta = GRACE) -> tuple[Phase, ...]:
        """The passes that find, and on demand repair, what does not fit together, in the order to make them in.

        Objects younger than ``grace`` are not judged: their rows may be still to come.
        """
        return (
            StrayUploads(self._database, self._store, self._clock, grace),
            StrayObjects(self._database, self._store, self._clock, grace),
            MissingObjects(self._database, self._store, self._outbox, self._clock),
            ImageCounts(self._database),
            StorageSums(self._database),
        )
