"""From the last byte of a resumable upload to its image, by whoever comes by first when that was cut short.

Three steps, each of which finds the one before it done: the row says that all has arrived, what grew is an object
under ``incoming/``, the session is completed as any other. A crash between two of them is made good by the client's
next request, or by the sweeper.
"""

import logging
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import attrs
from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.pool import Database
from imagegallery.errors import EmptyFile, ImageGalleryError, ObjectNotFound, SizeMismatch
from imagegallery.queue.failure import describe
from imagegallery.storage.protocol import AppendsObjects
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.completion.verification import check_size
from imagegallery.uploads.resumable import records as resumable_records
from imagegallery.uploads.session import records
from imagegallery.uploads.session.session import Concatenation, UploadEvent, UploadSession, advance

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
        arrived = await self._arrive(session)
        if arrived.concatenation is Concatenation.PARTIAL:
            return arrived
        ARRIVED.reached()
        with suppress(ObjectNotFound):  # then an earlier attempt came further
            await self.store.finish_append(arrived.incoming_key, arrived.multipart_id or "")
        FINISHED.reached()
        await self.completion.complete(arrived.id)
        return await self._reloaded(arrived.id)

    async def finish_interrupted(self) -> int:
        """Complete what waits since long; answers how many came to an end. For the sweeper."""
        async with self.database.connection() as connection:
            ids = await resumable_records.list_interrupted(
                connection, before=self.clock() - ABANDONED_AFTER, limit=BATCH
            )
        count = 0
        for session_id in ids:
            try:
                await self.finish(await self._reloaded(session_id))
            except ImageGalleryError:
                continue  # rejected: that is an end, too; out of reach: next time
            except Exception as error:
                _log.warning("upload %s could not be completed, it is tried again: %s", session_id, describe(error))
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
        now = self.clock()
        async with self.database.transaction() as connection:
            current = (await records.lock(connection, session.id)).at(now)
            state = advance(current.state, UploadEvent.ARRIVE)
            if state is not current.state:
                await resumable_records.progress(
                    connection,
                    session.id,
                    state,
                    session.received,
                    size=session.received,
                    now=now,
                    sha256=session.received_sha256,
                )
        return attrs.evolve(current, state=state, received=session.received, size=session.received)

    async def _reloaded(self, session_id: UUID) -> UploadSession:
        async with self.database.transaction() as connection:
            return await records.lock(connection, session_id)
