"""Concatenation of partial uploads (tus, section "Concatenation"), once, however often the request is repeated.

A client that missed the response asks again. The final upload's id follows from its owner and its parts, so the
repetition finds it. Ids are unique, so there is only one even if its lock is lost.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from uuid import UUID

from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound, ObjectNotFound, UploadEnded
from imagegallery.storage.protocol import AppendsObjects
from imagegallery.uploads.resumable.appends import Appender
from imagegallery.uploads.resumable.finish import Finisher
from imagegallery.uploads.resumable.rules import UploadPiece, has_all
from imagegallery.uploads.session import records
from imagegallery.uploads.session.end import SessionEnder
from imagegallery.uploads.session.rejection import REJECTIONS
from imagegallery.uploads.session.session import UploadSession, UploadState, raise_if_over

JOINED = fault_point("resumable.joined", "parts became an image; they are there still, and no client has heard of it")


@frozen
class Concatenator:
    """Concatenates partial uploads. The caller allows one request at a time for the final one."""

    database: Database
    store: AppendsObjects
    appender: Appender
    finisher: Finisher
    ender: SessionEnder
    clock: Clock

    async def earlier(self, final_id: UUID) -> UploadSession | None:
        """The final upload if it has all its bytes. One that ended before is deleted.

        Raises what rejected it, or `UploadExpired`.
        """
        async with self.database.connection() as connection:
            found = await records.get(connection, final_id)
        if found is None:
            return None
        session = found.at(self.clock())
        if session.state in (UploadState.REJECTED, UploadState.EXPIRED):
            raise_if_over(session)
        return session if has_all(session) else await self._forget(session)

    async def join(self, session: UploadSession, parts: Sequence[UploadSession]) -> UploadSession:
        """Give ``session`` the bytes of ``parts``, in this order, and `finish` it."""
        try:
            copied = await self._copy(session, parts)
        except BaseException:
            await self.ender.give_up(session.id)
            raise
        return await self.finish(copied, [part.id for part in parts])

    async def finish(self, session: UploadSession, part_ids: Iterable[UUID]) -> UploadSession:
        """Complete it, or resume an interrupted completion. The parts are then over, also if it is rejected."""
        try:
            is_over = session.state is UploadState.COMPLETED
            whole = session if is_over else await self.finisher.finish(session)
        except REJECTIONS:
            await self._end_all(part_ids)
            raise
        except BaseException:
            await self.ender.give_up(session.id)
            raise
        JOINED.reached()
        await self._end_all(part_ids)
        return whole

    async def _forget(self, session: UploadSession) -> UploadSession | None:
        """Return the session if the previous lock holder completed it meanwhile, otherwise delete it and return
        ``None``."""
        ended = await self.ender.end(session.id)
        if ended.state is UploadState.COMPLETED:
            return ended
        await self.ender.forget(ended)
        return None

    async def _copy(self, session: UploadSession, parts: Sequence[UploadSession]) -> UploadSession:
        for part in parts:
            session = await self.appender.receive(session, self._bytes_of(part), UploadPiece(session.received))
        return session

    async def _bytes_of(self, part: UploadSession) -> AsyncIterator[bytes]:
        """The bytes of a part. Raises `UploadEnded` if another final upload with the same part was quicker."""
        try:
            async for chunk in self.store.read_appended(part.incoming_key, part.multipart_id or ""):
                yield chunk
        except ObjectNotFound:
            raise UploadEnded("A part of this upload is gone: it went into another one.") from None

    async def _end_all(self, session_ids: Iterable[UUID]) -> None:
        for session_id in set(session_ids):
            with suppress(NotFound):  # of a late repetition: a part is deleted before what was made of it
                await self.ender.end(session_id)
