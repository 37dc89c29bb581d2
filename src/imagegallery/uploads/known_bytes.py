"""Bytes that are sent again because the response to them was lost."""

from collections.abc import AsyncIterable
from contextlib import suppress

from attrs import frozen

from imagegallery.database.pool import Database
from imagegallery.errors import ObjectNotFound, TooLarge
from imagegallery.images.image import records as image_records
from imagegallery.images.image.image import Image
from imagegallery.storage.protocol import ByteRange, ObjectStore
from imagegallery.storage.streams import HashingStream, at_most
from imagegallery.uploads.session import records
from imagegallery.uploads.session.session import UploadEvent, UploadSession, UploadState, advance


@frozen
class _Known:
    """What arrived: its size in bytes, SHA-256, and the ETag of the response."""

    size: int
    sha256: bytes
    etag: str


@frozen
class KnownBytes:
    """Compares with the session's file, or with its image."""

    database: Database
    store: ObjectStore

    async def recognize(self, session: UploadSession, data: AsyncIterable[bytes], number: int | None = None) -> str:
        """The ETag of the file, or of its part ``number``, if ``data`` has the same bytes.

        Raises for others, or if the file is gone: `UploadEnded` if it has become an image, otherwise `Conflict`.
        """
        with suppress(ObjectNotFound, TooLarge):
            known = await self._find(session, number)
            hashed = HashingStream(at_most(data, known.size))
            async for _ in hashed:
                pass
            if (hashed.size, hashed.sha256()) == (known.size, known.sha256):
                return known.etag
        advance(session.state, UploadEvent.BEGIN)
        raise AssertionError("This session does not have its file yet.")

    async def _find(self, session: UploadSession, number: int | None) -> _Known:
        image = await self._image_of(session)
        key = session.incoming_key if image is None else image.original_key
        if image is not None and image.removed_metadata is not None:
            return await self._arrived(session, image, number)
        if number is None:
            return await self._read(key, None)
        async with self.database.connection() as connection:
            parts = await records.joined(connection, session.id)
        if number > len(parts):
            raise ObjectNotFound("There was no such part.")
        start, part = sum(each.size for each in parts[: number - 1]), parts[number - 1]
        known = await self._read(key, ByteRange(start, start + part.size))
        return _Known(known.size, known.sha256, part.etag)

    async def _arrived(self, session: UploadSession, image: Image, number: int | None) -> _Known:
        """What came, of which a copy is kept: nobody has its parts any more."""
        if number is not None or session.size is None or session.received_sha256 is None:
            raise ObjectNotFound("What came is not kept.")
        kept = await self.store.head(image.original_key)
        return _Known(session.size, session.received_sha256, kept.etag)

    async def _image_of(self, session: UploadSession) -> Image | None:
        """The image that the session has become, if it has."""
        if session.state is not UploadState.COMPLETED:
            return None
        async with self.database.connection() as connection:
            found = await image_records.get(connection, session.future_image_id)
        if found is None:
            raise ObjectNotFound("The image is gone.")
        return found.image

    async def _read(self, key: str, byte_range: ByteRange | None) -> _Known:
        async with self.store.get(key, byte_range) as stream:
            hashed = HashingStream(stream.chunks)
            async for _ in hashed:
                pass
            return _Known(hashed.size, hashed.sha256(), stream.info.etag)
