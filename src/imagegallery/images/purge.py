"""The job after a deletion: the rows are gone, now the objects."""

import logging

from imagegallery.images.jobs import read_purge
from imagegallery.queue.job import ClaimedJob
from imagegallery.storage.protocol import ObjectStore

_log = logging.getLogger(__name__)


class PurgeObjects:
    """Deletes a deleted image's objects. A `JobHandler`; repeating it is harmless."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def run(self, job: ClaimedJob) -> None:
        """Delete what was recorded, then what a worker stored meanwhile and could not record any more."""
        purge = read_purge(job.payload)
        for key in purge.keys:
            await self._store.delete(key)
        stray = [found.key async for found in self._store.list(purge.prefix)]
        for key in stray:
            await self._store.delete(key)

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """Nobody sees these objects any more; they only take room."""
        _log.error("objects of image %s were left in the store: %s", job.payload.get("image_id"), error)
