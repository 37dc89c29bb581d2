"""What remains of an upload that became nothing: its objects go, after its end is on record and never before."""

from contextlib import suppress

import anyio

from imagegallery.errors import ConfigurationError, Unavailable
from imagegallery.storage.protocol import AppendsObjects, MultipartUploads, ObjectStore
from imagegallery.uploads.session.session import Transport, UploadSession, UploadState

_PATIENCE = 10.0  # seconds for one session's objects; what is not done by then, the sweeper does later


async def delete_objects(store: ObjectStore, session: UploadSession) -> None:
    """Delete what an ended upload may have left in the store; an image's original stays. May be repeated.

    Raises `Unavailable` when the store does not answer, `ConfigurationError` when it refuses us.
    """
    await _abort_unfinished(store, session)
    await store.delete(session.incoming_key)
    if session.state is not UploadState.COMPLETED or session.is_duplicate:
        await store.delete(session.original_key)


async def _abort_unfinished(store: ObjectStore, session: UploadSession) -> None:
    """What arrives in parts, or grows, is no object yet."""
    if session.multipart_id is None:
        return
    if session.transport is Transport.PARTS and isinstance(store, MultipartUploads):
        await store.abort_multipart(session.incoming_key, session.multipart_id)
    if session.transport is Transport.RESUMABLE and isinstance(store, AppendsObjects):
        await store.abort_append(session.incoming_key, session.multipart_id)


async def try_to_abort(store: ObjectStore, session: UploadSession) -> None:
    """Have the store forget what has arrived in parts, or grown, and leave objects alone; now if possible."""
    with anyio.move_on_after(_PATIENCE, shield=True), suppress(Unavailable, ConfigurationError):
        await _abort_unfinished(store, session)


async def try_to_delete_objects(store: ObjectStore, session: UploadSession) -> None:
    """The same, now if possible: not interrupted by a cancellation, and no error if the store does not answer, or does
    not let us (any more)."""
    with anyio.move_on_after(_PATIENCE, shield=True), suppress(Unavailable, ConfigurationError):
        await delete_objects(store, session)
