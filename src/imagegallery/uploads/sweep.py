"""Cleanup of unfinished uploads, of the rows of ended ones, and of late arrivals."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.pool import Database
from imagegallery.errors import StillReferenced, Unavailable
from imagegallery.pagination import FIRST_ID, FIRST_MOMENT
from imagegallery.queue.failure import describe
from imagegallery.storage.deletion import delete_all
from imagegallery.storage.keys import INCOMING_PREFIX
from imagegallery.storage.protocol import ClearsDrafts, ObjectStore
from imagegallery.storage.streams import batches
from imagegallery.uploads.session import records
from imagegallery.uploads.session.end import delete_objects, try_to_delete_objects
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession

BATCH = 200
# When the row of a session is tried again that the application refers to.
FORGET_AGAIN = timedelta(hours=1)
_log = logging.getLogger(__name__)

EXPIRED = fault_point("sweep.expired", "uploads are over time and on record as such, what had arrived is still there")
EMPTIED = fault_point("sweep.emptied", "the last objects of old uploads are deleted, their rows are not")


@frozen
class Sweeper:
    """May run in several processes at once, and be interrupted."""

    database: Database
    store: ObjectStore
    policy: UploadPolicy
    clock: Clock

    async def expire(self) -> int:
        """End expired sessions, then delete what had arrived. Returns their number."""
        count = 0
        while batch := await self._expire_batch():
            EXPIRED.reached()
            for session in batch:
                await try_to_delete_objects(self.store, session)
            count += len(batch)
        return count

    async def forget(self) -> int:
        """Delete the rows of sessions past their retention, each after its last objects. Returns their number.

        Sessions whose objects cannot be deleted are left for the next time, and those that other tables refer to for
        an hour. Raises `Unavailable`.
        """
        count, after = 0, (FIRST_MOMENT, FIRST_ID)
        while batch := await self._old_batch(after):
            emptied = [session.id for session in batch if await self._empties(session)]
            EMPTIED.reached()
            count += await self._forget(emptied)
            after = (batch[-1].expires_at, batch[-1].id)
        return count

    async def clear(self) -> int:
        """Delete objects under ``incoming/`` without an open session that are older than any session. Returns their
        number.

        A client with a URL can still write there after its session has ended, or while it ends.
        """
        before, count = self.clock() - self.policy.session_lifetime, 0
        if isinstance(self.store, ClearsDrafts):
            await self.store.clear_drafts(before)
        async for batch in batches(self.store.list(INCOMING_PREFIX), BATCH):
            old = [found.key for found in batch if found.modified_at < before]
            async with self.database.connection() as connection:
                strays = await records.without_open_session(connection, old)
            try:
                await delete_all(self.store, strays)
            except Exception as error:  # if the store is unavailable, the next page of the list raises
                _log_left("some of what lies under incoming/", error)
            else:
                count += len(strays)
        return count

    async def _expire_batch(self) -> list[UploadSession]:
        async with self.database.connection() as connection:
            return await records.expire(connection, now=self.clock(), limit=BATCH)

    async def _old_batch(self, after: tuple[datetime, UUID]) -> list[UploadSession]:
        before = self.clock() - self.policy.session_retention
        async with self.database.connection() as connection:
            return await records.list_old(connection, expired_before=before, after=after, limit=BATCH)

    async def _empties(self, session: UploadSession) -> bool:
        """Delete what is left of it in the store. Returns whether that succeeded. Raises `Unavailable`."""
        try:
            await delete_objects(self.store, session)
        except Unavailable:
            raise  # the store is unavailable for all of them
        except Exception as error:
            _log_left(f"what is left of upload {session.id}", error)
            return False
        return True

    async def _forget(self, session_ids: Sequence[UUID]) -> int:
        """Delete all at once or, if something refers to one of them, one by one. Returns the number."""
        try:
            async with self.database.transaction() as connection:
                await records.delete(connection, session_ids)
        except StillReferenced as error:
            if len(session_ids) > 1:
                return sum([await self._forget([session_id]) for session_id in session_ids])
            _log.warning("upload session %s is not forgotten: %s", session_ids[0], error.full_message)
            async with self.database.connection() as connection:
                later = self.clock() - self.policy.session_retention + FORGET_AGAIN
                await records.keep_until(connection, session_ids[0], later)
            return 0
        return len(session_ids)


def _log_left(what: str, error: Exception) -> None:
    """Objects that cannot be deleted are left for the next time, and block nothing."""
    _log.warning("%s could not be deleted, it is tried again: %s", what, describe(error))
