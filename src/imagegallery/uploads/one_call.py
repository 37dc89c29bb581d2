"""A file that comes in one call: a session, its bytes, its completion; with a key once, however often it is sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from attrs import frozen

from imagegallery.database.advisory import LockTaken
from imagegallery.database.pool import Database
from imagegallery.errors import IdempotencyKeyReused, UploadLocked
from imagegallery.images.service import ImageService
from imagegallery.principal import Principal
from imagegallery.storage.streams import HashingStream
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.reception import BodyReceiver
from imagegallery.uploads.session.end import SessionEnder
from imagegallery.uploads.session.lookup import OwnSessions
from imagegallery.uploads.session.opener import NewUpload, SessionOpener
from imagegallery.uploads.session.session import UploadSession, UploadState, raise_if_over
from imagegallery.uploads.sources import OpenSource

PATIENCE = timedelta(seconds=10)
"""How long a repeat waits for the same request, still under way."""


@frozen
class OneCall:
    """The use case behind `UploadService.add`."""

    database: Database
    images: ImageService
    sessions: OwnSessions
    opener: SessionOpener
    receiver: BodyReceiver
    completion: Completion
    ender: SessionEnder

    async def add(self, principal: Principal, new: NewUpload, file: OpenSource) -> UUID:
        """The new image's id. If this raises, nothing is left."""
        session = await self.opener.begin(principal, new)
        try:
            if not session.state.is_ended:
                await self.receiver.receive(session.id, file.chunks)
            return await self.completion.complete(session.id)
        except BaseException:
            await self.ender.give_up(session.id)
            raise

    async def add_once(self, principal: Principal, new: NewUpload, file: OpenSource) -> UUID:
        """The same for a session whose id follows from a key: a repeat answers the image, or the refusal, that came of
        the request before. What was cut short begins anew.

        Raises `IdempotencyKeyReused` for another request or other bytes, and `UploadLocked` while the request before is
        still under way.
        """
        async with self._alone(new.session_id):
            earlier = await self.sessions.earlier(new)
            if earlier is not None and earlier.state is not UploadState.COMPLETED:
                earlier = await self._cleared(earlier)
            if earlier is None:
                return await self.add(principal, new, file)
            return await self._image_of(principal, earlier, file)

    async def _cleared(self, session: UploadSession) -> UploadSession | None:
        """``None`` when the way is free; the session if it was completed meanwhile. Raises what it was refused for."""
        if session.state is UploadState.REJECTED:
            raise_if_over(session)
        ended = await self.ender.end(session.id)
        if ended.state is UploadState.COMPLETED:
            return ended
        await self.ender.forget(ended)
        return None

    async def _image_of(self, principal: Principal, session: UploadSession, file: OpenSource) -> UUID:
        """The image that the upload became, if it has the bytes that came now."""
        image = await self.images.get(principal, session.future_image_id)
        sent = HashingStream(file.chunks)
        async for _ in sent:
            pass
        if sent.sha256() != image.sha256:
            raise IdempotencyKeyReused("This idempotency key was used for another file.", image_id=str(image.id))
        return image.id

    @asynccontextmanager
    async def _alone(self, session_id: UUID) -> AsyncIterator[None]:
        try:
            async with self.database.locks.hold(f"upload {session_id}", patience=PATIENCE):
                yield
        except LockTaken:
            raise UploadLocked("The same request is still under way.") from None
