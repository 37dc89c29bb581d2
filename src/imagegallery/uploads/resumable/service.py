"""Uploads that come in pieces through this service, and can be resumed: tus and the IETF draft.

These use cases are the rules of both protocols; `imagegallery_asgi` has their wire formats. One request at a time works
on an upload, in any process: a newcomer asks the previous one to record its progress and stop
(draft-ietf-httpbis-resumable-upload, section "Concurrency"; tus leaves this open).
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from uuid import UUID

import attrs

from imagegallery.access.audience import Visibility
from imagegallery.access.contributor import sender_of
from imagegallery.clock import Clock
from imagegallery.common.idempotency import id_for
from imagegallery.common.meta import NO_META, Meta
from imagegallery.database.advisory import Hold, LockTaken
from imagegallery.database.pool import Database
from imagegallery.errors import (
    EmptyFile,
    Forbidden,
    LengthMismatch,
    NotFound,
    QuotaExceeded,
    TooLarge,
    UploadEnded,
    UploadLocked,
)
from imagegallery.policies.policy import OnDuplicateLike
from imagegallery.principal import Principal
from imagegallery.storage.protocol import AppendsObjects, ObjectStore, TemporaryFiles
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.resumable.appends import Appender, until_asked
from imagegallery.uploads.resumable.concatenation import Concatenator
from imagegallery.uploads.resumable.finish import Finisher
from imagegallery.uploads.resumable.rules import (
    UploadPiece,
    check_offset,
    check_parts,
    declared_length,
    final_id,
    has_all,
    is_whole,
)
from imagegallery.uploads.session import records
from imagegallery.uploads.session.end import SessionEnder
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.lookup import RESUMABLE, OwnSessions
from imagegallery.uploads.session.opener import NewUpload, SessionOpener
from imagegallery.uploads.session.policy import Declaration
from imagegallery.uploads.session.session import Concatenation, Transport, UploadSession, UploadState, raise_if_over

LOCK_PATIENCE = timedelta(seconds=10)
"""How long a newcomer waits for the previous request to stop."""


class ResumableUploads:
    """``gallery.uploads.resumable``. Every call raises `Unauthenticated` or `NotFound` unless the principal is the
    owner."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        scratch: TemporaryFiles,
        opener: SessionOpener,
        completion: Completion,
        limits: UploadLimits,
        clock: Clock,
        patience: timedelta = LOCK_PATIENCE,
    ) -> None:
        self._database = database
        self._store = store
        self._scratch = scratch
        self._opener = opener
        self._completion = completion
        self._sessions = OwnSessions(database, clock, opener.authority)
        self._ender = SessionEnder(database, store, clock)
        self._limits = limits
        self._clock = clock
        self._patience = patience

    async def create(
        self,
        principal: Principal,
        *,
        filename: str | None,
        content_type: str | None,
        size: int | None,
        sha256: bytes | None = None,
        gallery_id: UUID | None = None,
        meta: Meta = NO_META,
        visibility: Visibility | str = Visibility.PRIVATE,
        policy: str | None = None,
        wire_metadata: str | None = None,
        concatenation: Concatenation | None = None,
        wire_concatenation: str | None = None,
        completes_itself: bool = True,
        on_duplicate: OnDuplicateLike | None = None,
        idempotency_key: str | None = None,
    ) -> UploadSession:
        """Start an upload of ``size`` bytes, or of a size that `append` will give. With a key only once, however often
        it is requested: a repetition returns the upload as `look` does.

        With ``completes_itself`` it is complete as soon as all bytes are there (tus), otherwise when a request says so
        (the draft). Without a type, the extension of ``filename`` gives it; a partial upload has none. Raises as
        `UploadService.create`.
        """
        self._appending()
        declared = "" if concatenation is Concatenation.PARTIAL else content_type or ""
        new = NewUpload(
            Declaration(declared, size, sha256, on_duplicate, meta, visibility),
            filename,
            gallery_id,
            Transport.RESUMABLE,
            wire_metadata=wire_metadata,
            concatenation=concatenation,
            completes_itself=completes_itself and concatenation is not Concatenation.PARTIAL,
            policy=policy,
        )
        if idempotency_key is None:
            return await self._begin(principal, new, wire_concatenation)
        session_id = id_for(RESUMABLE, sender_of(principal), idempotency_key)
        return await self._once(principal, attrs.evolve(new, session_id=session_id), wire_concatenation)

    async def _begin(self, principal: Principal, new: NewUpload, wire_concatenation: str | None) -> UploadSession:
        session = await self._opener.begin(principal, new)
        if session.state is UploadState.COMPLETED:
            return session  # with an existing image
        return await self._start_growing(session, wire_concatenation)

    async def _once(self, principal: Principal, new: NewUpload, wire_concatenation: str | None) -> UploadSession:
        async with self._alone(new.session_id):
            if await self._sessions.earlier(new) is None:
                return await self._begin(principal, new, wire_concatenation)
        return await self.look(principal, new.session_id)

    async def look(self, principal: Principal, session_id: UUID) -> UploadSession:
        """Return the session with ``received`` as the durable bytes, after the current request has stopped.

        Completes an upload that was interrupted after its last byte. Raises what ended the session, `UploadLocked`, and
        what completing raises.
        """
        async with self._current(principal, session_id) as (_, session):
            if session.state is UploadState.COMPLETED or not (has_all(session) or is_whole(session, completes=False)):
                return session
            return await self._finisher().finish(session)

    async def append(
        self, principal: Principal, session_id: UUID, data: AsyncIterable[bytes], piece: UploadPiece
    ) -> UploadSession:
        """Append ``data``; the last byte completes the upload.

        What arrived before ``data`` breaks off, or another request for the upload comes (`UploadInterrupted`), is kept.

        Raises what ended the session, and what completing raises.

        Raises:
            OffsetMismatch: With nothing kept, as for the next four.
            LengthMismatch: If lengths differ.
            ChunkMismatch: If a checksum differs.
            TooLarge: If it exceeds the length or limit.
            DiskFull: If the disk is full.
            QuotaExceeded: Ends the session.
            Forbidden: For a final upload.
            UploadEnded: For an image, unless the piece is empty and may repeat.
            UploadLocked: If the current request does not stop.
        """
        async with self._current(principal, session_id) as (hold, session):
            if session.concatenation is Concatenation.FINAL:
                raise Forbidden("This upload was made of others; nothing can be added to it.")
            check_offset(session, piece.offset)
            if has_all(session):
                await _refuse_more(data)
                if session.state is UploadState.COMPLETED and not piece.may_repeat:
                    raise UploadEnded("This upload has become an image.")
            else:
                session = await self._receive_bytes(session, until_asked(hold, data), piece)
                if not is_whole(session, completes=piece.completes):
                    return session
                declared_length(session, attrs.evolve(piece, offset=session.received, announced=0))
            return session if session.state is UploadState.COMPLETED else await self._finisher().finish(session)

    async def concatenate(
        self,
        principal: Principal,
        partial_ids: Sequence[UUID],
        *,
        filename: str | None,
        content_type: str | None,
        gallery_id: UUID | None = None,
        meta: Meta = NO_META,
        visibility: Visibility | str = Visibility.PRIVATE,
        policy: str | None = None,
        wire_metadata: str | None = None,
        wire_concatenation: str,
    ) -> UploadSession:
        """Concatenate partial uploads in this order, which ends them. May be repeated.

        Raises as `create` and `complete`.

        Raises:
            NotFound: If one is not the principal's.
            UploadEnded: If one is part of another upload.
            UploadIncomplete: Unless each is a partial upload with all its bytes.
            UploadLocked: If one is in use.
        """
        concatenator = self._concatenator()
        declaration = Declaration(content_type or "", None, meta=meta, visibility=visibility)  # adds no bytes
        settled = final_id(sender_of(principal), partial_ids)
        async with self._alone(settled):
            earlier = await concatenator.earlier(settled)
            if earlier is not None:
                return await concatenator.finish(earlier, partial_ids)
            parts = [await self.look(principal, partial_id) for partial_id in partial_ids]
            check_parts(parts, self._limits.service.max_size)
            session = await self._opener.begin(
                principal,
                NewUpload(
                    declaration,
                    filename,
                    gallery_id,
                    Transport.RESUMABLE,
                    wire_metadata=wire_metadata,
                    concatenation=Concatenation.FINAL,
                    completes_itself=True,
                    session_id=settled,
                    policy=policy,
                ),
            )
            return await concatenator.join(await self._start_growing(session, wire_concatenation), parts)

    async def invalidate(self, principal: Principal, session_id: UUID, error: TooLarge) -> None:
        """End an upload whose client sent more than it had announced (draft, section "Upload Append")."""
        session = await self._sessions.get(principal, session_id)
        await self._completion.reject(session.id, error)

    async def terminate(self, principal: Principal, session_id: UUID) -> None:
        """Cancel the upload, or delete one that was rejected or became an image, which stays.

        Raises `UploadLocked`, and `Unavailable` if its objects could not be deleted.
        """
        await self._own(principal, session_id)
        async with self._alone(session_id):
            session = await self._own(principal, session_id)
            if session.state not in (UploadState.COMPLETED, UploadState.REJECTED):
                await self._ender.end(session_id)
            else:
                await self._ender.forget(session)

    async def complete(self, session: UploadSession) -> UploadSession:
        """Resume an interrupted completion, for `UploadService.complete`."""
        if has_all(session) and session.state is not UploadState.COMPLETED:
            return await self._finisher().finish(session)
        return session

    async def sweep(self) -> int:
        """Complete uploads interrupted after their last byte. Returns the number of new images."""
        return await self._finisher().finish_interrupted() if isinstance(self._store, AppendsObjects) else 0

    def alone_with(self, session: UploadSession) -> AbstractAsyncContextManager[object]:
        """Lock this upload across processes, if it is a resumable one.

        Raises `UploadLocked` on entering, if the current request does not stop in time.
        """
        return self._alone(session.id) if session.transport is Transport.RESUMABLE else nullcontext()

    async def give_up(self, session_id: UUID) -> None:
        """Abandon a session whose first request failed. Does not check access and never raises."""
        await self._ender.give_up(session_id)

    async def _own(self, principal: Principal, session_id: UUID) -> UploadSession:
        session = await self._sessions.get(principal, session_id)
        if session.transport is not Transport.RESUMABLE:
            raise NotFound.of("upload")
        return session

    @asynccontextmanager
    async def _alone(self, session_id: UUID) -> AsyncIterator[Hold]:
        try:
            async with self._database.locks.hold(f"upload {session_id}", patience=self._patience) as hold:
                yield hold
        except LockTaken:
            raise UploadLocked("Another request is at work on this upload.") from None

    @asynccontextmanager
    async def _current(self, principal: Principal, session_id: UUID) -> AsyncIterator[tuple[Hold, UploadSession]]:
        """Lock the session and return it with ``received`` as the store has it. Raises what ended it."""
        await self._own(principal, session_id)
        async with self._alone(session_id) as hold:
            session = await self._own(principal, session_id)
            raise_if_over(session)
            yield (
                hold,
                session if has_all(session) else await self._appender(self._appending()).with_stored_offset(session),
            )

    async def _receive_bytes(
        self, session: UploadSession, data: AsyncIterable[bytes], piece: UploadPiece
    ) -> UploadSession:
        """Append the bytes. A session beyond its owner's quota ends, and keeps nothing."""
        await self._opener.space.check(piece.announced or 0)
        try:
            whole = await self._with_length(session, declared_length(session, piece))
            return await self._appender(self._appending()).receive(whole, data, piece)
        except QuotaExceeded as error:
            await self._completion.reject(session.id, error)
            raise

    async def _with_length(self, session: UploadSession, length: int | None) -> UploadSession:
        """Record the length permanently. Raises `EmptyFile`, `TooLarge`, `QuotaExceeded`."""
        if length is None or length == session.size:
            return session
        if length == 0:
            empty = EmptyFile("The file is empty.")
            await self._completion.reject(session.id, empty)
            raise empty
        self._limits.of(session).check_size(length)
        async with self._database.transaction() as connection:
            current = await records.lock(connection, session.id)
            await self._opener.check_storage(connection, current, length - current.received)
            await records.set_size(connection, session.id, length, now=self._clock())
        return attrs.evolve(session, size=length)

    async def _start_growing(self, session: UploadSession, wire_concatenation: str | None) -> UploadSession:
        """Start the growing object in the store."""
        begun = attrs.evolve(session, wire_concatenation=wire_concatenation)
        try:
            return await self._appender(self._appending()).begin(begun)
        except BaseException:
            await self._ender.give_up(session.id)
            raise

    def _appending(self) -> AppendsObjects:
        if not isinstance(self._store, AppendsObjects):
            raise NotFound("This service's store takes no resumable uploads.")
        return self._store

    def _appender(self, store: AppendsObjects) -> Appender:
        return Appender(self._database, store, self._scratch, self._limits, self._clock)

    def _finisher(self) -> Finisher:
        return Finisher(self._database, self._appending(), self._completion, self._clock)

    def _concatenator(self) -> Concatenator:
        store = self._appending()
        return Concatenator(self._database, store, self._appender(store), self._finisher(), self._ender, self._clock)


async def _refuse_more(data: AsyncIterable[bytes]) -> None:
    """Raise `LengthMismatch` if any byte comes (draft, section "Upload Append")."""
    async for chunk in data:
        if chunk:
            raise LengthMismatch("This upload is complete; nothing can be added to it.")
