"""End uploads without an image, and delete those that their clients no longer want. Does not check access."""

from contextlib import suppress
from uuid import UUID

import anyio
import attrs
from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import ImageGalleryError
from imagegallery.storage.protocol import ObjectStore
from imagegallery.uploads.session import records
from imagegallery.uploads.session.cleanup import delete_objects, try_to_delete_objects
from imagegallery.uploads.session.session import UploadEvent, UploadSession, advance

_PATIENCE = 10.0  # seconds


@frozen
class SessionEnder:
    database: Database
    store: ObjectStore
    clock: Clock

    async def end(self, session_id: UUID) -> UploadSession:
        """End an upload, unless it has ended, and delete what has arrived. Returns the ended session."""
        async with self.database.transaction() as connection:
            session = await records.lock(connection, session_id)
            if not session.state.is_ended:
                state = advance(session.state, UploadEvent.CANCEL)
                await records.update(connection, session_id, state, now=self.clock())
                session = attrs.evolve(session, state=state)
        await try_to_delete_objects(self.store, session)
        return session

    async def give_up(self, session_id: UUID) -> None:
        """`end` an upload now if possible; otherwise the sweeper does it later."""
        with anyio.move_on_after(_PATIENCE, shield=True), suppress(ImageGalleryError):
            await self.end(session_id)

    async def forget(self, session: UploadSession) -> None:
        """Delete an ended upload and what may be left of it.

        Raises `Unavailable`, and `Conflict` if records of the application refer to it.
        """
        await delete_objects(self.store, session)
        async with self.database.transaction() as connection:
            await records.delete(connection, [session.id])
