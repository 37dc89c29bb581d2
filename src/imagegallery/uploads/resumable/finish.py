"""From the last byte of a resumable upload to its image, by whoever comes by first when that was cut short.

Three steps, each of which finds the one before it done: the row says that all has arrived, what grew is an object
under ``incoming/``, the session is completed as any other. A crash between two of them is made good by the client's
next request, or by the sweeper.
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

# How long a completion may take before the sweeper thinks that nobody is at it; it does no harm if somebody is.
ABANDONED_AFTER = timedelta(minutes=2)
BATCH = 20
_log = logging.getLogger(__name__)

ARRIVED = fault_point("resumable.arrived", "all bytes are there and the row says so; they are no object yet")
FINISHED = fault_point("resumable.finished", "the bytes are an object under incoming/, and nothing more")


@frozen
class Finisher:
    """Completes resumable uploads that have all their bytes. May be repeated, and interrupted anywhere."""

    database: Database
    store: AppendsObjects
    completion: Completion
    clock: Clock

    async def finish(self, session: UploadSession) -> UploadSession:
        """The session as it is when it has become an image; a partial upload only waits to be concatenated.

        Raises what `Completion.complete` raises; a rejected session is ended, and nothing of it is left.
        """
        await self._check_size(session)
        arrived = session if session.state is UploadState.UPLOADED else await self._arrive(session)
        if arrived.concatenation is Concatenation.PARTIAL:
            return arrived
        ARRIVED.reached()
        with suppress(ObjectNotFound):  # then an earlier attempt came further
            await self.store.finish_append(arrived.incoming_key, arrived.multipart_id or "")
        FINISHED.reached()
        return await self.completion.complete(arrived)

    async def finish_interrupted(self) -> int:
        """Complete what waits since long; answers how many came to an end. For the sweeper."""
        async with self.database.connection() as connection:
            waiting = await records.list_interrupted(connection, before=self.clock() - ABANDONED_AFTER, limit=BATCH)
        count = 0
        for session in waiting:
            try:
                await self.finish(session)
            except ImageGalleryError:
                continue  # rejected: that is an end, too; out of reach: next time
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
