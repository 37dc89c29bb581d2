"""What uploads have for those who serve them to clients: an HTTP package, and the bucket's notifications."""

from collections.abc import AsyncIterable
from contextlib import suppress
from uuid import UUID

from attrs import frozen

from imagegallery.access.audience import Visibility
from imagegallery.common.meta import NO_META, Meta
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound, UploadEnded, UploadExpired
from imagegallery.principal import Principal
from imagegallery.storage.space import Space
from imagegallery.uploads.completion.completion import Completion
from imagegallery.uploads.creation import UploadCreator
from imagegallery.uploads.known_bytes import KnownBytes
from imagegallery.uploads.reception import BodyReceiver
from imagegallery.uploads.resumable.service import ResumableUploads
from imagegallery.uploads.session import records
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.lookup import OwnSessions
from imagegallery.uploads.session.policy import Declaration
from imagegallery.uploads.session.rejection import VERDICTS
from imagegallery.uploads.session.session import Transport, UploadSession, UploadState
from imagegallery.uploads.signed import SignedUploads
from imagegallery.uploads.staged.attachments import Attachments


@frozen
class ServerUploads:
    """``resumable`` is for files that come in pieces, ``signed`` for those sent to signed URLs of our own,
    ``attachments`` for what is staged; ``limits`` are those of the service and of named policies."""

    resumable: ResumableUploads
    signed: SignedUploads
    attachments: Attachments
    limits: UploadLimits
    _database: Database
    _sessions: OwnSessions
    _creator: UploadCreator
    _receiver: BodyReceiver
    _known: KnownBytes
    _completion: Completion
    _space: Space

    async def create_in_one_request(
        self,
        principal: Principal,
        *,
        filename: str,
        content_type: str,
        size: int | None = None,
        gallery_id: UUID | None = None,
        meta: Meta = NO_META,
        visibility: Visibility | str = Visibility.PRIVATE,
        policy: str | None = None,
    ) -> UploadSession:
        """Start an upload for a client that sends one request and nothing after it: it is completed when the bytes
        arrive.

        Raises as `UploadService.create`, and `NotFound` if clients cannot write to the store.
        """
        return await self._creator.create_in_one_request(
            principal, Declaration(content_type, size, meta=meta, visibility=visibility), filename, gallery_id, policy
        )

    async def complete_arrived(self, incoming_key: str) -> None:
        """Complete the upload an object-created notification belongs to. The signed URL was the authorization.

        Does nothing for other keys, for uploads through this service, which notices completion itself, and for those
        that are over; a rejected one is over, too. Raises `UploadIncomplete` if the bytes are not found, and
        `Unavailable`.
        """
        async with self._database.connection() as connection:
            session = await records.find_by_incoming_key(connection, incoming_key)
        if session is None or session.transport not in (Transport.SIMPLE, Transport.PARTS):
            return
        with suppress(NotFound, UploadEnded, UploadExpired, *VERDICTS):
            await self._completion.complete(session)

    async def receive(self, principal: Principal, session_id: UUID, data: AsyncIterable[bytes]) -> UploadSession:
        """Receive the file's bytes and pass them to the store. May be repeated with the same bytes.

        Raises as `UploadService.get`, and what rejected the upload.

        Raises:
            UploadExpired: If its time is over.
            UploadEnded: If it has ended.
            Conflict: If other bytes have come.
            TooLarge: Ends the session.
            SizeMismatch: Ends the session.
            EmptyFile: Ends the session.
        """
        session = await self._receiver.caught_up(await self._sessions.get(principal, session_id))
        if session.state not in (UploadState.UPLOADED, UploadState.COMPLETED):
            await self._space.check()
            return await self._receiver.receive(session.id, data)
        await self._known.recognize(session, data)
        return session
