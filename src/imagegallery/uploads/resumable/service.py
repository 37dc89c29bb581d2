"""Uploads that come little by little through this service, and go on after any interruption: tus and the IETF draft.

The rules of both protocols are these use cases; what they look like on the wire is `imagegallery_asgi`'s. One request
at a time works on an upload, in whatever process: a newcomer asks the one before to write down what it has and to give
way (draft-ietf-httpbis-resumable-upload, section "Concurrency"; tus leaves it open).
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from uuid import UUID

import attrs

from imagegallery.clock import Clock
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
from imagegallery.uploads.session.lookup import OwnSessions
from imagegallery.uploads.session.opener import NewUpload, SessionOpener
from imagegallery.uploads.session.policy import Declaration, UploadPolicy
from imagegallery.uploads.session.session import Concatenation, Transport, UploadSession, UploadState, raise_if_over

LOCK_PATIENCE = timedelta(seconds=10)
"""How long a newcomer waits for the request before it to give way."""


class ResumableUploads:
    """``gallery.uploads.resumable``. Every call raises `Unauthenticated` or `NotFound` for who is not the owner."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        scratch: TemporaryFiles,
        opener: SessionOpener,
        completion: Completion,
        policy: UploadPolicy,
        clock: Clock,
        patience: timedelta = LOCK_PATIENCE,
    ) -> None:
        self._database = database
        self._store = store
        self._scratch = scratch
        self._opener = opener
        self._completion = completion
        self._sessions = OwnSessions(database, clock)
        self._ender = SessionEnder(database, store, clock)
        self._policy = policy
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
        wire_metadata: str | None = None,
        concatenation: Concatenation | None = None,
        wire_concatenation: str | None = None,
        completes_itself: bool = True,
    ) -> UploadSession:
        """Begin an upload of ``size`` bytes, or of a size that `append` will tell.

        With ``completes_itself`` it is complete as soon as so many bytes are there (tus), else when a request says so
        (the draft). The type may be left to the extension of ``filename``; a partial upload has none. Raises like
        `UploadService.create`.
        """
        self._appending()
        declared = "" if concatenation is Concatenation.PARTIAL else content_type or ""
        session = await self._opener.begin(
            principal,
            NewUpload(
                Declaration(declared, size, sha256),
                filename,
                gallery_id,
                Transport.RESUMABLE,
                wire_metadata=wire_metadata,
                concatenation=concatenation,
                completes_itself=completes_itself and concatenation is not Concatenation.PARTIAL,
            ),
        )
        if session.state is UploadState.COMPLETED:
            return session  # with an image that was there already
        return await self._growing(session, wire_concatenation)

    async def look(self, principal: Principal, session_id: UUID) -> UploadSession:
        """The session as it is, ``received`` being what is durable; the request that is at it gives way first.

        Completes an upload that was cut short after its last byte. Raises what ended the session, `UploadLocked`, and
        what completing raises.
        """
        async with self._current(principal, session_id) as (_, session):
            if session.state is UploadState.COMPLETED or not (has_all(session) or is_whole(session, completes=False)):
                return session
            return await self._finisher().finish(session)

    async def append(
        self, principal: Principal, session_id: UUID, data: AsyncIterable[bytes], piece: UploadPiece
    ) -> UploadSession:
        """Add ``data`` to the end of what has arrived; the last byte completes the upload.

        What had come when ``data`` breaks off, or when another request for the upload comes (`UploadInterrupted`), is
        kept. Raises what ended the session; `OffsetMismatch`, `LengthMismatch`, `ChunkMismatch`, `TooLarge` and
        `DiskFull` with nothing kept; `QuotaExceeded`, which ends the session; `Forbidden` for one that is made of
        others; `UploadEnded` for one that is an image, unless the piece is empty and may repeat; `UploadLocked`; and
        what completing raises.
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
                session = await self._received(session, until_asked(hold, data), piece)
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
        wire_metadata: str | None = None,
        wire_concatenation: str,
    ) -> UploadSession:
        """One upload of partial ones, in this order, complete at once; the partial ones are over then.

        Asked again for the same ones, it answers the same upload. Raises `NotFound` for one that is not the
        principal's, `UploadEnded` for one that went into another upload, `UploadIncomplete` unless each is a partial
        upload that has all its bytes, `UploadLocked`, and like `create` and `complete`.
        """
        concatenator = self._concatenator()
        settled = final_id(principal.require_user(), partial_ids)
        async with self._alone(settled):
            earlier = await concatenator.earlier(settled)
            if earlier is not None:
                return await concatenator.finish(earlier, partial_ids)
            parts = [await self.look(principal, partial_id) for partial_id in partial_ids]
            check_parts(parts, self._policy.max_size)
            session = await self._opener.begin(
                principal,
                NewUpload(
                    Declaration(content_type or "", None, None),  # counts nothing beside its parts
                    filename,
                    gallery_id,
                    Transport.RESUMABLE,
                    wire_metadata=wire_metadata,
                    concatenation=Concatenation.FINAL,
                    completes_itself=True,
                    session_id=settled,
                ),
            )
            return await concatenator.join(await self._growing(session, wire_concatenation), parts)

    async def invalidate(self, principal: Principal, session_id: UUID, error: TooLarge) -> None:
        """End an upload whose client sent more than it had said (draft, section "Upload Append")."""
        session = await self._sessions.get(principal, session_id)
        await self._completion.reject(session.id, error)

    async def terminate(self, principal: Principal, session_id: UUID) -> None:
        """Give the upload up, or forget one that became an image, which stays, or was refused: it is gone afterwards.

        Raises `UploadLocked`, and `Unavailable` when what it left could not be deleted.
        """
        await self._own(principal, session_id)
        async with self._alone(session_id):
            session = await self._own(principal, session_id)
            if session.state not in (UploadState.COMPLETED, UploadState.REJECTED):
                await self._ender.end(session_id)
            else:
                await self._ender.forget(session)

    async def complete(self, session: UploadSession) -> UploadSession:
        """For `UploadService.complete`: take up a completion that was cut short."""
        if has_all(session) and session.state is not UploadState.COMPLETED:
            return await self._finisher().finish(session)
        return session

    async def sweep(self) -> int:
        """Complete what was cut short after its last byte; answers how many became images."""
        return await self._finisher().finish_interrupted() if isinstance(self._store, AppendsObjects) else 0

    def alone_with(self, session: UploadSession) -> AbstractAsyncContextManager[object]:
        """Be the only one, in any process, that works on this upload, if it is a resumable one.

        Raises `UploadLocked` on entering, when whoever is at it does not give way in time.
        """
        return self._alone(session.id) if session.transport is Transport.RESUMABLE else nullcontext()

    async def give_up(self, session_id: UUID) -> None:
        """For who began an upload and could not go on: end it. Asks for no principal, and raises nothing."""
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
        """The session, with nobody else at it, and ``received`` as the store has it. Raises what ended it."""
        await self._own(principal, session_id)
        async with self._alone(session_id) as hold:
            session = await self._own(principal, session_id)
            raise_if_over(session)
            yield (
                hold,
                session if has_all(session) else await self._appender(self._appending()).with_stored_offset(session),
            )

    async def _received(self, session: UploadSession, data: AsyncIterable[bytes], piece: UploadPiece) -> UploadSession:
        """The session with these bytes. One that its owner has no room for is over, and holds nothing more."""
        await self._opener.space.check(piece.announced or 0)
        try:
            whole = await self._with_length(session, declared_length(session, piece))
            return await self._appender(self._appending()).receive(whole, data, piece)
        except QuotaExceeded as error:
            await self._completion.reject(session.id, error)
            raise

    async def _with_length(self, session: UploadSession, length: int | None) -> UploadSession:
        """The session with the length that was told, for good. Raises `EmptyFile`, `TooLarge`, `QuotaExceeded`."""
        if length is None or length == session.size:
            return session
        if length == 0:
            empty = EmptyFile("The file is empty.")
            await self._completion.reject(session.id, empty)
            raise empty
        self._policy.check_size(length)
        async with self._database.transaction() as connection:
            current = await records.lock(connection, session.id)
            await self._opener.check_storage(connection, session.owner_id, length - current.received)
            await records.set_size(connection, session.id, length, now=self._clock())
        return attrs.evolve(session, size=length)

    async def _growing(self, session: UploadSession, wire_concatenation: str | None) -> UploadSession:
        """The session, begun in the store as well."""
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
        return Appender(self._database, store, self._scratch, self._policy, self._clock)

    def _finisher(self) -> Finisher:
        return Finisher(self._database, self._appending(), self._completion, self._clock)

    def _concatenator(self) -> Concatenator:
        store = self._appending()
        return Concatenator(self._database, store, self._appender(store), self._finisher(), self._ender, self._clock)


async def _refuse_more(data: AsyncIterable[bytes]) -> None:
    """Raises `LengthMismatch` if anything comes (draft, section "Upload Append")."""
    async for chunk in data:
        if chunk:
            raise LengthMismatch("This upload is complete; nothing can be added to it.")
