"""From the last byte of a resumable upload to its image, by the next request or the sweeper if it was interrupted.

Three steps, each of which detects that the one before is done: the row says that all has arrived, the growing object
becomes one under ``incoming/``, and the session is completed as any other. After a crash, the client's next request or
the sweeper continues.
"""

import logging
from contextlib import suppress
from datetime import timedelta

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.pool import Database
from imagegallery.errors import EmptyFile, ImageGalleryError, ObjectNotFound, SizeMismatch
from imagegallery.queue.failure import describe
from imagegallery.storage.protocol import AppendsObjects
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.completion.verification import check_size
from imagegallery.uploads.session import records
from imagegallery.uploads.session.session import Concatenation, UploadEvent, UploadSession, UploadState

# How long a completion may take before the sweeper considers it abandoned. If it is not, no harm is done.
ABANDONED_AFTER = timedelta(minutes=2)
BATCH = 20
_log = logging.getLogger(__name__)

ARRIVED = fault_point("resumable.arrived", "all bytes are there and the row says so; they are no object yet")
FINISHED = fault_point("resumable.finished", "the bytes are an object under incoming/, and nothing more")


@frozen
class Finisher:
    """Completes resumable uploads that have all their bytes. May be repeated and interrupted."""

    database: Database
    store: AppendsObjects
    completion: Completion
    clock: Clock

    async def finish(self, session: UploadSession) -> UploadSession:
        """Return the session with its image. A partial upload only waits to be concatenated.

        Raises what `Completion.complete` raises; a rejected session is ended and deleted.
        """
        await self._check_size(session)
        arrived = session if session.state is UploadState.UPLOADED else await self._arrive(session)
        if arrived.concatenation is Concatenation.PARTIAL:
            return arrived
        ARRIVED.reached()
        with suppress(ObjectNotFound):  # an earlier attempt got further
            await self.store.finish_append(arrived.incoming_key, arrived.multipart_id or "")
        FINISHED.reached()
        return await self.completion.complete(arrived)

    async def finish_interrupted(self) -> int:
        """Complete uploads that have waited long. Returns the number of those that ended. For the sweeper."""
        async with self.database.connection() as connection:
            waiting = await records.list_interrupted(connection, before=self.clock() - ABANDONED_AFTER, limit=BATCH)
        count = 0
        for session in waiting:
            try:
                await self.finish(session)
            except ImageGalleryError:
                continue  # rejected: that is an end, too; unreachable: next time
            except Exception as error:
                _log.warning("upload %s could not be completed, it is tried again: %s", session.id, describe(error))
                continue
            count += 1
        return count

    async def _check_size(self, session: UploadSession) -> None:
        try:
            check_size(session, session.received)
        except (EmptyFile, SizeMismatch) as error:
            await self.completion.reject(session.id, error)
            raise

    async def _arrive(self, session: UploadSession) -> UploadSession:
        received = session.received
        async with self.database.connection() as connection:
            return await records.advance(
                connection, session.id, UploadEvent.ARRIVE, received=received, size=received, now=self.clock()
            )
