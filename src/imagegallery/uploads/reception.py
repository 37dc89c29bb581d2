"""Bytes that pass through the service into the store: of a session, or a whole upload in one call."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

import attrs
from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.contributions.contribution import no_room
from imagegallery.database.advisory import LockTaken
from imagegallery.database.pool import Database
from imagegallery.errors import (
    Conflict,
    IdempotencyKeyReused,
    ObjectNotFound,
    PreconditionFailed,
    TooLarge,
    UploadEnded,
    UploadExpired,
    UploadLocked,
)
from imagegallery.images.service import ImageService
from imagegallery.principal import Principal
from imagegallery.storage.protocol import ObjectInfo, ObjectStore
from imagegallery.storage.streams import HashingStream
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.completion.verification import check_size
from imagegallery.uploads.session import records
from imagegallery.uploads.session.end import SessionEnder, try_to_delete_objects
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.lookup import OwnSessions
from imagegallery.uploads.session.opener import NewUpload, SessionOpener, max_upload_size
from imagegallery.uploads.session.rejection import REJECTIONS
from imagegallery.uploads.session.session import UploadEvent, UploadSession, UploadState, raise_if_over
from imagegallery.uploads.source import OpenSource

STORED = fault_point("service.stored", "the bytes are under incoming/, the row says that they are on their way")
ARRIVED = fault_point("service.arrived", "the row says that the bytes are there, and nothing more was done")

PATIENCE = timedelta(seconds=10)
"""How long a repetition waits for the same request, still in progress."""

_STAGED = (UploadState.UPLOADED, UploadState.COMPLETED)


@frozen
class BodyReceiver:
    """Streams one file of one session to its place under ``incoming/``, with at most a chunk in memory."""

    database: Database
    store: ObjectStore
    completion: Completion
    limits: UploadLimits
    clock: Clock

    async def caught_up(self, session: UploadSession) -> UploadSession:
        """The session, as ``uploaded`` if an earlier attempt stored everything and was interrupted before recording it.

        Raises what ended it, unless it became an image.
        """
        raise_if_over(session)
        if session.state is not UploadState.UPLOADING:
            return session
        with suppress(ObjectNotFound):
            found = await self.store.head(session.incoming_key)
            if session.size in (None, found.size):
                return await self._record_arrival(attrs.evolve(session, size=found.size))
        return session

    async def receive(self, session_id: UUID, data: AsyncIterable[bytes]) -> UploadSession:
        """Store the bytes; the session is then ``uploaded``.

        Raises as `store_body`, and `Conflict` if the file is there. If ``data`` raises, nothing is kept and the session
        can start again.
        """
        async with self.database.connection() as connection:
            session = await records.advance(connection, session_id, UploadEvent.BEGIN, now=self.clock())
        return await self._record_arrival(await self.store_body(session, data))

    async def store_body(self, session: UploadSession, data: AsyncIterable[bytes]) -> UploadSession:
        """Store the bytes of a session that is ``uploading``; return it with their size and SHA-256.

        More bytes than declared (`TooLarge`), fewer (`SizeMismatch`), none (`EmptyFile`) or, without a declared size,
        more than the owner's quota (`QuotaExceeded`) reject the session.
        """
        passing = HashingStream(data)
        try:
            info = await self._put(session, passing)
            STORED.reached()
            check_size(session, info.size)
        except REJECTIONS as error:
            await self.completion.reject(session.id, error)
            raise
        return attrs.evolve(session, size=info.size, received_sha256=passing.sha256())

    async def _put(self, session: UploadSession, data: AsyncIterable[bytes]) -> ObjectInfo:
        largest = await max_upload_size(self.database, session, self.limits, now=self.clock())
        key, content_type = session.incoming_key, session.content_type
        try:
            return await self.store.put(key, data, content_type=content_type, max_size=largest, if_absent=True)
        except TooLarge as error:
            if session.size is None and largest < self.limits.of(session).max_size:
                raise no_room() from error
            raise
        except PreconditionFailed as error:  # another attempt was quicker
            async with self.database.connection() as connection:
                await records.advance(connection, session.id, UploadEvent.ARRIVE, now=self.clock())
            raise Conflict("The file of this upload has already arrived; complete it.") from error

    async def _record_arrival(self, session: UploadSession) -> UploadSession:
        """Record the arrival, unless the session was ended meanwhile: then what came too late goes again."""
        size, sha256 = session.size, session.received_sha256
        try:
            async with self.database.connection() as connection:
                arrived = await records.advance(
                    connection, session.id, UploadEvent.ARRIVE, size=size, sha256=sha256, now=self.clock()
                )
        except (UploadEnded, UploadExpired):
            async with self.database.connection() as connection:
                ended = await records.get(connection, session.id)
            if ended is not None and ended.state.is_ended:
                await try_to_delete_objects(self.store, ended)
            raise
        ARRIVED.reached()
        return arrived


@frozen
class OneCall:
    """A file in one call (`UploadService.add`): a session, its bytes, its completion.

    With a key only once, however often it is sent.
    """

    database: Database
    images: ImageService
    sessions: OwnSessions
    opener: SessionOpener
    receiver: BodyReceiver
    completion: Completion
    ender: SessionEnder

    async def add(self, principal: Principal, new: NewUpload, file: OpenSource) -> UUID:
        """Return the new image's id. If this raises, nothing is left."""
        session = await self.opener.begin(principal, attrs.evolve(new, comes_now=True))
        try:
            if not session.state.is_ended:
                session = await self.receiver.store_body(session, file.chunks)
            return (await self.completion.complete(session)).future_image_id
        except BaseException:
            await self.ender.give_up(session.id)
            raise

    async def stage(self, principal: Principal, new: NewUpload, file: OpenSource) -> UploadSession:
        """Return the session with its file staged. If this raises, nothing is left."""
        session = await self.opener.begin(principal, attrs.evolve(new, comes_now=True))
        try:
            return await self.completion.stage(await self.receiver.store_body(session, file.chunks))
        except BaseException:
            await self.ender.give_up(session.id)
            raise

    async def stage_once(self, principal: Principal, new: NewUpload, file: OpenSource) -> UploadSession:
        """The same for a session whose id follows from a key, as `add_once`. What is staged, or was and is attached,
        stays so."""
        async with self._alone(new.session_id):
            earlier = await self.sessions.earlier(new)
            if earlier is not None and not (earlier.staged and earlier.state in _STAGED):
                await self._clear(earlier)
                earlier = None
            if earlier is None:
                return await self.stage(principal, new, file)
            sent = HashingStream(file.chunks)
            async for _ in sent:
                pass
            if (sent.size, sent.sha256()) != earlier.came:
                raise IdempotencyKeyReused("This idempotency key was used for another file.", upload_id=str(earlier.id))
            return earlier

    async def add_once(self, principal: Principal, new: NewUpload, file: OpenSource) -> UUID:
        """The same for a session whose id follows from a key: a repetition returns the image, or raises the refusal, of
        the earlier request. An
        interrupted one starts again.

        Raises `IdempotencyKeyReused` for another request or other bytes, and `UploadLocked` while the earlier request
        is in progress.
        """
        async with self._alone(new.session_id):
            earlier = await self.sessions.earlier(new)
            if earlier is not None and earlier.state is not UploadState.COMPLETED:
                earlier = await self._clear(earlier)
            if earlier is None:
                return await self.add(principal, new, file)
            return await self._image_of(principal, earlier, file)

    async def _clear(self, session: UploadSession) -> UploadSession | None:
        """``None`` if the upload may start; the session if it was completed meanwhile. Raises what rejected it."""
        if session.state is UploadState.REJECTED:
            raise_if_over(session)
        ended = await self.ender.end(session.id)
        if ended.state is UploadState.COMPLETED:
            return ended
        await self.ender.forget(ended)
        return None

    async def _image_of(self, principal: Principal, session: UploadSession, file: OpenSource) -> UUID:
        """The image of the upload, if it has the bytes that came now."""
        image = await self.images.get(principal, session.future_image_id)
        sent = HashingStream(file.chunks)
        async for _ in sent:
            pass
        size, sha256 = (image.file_size, image.sha256) if image.removed_metadata is None else session.came
        if sent.size != size or sha256 not in (None, sent.sha256()):
            raise IdempotencyKeyReused("This idempotency key was used for another file.", image_id=str(image.id))
        return image.id

    @asynccontextmanager
    async def _alone(self, session_id: UUID) -> AsyncIterator[None]:
        try:
            async with self.database.locks.hold(f"upload {session_id}", patience=PATIENCE):
                yield
        except LockTaken:
            raise UploadLocked("The same request is still under way.") from None
