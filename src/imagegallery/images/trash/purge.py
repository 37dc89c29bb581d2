"""The job after a deletion: the rows are gone, now the objects."""

import logging
from collections.abc import Collection, Sequence

from imagegallery.common.fault_points import fault_point
from imagegallery.database.pool import Database
from imagegallery.feature import Unclaimed
from imagegallery.images.image import original_records
from imagegallery.images.jobs import Purge, read_purge
from imagegallery.queue.job import ClaimedJob
from imagegallery.storage.deletion import delete_all
from imagegallery.storage.protocol import ObjectStore
from imagegallery.storage.streams import batches

_log = logging.getLogger(__name__)
_BATCH = 500
_ORIGINALS: Sequence[Unclaimed] = (original_records.unnamed,)

DELETED = fault_point("purge.deleted", "the objects that the rows named are deleted, the job is not done")


class PurgeObjects:
    """Deletes a deleted image's objects. A `JobHandler`; may be repeated.

    What a feature claims stays, even in the folder of the deleted one: an original that other images share, or that an
    export needs. This is checked before each deletion, and cannot change afterwards: see
    `imagegallery.images.image.original_records`.
    """

    def __init__(self, database: Database, store: ObjectStore, unclaimed: Sequence[Unclaimed] = _ORIGINALS) -> None:
        self._database = database
        self._store = store
        self._unclaimed = unclaimed

    async def run(self, job: ClaimedJob) -> None:
        """Delete the recorded objects, then what a worker stored meanwhile without recording it."""
        purge = read_purge(job.payload)
        await self._delete(_recorded(purge))
        DELETED.reached()
        async for batch in batches(self._store.list(purge.prefix), _BATCH):
            await self._delete([found.key for found in batch])

    async def _delete(self, keys: Collection[str]) -> None:
        found: Collection[str] = keys
        async with self._database.connection() as connection:
            for among in self._unclaimed:
                found = await among(connection, [*found])
        await delete_all(self._store, [key for key in keys if key in set(found)])

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """Log it: the objects are invisible, and only take space."""
        _log.error("objects of image %s were left in the store: %s", job.payload.get("image_id"), error)


def _recorded(purge: Purge) -> Collection[str]:
    return purge.keys if purge.original is None else (purge.original, *purge.keys)
