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

# The tolerated difference between a store's clock and ours; it cannot harm a picture that is made again.
CLOCKS_MAY_DIFFER: Final = timedelta(minutes=1)

_log = logging.getLogger(__name__)

DELETED = fault_point("discard.deleted", "one object more is deleted, the job is not done")


class DiscardObjects:
    """Deletes objects without rows. A `JobHandler`; may be repeated."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def run(self, job: ClaimedJob) -> None:
        """Delete the objects. Raises `Conflict`, to be retried, while the image is being processed.

        Its worker may have stored under one of these keys without recording it yet. The image is locked, so that no
        worker can begin.
        """
        image_id = image_of(job.payload)
        async with self._database.transaction() as connection:
            await records.lock(connection, image_id)
            if await records.is_in_process(connection, image_id):
                raise Conflict("The image is being processed.")
            for key in await records.without_row(connection, keys_of(job.payload)):
                await self._delete(key, stored_until(job.payload) + CLOCKS_MAY_DIFFER)

    async def _delete(self, key: str, latest: datetime) -> None:
        """Delete the object, unless a later attempt has stored it again."""
        with suppress(ObjectNotFound):
            if (await self._store.head(key)).modified_at <= latest:
                await self._store.delete(key)
                DELETED.reached()

    async def give_up(self, job: ClaimedJob, error: str) -> None:
        """Log it: the objects are invisible, and only take space."""
        _log.error("objects of image %s were left in the store: %s", job.payload.get("image_id"), error)
