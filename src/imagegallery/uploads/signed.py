"""What comes in by the signed URLs that a store leaves to us to serve. No principal is asked for: the signature is the
leave.

Every answer may be lost, so bytes that are there already are welcome again: the store knows them as long as they are
awaited, and afterwards the image does.
"""

from collections.abc import AsyncIterable
from uuid import UUID

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound, UploadEnded
from imagegallery.storage.protocol import ObjectStore, ServesSignedUrls
from imagegallery.storage.space import Space
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.known_bytes import KnownBytes
from imagegallery.uploads.session import records
from imagegallery.uploads.session.session import UploadSession, UploadState, raise_if_over


@frozen
class SignedUpload:
    """What a signed URL brings: to which session, and which of its parts (``None``: the whole file)."""

    token: str
    session: UploadSession
    number: int | None

    @property
    def is_over(self) -> bool:
        """Whether it became an image: what comes now can only be a repeat."""
        return self.session.state is UploadState.COMPLETED

    @property
    def completes(self) -> bool:
        """Whether these bytes are the last that the client will send."""
        return self.session.ends_on_arrival and not self.is_over


@frozen
class SignedUploads:
    """``gallery.uploads.signed``, for whoever serves a store's signed URLs."""

    database: Database
    store: ObjectStore
    completion: Completion
    known: KnownBytes
    clock: Clock
    space: Space

    async def find(self, token: str) -> SignedUpload:
        """What the URL is for.

        Raises `NotFound` where the store's URLs are its own, `SignatureInvalid`, `SignatureExpired`, `UploadEnded`,
        `UploadExpired`, and what the upload was refused for.
        """
        target = self._serving().upload_target(token)
        async with self.database.connection() as connection:
            session = await records.find_by_incoming_key(connection, target.key)
        if session is None:
            raise UploadEnded("This upload is over; start a new one.")
        current = session.at(self.clock())
        raise_if_over(current)
        return SignedUpload(token, current, target.number)

    async def accept(
        self, upload: SignedUpload, data: AsyncIterable[bytes], *, content_type: str, content_length: int | None = None
    ) -> str:
        """Take the bytes; answers their ETag, unquoted. May be repeated, also when they have become an image.

        Raises like `ServesSignedUrls.accept`, `DiskFull`, and `UploadEnded` for other bytes than those of the
        image.
        """
        if upload.is_over:
            return await self.known.recognize(upload.session, data, upload.number)
        await self.space.check()
        serving = self._serving()
        info = await serving.accept(upload.token, data, content_type=content_type, content_length=content_length)
        return info.etag

    async def complete(self, upload: SignedUpload) -> UUID:
        """Of one that ``completes``: the image's id. Raises what `UploadService.complete` raises."""
        return (await self.completion.complete(upload.session)).future_image_id

    def _serving(self) -> ServesSignedUrls:
        if not isinstance(self.store, ServesSignedUrls):
            raise NotFound("This service's objects have addresses of their own.")
        return self.store
