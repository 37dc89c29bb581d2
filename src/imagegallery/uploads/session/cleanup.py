"""Deletion of the objects of uploads without an image, always after their end was recorded."""

from contextlib import suppress

import anyio

from imagegallery.errors import ConfigurationError, Unavailable
from imagegallery.storage.protocol import AppendsObjects, MultipartUploads, ObjectStore
from imagegallery.uploads.session.session import Transport, UploadSession, UploadState

_PATIENCE = 10.0  # seconds for one session's objects; the sweeper does the rest later


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


async def try_to_delete_objects(store: ObjectStore, session: UploadSession) -> None:
    """Delete objects, too, now if possible: not interrupted by a cancellation, and without an error if the store
    does not respond or denies access."""
    with anyio.move_on_after(_PATIENCE, shield=True), suppress(Unavailable, ConfigurationError):
        await delete_objects(store, session)
