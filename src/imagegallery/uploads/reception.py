"""Bytes that come through the service, straight on into the store."""

from collections.abc import AsyncIterable
from contextlib import suppress
from uuid import UUID

import attrs
from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, ObjectNotFound, PreconditionFailed, QuotaExceeded, TooLarge
from imagegallery.storage.protocol import ObjectInfo, ObjectStore
from imagegallery.storage.streams import HashingStream
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.completion.verification import check_size
from imagegallery.uploads.session import records
from imagegallery.uploads.session.cleanup import try_to_delete_objects
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.quota import max_upload_size
from imagegallery.uploads.session.rejection import REJECTIONS
from imagegallery.uploads.session.session import UploadEvent, UploadSession, UploadState, advance, raise_if_over

STORED = fault_point("service.stored", "the bytes are under incoming/, the row says that they are on their way")
ARRIVED = fault_point("service.arrived", "the row says that the bytes are there, and nothing more was done")


@frozen
class BodyReceiver:
    """Streams one file of one session to its place under ``incoming/``; no more than a chunk is in memory."""

    database: Database
    store: ObjectStore
    completion: Completion
    policy: UploadPolicy
    clock: Clock

    async def caught_up(self, session: UploadSession) -> UploadSession:
        """The session, as ``uploaded`` if an earlier attempt stored it all, and was cut short before it could say so.

        Raises what ended it, unless it became an image.
        """
        raise_if_over(session)
        if session.state is not UploadState.UPLOADING:
            return session
        with suppress(ObjectNotFound):
            found = await self.store.head(session.incoming_key)
            if session.size in (None, found.size):
                return await self._arrived(session, found.size)
        return session

    async def receive(self, session_id: UUID, data: AsyncIterable[bytes]) -> UploadSession:
        """Store the bytes; the session is then ``uploaded``.

        More bytes than declared (`TooLarge`), fewer (`SizeMismatch`), none (`EmptyFile`) or, where no size was
        declared, more than the owner has room for (`QuotaExceeded`) reject the session. When
        ``data`` raises, nothing is kept and the session can begin again. Raises `Conflict` when the file is there.
        """
        session = await self._advance(session_id, UploadEvent.BEGIN)
        passing = HashingStream(data)
        try:
            info = await self._store(session, passing)
            STORED.reached()
            check_size(session, info.size)
        except REJECTIONS as error:
            await self.completion.reject(session.id, error)
            raise
        return await self._arrived(session, info.size, passing.sha256())

    async def _store(self, session: UploadSession, data: AsyncIterable[bytes]) -> ObjectInfo:
        async with self.database.transaction() as connection:
            largest = await max_upload_size(connection, session, self.policy, now=self.clock())
        try:
            return await self.store.put(
                session.incoming_key,
                data,
                content_type=session.content_type,
                max_size=largest,
                if_absent=True,
            )
        except TooLarge as error:
            if session.size is None and largest < self.policy.max_size:
                raise QuotaExceeded("The owner's storage has no room for this file.") from error
            raise
        except PreconditionFailed as error:  # another attempt was quicker
            await self._advance(session.id, UploadEvent.ARRIVE)
            raise Conflict("The file of this upload has already arrived; complete it.") from error

    async def _arrived(self, session: UploadSession, size: int, sha256: bytes | None = None) -> UploadSession:
        """Record the arrival, unless the session was ended meanwhile: then what came too late goes again."""
        async with self.database.transaction() as connection:
            current = await records.lock(connection, session.id)
            if not current.state.is_ended:
                state = advance(current.state, UploadEvent.ARRIVE)
                await records.update(connection, session.id, state, size=size, received_sha256=sha256, now=self.clock())
        if current.state.is_ended:
            await try_to_delete_objects(self.store, current)
            advance(current.state, UploadEvent.ARRIVE)
        ARRIVED.reached()
        return attrs.evolve(current, state=state, size=current.size or size, received_sha256=sha256)

    async def _advance(self, session_id: UUID, event: UploadEvent) -> UploadSession:
        now = self.clock()
        async with self.database.transaction() as connection:
            session = (await records.lock(connection, session_id)).at(now)
            state = advance(session.state, event)
            await records.update(connection, session_id, state, now=now)
        return attrs.evolve(session, state=state, updated_at=now)
