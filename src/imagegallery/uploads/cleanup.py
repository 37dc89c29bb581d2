"""What remains of an upload that became nothing: its objects go, after its end is on record and never before."""

from contextlib import suppress

import anyio

from imagegallery.errors import Unavailable
from imagegallery.storage.protocol import ObjectStore
from imagegallery.uploads.session import UploadSession, UploadState

_PATIENCE = 10.0  # seconds for one session's objects; what is not done by then, the sweeper does later


async def delete_objects(store: ObjectStore, session: UploadSession) -> None:
    """Delete what an ended upload may have left in the store; an image's original stays. May be repeated.

    Raises `Unavailable` when the store does not answer.
    """
    await store.delete(session.incoming_key)
    if session.state is not UploadState.COMPLETED:
        await store.delete(session.original_key)


async def try_to_delete_objects(store: ObjectStore, session: UploadSession) -> None:
    """The same, now if possible: not interrupted by a cancellation, and no error if the store does not answer."""
    with anyio.move_on_after(_PATIENCE, shield=True), suppress(Unavailable):
        await delete_objects(store, session)
