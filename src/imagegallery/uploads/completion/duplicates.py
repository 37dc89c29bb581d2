"""Files that their owner has already: whether they become images, and that their bytes are stored once.

All of this happens inside the transaction that ends a session, whose row is locked. The owner's content is held from
then on, see `imagegallery.images.image.original_records`.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import attrs
from attrs import frozen

from imagegallery.database.connection import Connection
from imagegallery.errors import DuplicateImage, NotFound, ObjectNotFound
from imagegallery.images.admission import Admission
from imagegallery.images.image import original_records
from imagegallery.images.image.original_records import Original
from imagegallery.storage.protocol import ObjectInfo, ObjectStore
from imagegallery.storage.streams import file_chunks
from imagegallery.uploads.completion.verification import VerifiedUpload
from imagegallery.uploads.session.policy import OnDuplicate
from imagegallery.uploads.session.session import UploadSession, UploadState


@frozen
class PlacedOriginal:
    """Where an image's original is. ``is_new`` if its owner had no image of these bytes."""

    key: str
    is_new: bool


class SameSize(Exception):
    """The owner has a file of the same size, and of one of the two it is not known what it holds."""

    def __init__(self, original: Original) -> None:
        super().__init__(original.key)
        self.original = original


async def find_original(
    connection: Connection, owner_id: str, verified: VerifiedUpload, lost: Collection[str]
) -> Original | None:
    """The owner's original of these bytes, ignoring ``lost`` ones. Raises `SameSize` if that cannot be decided."""
    original = await original_records.find(connection, owner_id, verified.info.size, verified.sha256, lost)
    if original is not None and (verified.sha256 is None or original.sha256 is None):
        raise SameSize(original)
    return original


async def existing_image(
    connection: Connection, owner_id: str, sha256: bytes | None, wanted: OnDuplicate
) -> UUID | None:
    """The image to use instead of a new one, kept outside of the trash until the transaction ends.

    An image in the trash does not count. Raises `DuplicateImage` if the owner wants no second one.
    """
    if sha256 is None or wanted is OnDuplicate.KEEP_BOTH:
        return None
    image_id = await original_records.hold_image(connection, owner_id, sha256)
    if image_id is not None and wanted is OnDuplicate.REJECT:
        raise DuplicateImage("This file is in your library already.", image_id=str(image_id))
    return image_id


async def return_existing(
    connection: Connection, admission: Admission, session: UploadSession, image_id: UUID, *, now: datetime
) -> UploadSession:
    """End the session with an existing image, in the requested gallery if that still exists."""
    if session.gallery_id is not None:
        with suppress(NotFound):
            await admission.add(connection, session.owner_id, session.gallery_id, [image_id], now=now)
    return attrs.evolve(session, state=UploadState.COMPLETED, future_image_id=image_id, is_duplicate=True)


async def place_original(
    store: ObjectStore, session: UploadSession, original: Original | None, verified: VerifiedUpload
) -> PlacedOriginal:
    """Move the verified object, or put the copy that is kept of it, to its place as an original, unless the owner's
    bytes have one.

    If those are lost, the object takes their place, and every image that shares them has its original again. A staged
    one stays where it is: the application may still roll back.
    """
    key = session.original_key if original is None else original.key
    is_there = verified.copy is None and verified.info.key == key
    if not is_there and not (original is not None and await _is_there(store, key)):
        if session.staged is not None:
            return PlacedOriginal(session.original_key, is_new=False)
        await place(store, session, verified, key)
    return PlacedOriginal(key, is_new=original is None)


async def place(store: ObjectStore, session: UploadSession, verified: VerifiedUpload, key: str) -> ObjectInfo:
    """Put what is kept of a verified upload under ``key``, whose session is locked. May be repeated.

    Raises as `ObjectStore.promote`. A copy replaces what an earlier attempt has put there: nobody knows of that yet.
    """
    found = verified.info
    if verified.copy is None:
        return await store.promote(found.key, key, etag=found.etag, content_type=session.file_type)
    return await store.put(key, file_chunks(verified.copy), content_type=session.file_type)


async def _is_there(store: ObjectStore, key: str) -> bool:
    try:
        await store.head(key)
    except ObjectNotFound:
        return False
    return True
