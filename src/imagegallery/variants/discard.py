"""The job that deletes objects which making variants left behind."""

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from imagegallery.common.fault_points import fault_point
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, ObjectNotFound
from imagegallery.queue.job import ClaimedJob
from imagegallery.storage.protocol import ObjectStore
from imagegallery.variants import records
from imagegallery.variants.jobs import image_of, keys_of, stored_until

# Between a store's clock and ours, without harm to a picture that is made again.
CLOCKS_MAY_DIFFER: Final = timedelta(minutes=1)

_log = logging.getLogger(__name__)

DELETED = fault_point("discard.deleted", "one object more is deleted, the job is not done")


class DiscardObjects:
    """Deletes objects that no row names. A `JobHandler`; repeating it is harmless."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def run(self, job: ClaimedJob) -> None:
        """Raises `Conflict`, to be tried again, while the image is being processed.

        The worker at it may have stored under one of these keys, and not recorded that yet. The image is held
        meanwhile, so that none can begin.
        """
        image_id = image_of(job.payload)
        async with self._database.transaction() as connection:
            await records.lock(connection, image_id)
            if await records.is_in_process(connection, image_id):
                raise Conflict("The image is being processed.")
            for key in await records.without_row(connection, keys_of(job.payload)):
                await self._delete(key, stored_until(job.payload) + CLOCKS_MAY_DIFFER)

    async def _delete(self, key: str, latest: datetime) -> None:
        """Delete the object, unless an attempt that has not recorded it yet has stored it anew."""
        with suppress(ObjectNotFound):
            if (await self._store.head(key)).modified_at <= latest:
                await self._store.delete(key)
                DELETED.reached()

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """Nobody sees these objects; they only take room."""
        _log.error("objects of image %s were left in the store: %s", job.payload.get("image_id"), error)
