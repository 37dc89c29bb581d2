"""Copies of originals without some of their metadata, for those who may have the file but not all that it tells.

A copy is made when somebody asks for it first, and kept beside the image's variants. No row names it: its key follows
from the original and from how it is made. So `reconcile` knows it from a stray, and whatever deletes the image's folder
deletes it.
"""

import base64
import hashlib
from collections.abc import Collection, Sequence
from typing import Final

import anyio
from attrs import define, field

from imagegallery.access.disclosure import Disclosure
from imagegallery.access.grant import MetadataShown
from imagegallery.database.connection import Connection
from imagegallery.errors import BadImage, ChecksumMismatch, Forbidden, NotFound, ObjectNotFound, Overloaded
from imagegallery.images.image import records
from imagegallery.images.image.image import Image
from imagegallery.images.image.original import fetch
from imagegallery.imaging.protocol import ImagingEngine, Removal
from imagegallery.storage.keys import EXTENSIONS, id_hint, variant_key
from imagegallery.storage.protocol import ObjectStore, TemporaryFiles
from imagegallery.storage.streams import file_chunks

VERSION: Final = 1
"""Counts the ways in which copies were made: older ones become strays."""
AT_ONCE: Final = 2
MAX_WAITING: Final = 16
"""Requests of this process that may wait for a copy to be made. Further ones are to come again later."""
_RETRY_AFTER: Final = 5


def removal_for(shown: Disclosure) -> Removal | None:
    """What is taken out of a file for who is shown this: nothing, where they may know all."""
    if shown.has_place:
        return None
    return Removal.STRIP_PLACE if shown.metadata is MetadataShown.BASIC else Removal.STRIP_ALL


def copy_key(image: Image, removal: Removal) -> str:
    """Where the copy is kept."""
    digest = hashlib.sha256(f"{VERSION}\n{image.original_key}\n{removal}".encode()).digest()
    fingerprint = base64.b32encode(digest[:10]).decode().lower()
    return variant_key(image.key_prefix, f"copy-{removal}", fingerprint, EXTENSIONS.get(image.mime_type, "bin"))


@define(eq=False)
class Copies:
    """Finds copies, and makes those that are not there: two at once, so that who asks for many leaves the decoder to
    others."""

    _store: ObjectStore
    _engine: ImagingEngine
    _scratch: TemporaryFiles
    _turns: anyio.CapacityLimiter = field(factory=lambda: anyio.CapacityLimiter(AT_ONCE), init=False)

    async def key_of(self, image: Image, removal: Removal) -> str:
        """The key of the copy, which is there then.

        Raises:
            NotFound: If the original is gone.
            Forbidden: If its metadata cannot be taken out of it: then nobody gets it who may not know them.
            Overloaded: If too many wait for copies.
        """
        key = copy_key(image, removal)
        if await self._is_there(key):
            return key
        if self._turns.statistics().tasks_waiting >= MAX_WAITING:
            raise Overloaded("Too many originals are being prepared.", retry_after=_RETRY_AFTER)
        async with self._turns:
            if not await self._is_there(key):  # made while this one waited
                await self._make(image, removal, key)
        return key

    async def _is_there(self, key: str) -> bool:
        try:
            await self._store.head(key)
        except ObjectNotFound:
            return False
        return True

    async def _make(self, image: Image, removal: Removal, key: str) -> None:
        async with self._scratch.directory() as folder:
            copy = folder / "copy"
            try:
                original, _ = await fetch(image, self._store, folder)
                await self._engine.remove_metadata(
                    original, copy, content_type=image.mime_type, removal=removal, owner_id=image.owner_id
                )
            except (ObjectNotFound, ChecksumMismatch) as error:
                raise NotFound("The file is gone.") from error
            except BadImage as error:
                raise Forbidden("The original tells more than you may know; it cannot be left out.") from error
            await self._store.put(key, file_chunks(copy), content_type=image.mime_type)


async def unclaimed(connection: Connection, keys: Sequence[str]) -> Collection[str]:
    """Those of the ``keys`` that are no copy of an image that is there."""
    hints = {key: image_id for key in keys if "/copy-" in key and (image_id := id_hint(key)) is not None}
    if not hints:
        return keys
    found = await records.get_many(connection, list(set(hints.values())))
    copies = {copy_key(each.image, removal) for each in found for removal in Removal}
    return [key for key in keys if key not in copies]
