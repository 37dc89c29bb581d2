"""Create an upload session and tell the client how to send the file."""

from uuid import UUID

import attrs
from attrs import frozen

from imagegallery.access.contributor import sender_of
from imagegallery.common.idempotency import id_for
from imagegallery.errors import ImageGalleryError, NotFound
from imagegallery.principal import Principal
from imagegallery.storage.protocol import ObjectStore, PresignsUploads
from imagegallery.uploads.multipart.parts import UploadParts
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.lookup import SESSIONS, OwnSessions
from imagegallery.uploads.session.opener import NewUpload, SessionOpener
from imagegallery.uploads.session.policy import Declaration
from imagegallery.uploads.session.session import Transport, UploadSession


@frozen
class UploadCreator:
    """Begins the uploads of `UploadService.create`."""

    store: ObjectStore
    sessions: OwnSessions
    opener: SessionOpener
    parts: UploadParts
    limits: UploadLimits

    async def create(
        self,
        principal: Principal,
        declaration: Declaration,
        filename: str,
        gallery_id: UUID | None,
        policy: str | None,
        idempotency_key: str | None,
    ) -> UploadSession:
        """Create it with the right transport; with a key only once, however often it is requested."""
        new = attrs.evolve(self._plan(declaration, filename, gallery_id), policy=policy)
        if idempotency_key is None:
            return await self._prepare(await self.opener.begin(principal, new))
        session_id = id_for(SESSIONS, sender_of(principal), idempotency_key)
        return await self._once(principal, attrs.evolve(new, session_id=session_id))

    async def create_in_one_request(
        self, principal: Principal, declaration: Declaration, filename: str, gallery_id: UUID | None, policy: str | None
    ) -> UploadSession:
        """Create an upload in one request to the store, after which no other follows. Raises `NotFound` if the store
        accepts none."""
        if not isinstance(self.store, PresignsUploads):
            raise NotFound("This service's store takes no uploads from clients.")
        new = NewUpload(declaration, filename, gallery_id, Transport.SIMPLE, completes_itself=True, policy=policy)
        return await self._with_upload_request(await self.opener.begin(principal, new))

    async def _once(self, principal: Principal, new: NewUpload) -> UploadSession:
        """If preparing the upload request fails, the session stays open so that a concurrent repetition can use it."""
        session = await self.sessions.earlier(new)
        if session is None:
            try:
                session = await self.opener.begin(principal, new)
            except ImageGalleryError:  # a concurrent repetition may have been quicker, and taken the quota
                session = await self.sessions.earlier(new)
                if session is None:
                    raise
        return await self._with_upload_request(session)

    def _plan(self, declaration: Declaration, filename: str, gallery_id: UUID | None) -> NewUpload:
        plan = self.parts.plan_for(declaration.size) if declaration.size is not None else None
        if plan is not None:
            return NewUpload(declaration, filename, gallery_id, Transport.PARTS, part_size=plan.size)
        takes_files = isinstance(self.store, PresignsUploads)
        return NewUpload(declaration, filename, gallery_id, Transport.SIMPLE if takes_files else Transport.SERVICE)

    async def _prepare(self, session: UploadSession) -> UploadSession:
        """A session that has just begun, with what its client has to send."""
        if session.transport is Transport.PARTS and not session.state.is_ended:
            return await self.parts.open_or_abort(session)
        return await self._with_upload_request(session)

    async def _with_upload_request(self, session: UploadSession) -> UploadSession:
        """Return the session with its upload request, if any. May be repeated."""
        if session.state.is_ended:
            return session
        if session.transport is Transport.PARTS:
            return await self.parts.with_upload_request(session)
        if session.transport is not Transport.SIMPLE or not isinstance(self.store, PresignsUploads):
            return session
        request = await self.store.presign_upload(
            session.incoming_key,
            content_type=session.content_type,
            size=session.size or session.reserved or self.limits.of(session).max_size,
            sha256=session.sha256.hex() if session.sha256 else None,
            expires_at=session.expires_at,
            is_exact=session.size is not None,
        )
        return attrs.evolve(session, request=request)
