"""Uploads that nobody finished, the rows of those that are over, and what arrives when they are."""

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.faultpoints import fault_point
from imagegallery.storage.deleting import delete_all
from imagegallery.storage.keys import INCOMING_PREFIX
from imagegallery.storage.protocol import ClearsDrafts, ObjectStore
from imagegallery.storage.streams import batches
from imagegallery.uploads import records
from imagegallery.uploads.cleanup import delete_objects, try_to_delete_objects
from imagegallery.uploads.policy import UploadPolicy
from imagegallery.uploads.session import UploadSession

BATCH = 200

EXPIRED = fault_point("sweep.expired", "uploads are over time and on record as such, what had arrived is still there")
EMPTIED = fault_point("sweep.emptied", "the last objects of old uploads are deleted, their rows are not")


@frozen
class Sweeping:
    """Safe to run in several processes at once, and to interrupt anywhere."""

    database: Database
    store: ObjectStore
    policy: UploadPolicy
    clock: Clock

    async def expire(self) -> int:
        """End the sessions that are over time, then delete what had arrived; answers how many they were."""
        count = 0
        while batch := await self._expire_batch():
            EXPIRED.reached()
            for session in batch:
                await try_to_delete_objects(self.store, session)
            count += len(batch)
        return count

    async def forget(self) -> int:
        """Remove the rows of sessions that are past their retention, each after its last objects."""
        count = 0
        while batch := await self._old_batch():
            for session in batch:
                await delete_objects(self.store, session)
            EMPTIED.reached()
            async with self.database.connection() as connection:
                await records.delete(connection, [session.id for session in batch])
            count += len(batch)
        return count

    async def clear(self) -> int:
        """Delete what lies under ``incoming/`` for no open session and is older than any session gets; answers how
        many objects.

        A client that still holds its URL can write there again after its session has ended, or as it ends.
        """
        before, count = self.clock() - self.policy.session_lifetime, 0
        if isinstance(self.store, ClearsDrafts):
            await self.store.clear_drafts(before)
        async for batch in batches(self.store.list(INCOMING_PREFIX), BATCH):
            old = [found.key for found in batch if found.modified_at < before]
            async with self.database.connection() as connection:
                strays = await records.without_open_session(connection, old)
            await delete_all(self.store, strays)
            count += len(strays)
        return count

    async def _expire_batch(self) -> list[UploadSession]:
        async with self.database.connection() as connection:
            return await records.expire(connection, now=self.clock(), limit=BATCH)

    async def _old_batch(self) -> list[UploadSession]:
        before = self.clock() - self.policy.session_retention
        async with self.database.connection() as connection:
            return await records.list_old(connection, expired_before=before, limit=BATCH)
