"""Uploads to the signed URLs that a store leaves to us to serve. The signed URL is the authorization: no principal is
checked.

Every response may be lost, so bytes that have arrived may be sent again: the store recognises them while they are
wanted, afterwards the image does.
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
    """What a signed URL uploads: to which session, and which of its parts (``None``: the whole file)."""

    token: str
    session: UploadSession
    number: int | None

    @property
    def is_over(self) -> bool:
        """Whether it became an image: what comes now can only be a repetition."""
        return self.session.state is UploadState.COMPLETED

    @property
    def completes(self) -> bool:
        """Whether these bytes are the client's last."""
        return self.session.ends_on_arrival and not self.is_over


@frozen
class SignedUploads:
    """``gallery.uploads.signed``, for serving a store's signed URLs."""

    database: Database
    store: ObjectStore
    completion: Completion
    known: KnownBytes
    clock: Clock
    space: Space

    async def find(self, token: str) -> SignedUpload:
        """Find what the URL uploads.

        Raises:
            NotFound: If the store serves its URLs itself.
            SignatureInvalid: For an altered token.
            SignatureExpired: After its time.
            UploadEnded: If the upload was cancelled.
            UploadExpired: If the upload's time is over.
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
        """Receive the bytes and return their ETag, unquoted. May be repeated, also when they have become an image.

        Raises as `ServesSignedUrls.accept`, `DiskFull`, and `UploadEnded` for other bytes than the image's.
        """
        if upload.is_over:
            return await self.known.recognize(upload.session, data, upload.number)
        await self.space.check()
        serving = self._serving()
        info = await serving.accept(upload.token, data, content_type=content_type, content_length=content_length)
        return info.etag

    async def complete(self, upload: SignedUpload) -> UUID:
        """Complete an upload that ``completes`` and return the image's id. Raises as `UploadService.complete`."""
        return (await self.completion.complete(upload.session)).future_image_id

    def _serving(self) -> ServesSignedUrls:
        if not isinstance(self.store, ServesSignedUrls):
            raise NotFound("This service's objects have addresses of their own.")
        return self.store
