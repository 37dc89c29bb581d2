"""Append the bytes of one request to a resumable upload."""

import hashlib
import hmac
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import suppress

import anyio
import attrs
from anyio import to_thread
from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.contributions.contribution import no_room
from imagegallery.database.advisory import Hold
from imagegallery.database.pool import Database
from imagegallery.errors import (
    ChunkMismatch,
    ImageGalleryError,
    ObjectNotFound,
    OffsetMismatch,
    PreconditionFailed,
    TooLarge,
    UploadEnded,
    UploadInterrupted,
)
from imagegallery.storage.protocol import AppendsObjects, TemporaryFiles
from imagegallery.storage.streams import HASH_IN_THREAD, HashingStream, at_most, copy_to_file, file_chunks
from imagegallery.uploads.resumable.rules import UploadChecksum, UploadPiece, check_announced, has_arrived
from imagegallery.uploads.session import records
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.opener import max_upload_size
from imagegallery.uploads.session.session import Concatenation, UploadEvent, UploadSession, UploadState

_PATIENCE = 10.0  # seconds to record the progress of an interrupted request

BEGUN = fault_point("resumable.begun", "the store has begun what will grow, no row knows its name for it")
APPENDED = fault_point("resumable.appended", "the store holds the bytes of a request, the row does not say so")


class ChecksumStream:
    """Yields the same chunks, once; then `check` tells whether they have the checksum."""

    def __init__(self, chunks: AsyncIterable[bytes], checksums: Iterable[UploadChecksum]) -> None:
        self._chunks = chunks
        self._expected = tuple(checksums)
        self._digests = [hashlib.new(each.algorithm, usedforsecurity=False) for each in self._expected]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            if len(chunk) < HASH_IN_THREAD:
                self._update(chunk)
            else:
                await to_thread.run_sync(self._update, chunk)
            yield chunk

    def check(self) -> None:
        """Raise `ChunkMismatch`."""
        for expected, digest in zip(self._expected, self._digests, strict=True):
            if not hmac.compare_digest(expected.digest, digest.digest()):
                raise ChunkMismatch(f"The {expected.algorithm} of these bytes is not the one that was announced.")

    def _update(self, chunk: bytes) -> None:
        for digest in self._digests:
            digest.update(chunk)


@frozen
class Appender:
    """Appends bytes. The offset is what the store holds durably. The caller allows one request at a time."""

    database: Database
    store: AppendsObjects
    scratch: TemporaryFiles
    limits: UploadLimits
    clock: Clock

    async def begin(self, session: UploadSession) -> UploadSession:
        """Start the growing object in the store, and record its id."""
        append_id = await self.store.begin_append(session.incoming_key, content_type=session.content_type)
        BEGUN.reached()
        async with self.database.connection() as connection:
            await records.attach(connection, session.id, append_id, session.wire_concatenation, now=self.clock())
        return attrs.evolve(session, multipart_id=append_id, received=0)

    async def with_stored_offset(self, session: UploadSession) -> UploadSession:
        """The session with ``received`` as the store has it. Starts the growing object if needed."""
        if session.multipart_id is None:
            return await self.begin(session)
        try:
            received = await self.store.appended(session.incoming_key, session.multipart_id)
        except ObjectNotFound:
            await self._end(session)
            raise UploadEnded("What had arrived of this upload is gone; start a new one.") from None
        return attrs.evolve(session, received=received)

    async def receive(self, session: UploadSession, data: AsyncIterable[bytes], piece: UploadPiece) -> UploadSession:
        """Append ``data``. What arrived before an interruption is kept, unless it had to be checked first.

        Raises `TooLarge`, `QuotaExceeded`, `ChunkMismatch` and `OffsetMismatch`, keeping nothing; and what ``data``
        raises.
        """
        limit = await self._limit(session)
        passing = HashingStream(data)
        try:
            check_announced(piece, limit)
            received = await self._append(session, passing, piece, limit)
        except TooLarge as error:
            await self._try_save_progress(session)
            if session.size is None and limit < self.limits.of(session).max_size:
                raise no_room() from error
            raise
        except PreconditionFailed as error:
            now = await self.with_stored_offset(session)
            raise OffsetMismatch(now.received, piece.offset) from error
        except BaseException:
            await self._try_save_progress(session)
            raise
        APPENDED.reached()
        # Each of several requests only sees its own bytes. The last may bring none, and only say that this was all.
        earlier = session.received_sha256 if passing.size == 0 else None
        sha256 = passing.sha256() if passing.size == received else earlier
        progress = attrs.evolve(session, received=received, received_sha256=sha256)
        if has_arrived(progress, completes=piece.completes):
            return await self._save_progress(progress, UploadEvent.ARRIVE)
        if received != session.size:
            progress = attrs.evolve(progress, received_sha256=None)
        return await self._save_progress(progress)

    async def _append(self, session: UploadSession, data: AsyncIterable[bytes], piece: UploadPiece, limit: int) -> int:
        if not piece.checksums:
            return await self._write(session, data, limit)
        async with self.scratch.directory() as directory:
            checking = ChecksumStream(at_most(data, limit - session.received), piece.checksums)
            await copy_to_file(checking, directory / "piece")
            checking.check()
            return await self._write(session, file_chunks(directory / "piece"), limit)

    async def _write(self, session: UploadSession, data: AsyncIterable[bytes], limit: int) -> int:
        append_id = session.multipart_id or ""
        return await self.store.append(session.incoming_key, append_id, data, offset=session.received, max_size=limit)

    async def _limit(self, session: UploadSession) -> int:
        """How large the whole may become: its length, or what policy and storage allow without a known length."""
        if session.size is not None:
            return session.size
        if session.concatenation is Concatenation.FINAL:
            return self.limits.of(session).max_size  # its bytes are there already, and counted
        return await max_upload_size(self.database, session, self.limits, now=self.clock())

    async def _save_progress(self, session: UploadSession, event: UploadEvent = UploadEvent.BEGIN) -> UploadSession:
        """Record the progress, unless the upload was ended meanwhile."""
        received = session.received
        size = received if event is UploadEvent.ARRIVE else session.size
        async with self.database.connection() as connection:
            return await records.advance(
                connection,
                session.id,
                event,
                received=received,
                size=size,
                sha256=session.received_sha256,
                now=self.clock(),
            )

    async def _try_save_progress(self, session: UploadSession) -> None:
        """The same for a failed request, if possible; the store knows it anyway."""
        with anyio.move_on_after(_PATIENCE, shield=True), suppress(ImageGalleryError):
            await self._save_progress(await self.with_stored_offset(session))

    async def _end(self, session: UploadSession) -> None:
        async with self.database.transaction() as connection:
            current = await records.lock(connection, session.id)
            if not current.state.is_ended:
                await records.update(connection, session.id, UploadState.CANCELLED, now=self.clock())


async def until_asked(hold: Hold, data: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield ``data`` until another request asks for the upload. Then raises `UploadInterrupted`."""
    source = aiter(data)
    while (chunk := await _next_unless_asked(hold, source)) is not None:
        yield chunk


async def _next_unless_asked(hold: Hold, source: AsyncIterator[bytes]) -> bytes | None:
    """The next chunk, ``None`` at the end."""
    with hold.while_unasked():
        return await anext(source, None)
    raise UploadInterrupted("Another request for this upload came, and this one gave way.")
