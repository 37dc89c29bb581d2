"""End uploads without an image, and delete what remains of them: objects after the end is on record, never before. Does
not check access."""

from contextlib import suppress
from uuid import UUID

import anyio
import attrs
from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, ImageGalleryError, Unavailable
from imagegallery.storage.protocol import AppendsObjects, MultipartUploads, ObjectStore
from imagegallery.uploads.session import records
from imagegallery.uploads.session.session import Transport, UploadEvent, UploadSession, UploadState, advance

_PATIENCE = 10.0  # seconds for one upload; the sweeper does the rest later


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


async def delete_objects(store: ObjectStore, session: UploadSession) -> None:
    """Delete what an ended upload may have left in the store; an image's original stays. May be repeated.

    Raises `Unavailable` if the store does not respond, `ConfigurationError` if it denies access.
    """
    await _abort_unfinished(store, session)
    await store.delete(session.incoming_key)
    if session.state is not UploadState.COMPLETED or session.is_duplicate:
        await store.delete(session.original_key)


async def _abort_unfinished(store: ObjectStore, session: UploadSession) -> None:
    """Delete parts and growing objects."""
    if session.multipart_id is None:
        return
    if session.transport is Transport.PARTS and isinstance(store, MultipartUploads):
        await store.abort_multipart(session.incoming_key, session.multipart_id)
    if session.transport is Transport.RESUMABLE and isinstance(store, AppendsObjects):
        await store.abort_append(session.incoming_key, session.multipart_id)


async def try_to_abort(store: ObjectStore, session: UploadSession) -> None:
    """Delete parts and growing objects, but not objects, now if possible."""
    with anyio.move_on_after(_PATIENCE, shield=True), suppress(Unavailable, ConfigurationError):
        await _abort_unfinished(store, session)


async def try_to_delete_arrived(store: ObjectStore, session: UploadSession) -> None:
    """Delete what a copy is kept of, now if possible; otherwise it goes with the session."""
    with anyio.move_on_after(_PATIENCE, shield=True), suppress(Unavailable, ConfigurationError):
        await store.delete(session.incoming_key)


async def try_to_delete_objects(store: ObjectStore, session: UploadSession) -> None:
    """Delete objects, too, now if possible: not interrupted by a cancellation, and without an error if the store
    does not respond or denies access."""
    with anyio.move_on_after(_PATIENCE, shield=True), suppress(Unavailable, ConfigurationError):
        await delete_objects(store, session)
