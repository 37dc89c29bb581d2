"""Find a principal's own upload sessions, and the session of an earlier same request.

The session's row has the content of a request with a key (`imagegallery.common.idempotency`).
"""

from uuid import UUID

from attrs import field, frozen

from imagegallery.access import records as access_records
from imagegallery.access.authority import Authority
from imagegallery.access.decision import Facts, contributor_to
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import IdempotencyKeyReused
from imagegallery.principal import Principal
from imagegallery.uploads.session import records
from imagegallery.uploads.session.opener import NewUpload, stored_filename
from imagegallery.uploads.session.policy import declared_type
from imagegallery.uploads.session.session import UploadSession

SESSIONS = UUID("0e0d9a3c-54f5-4a1e-8c2c-6d9a1f6ee5b7")
STAGED = UUID("3f0b9f5e-6b1d-4f7c-9a50-2c8f2a1f7e94")
ONE_CALL = UUID("5d6fd0c1-3b0c-4d5e-9c0b-0c7f1f2d7b52")
RESUMABLE = UUID("b7c1b0de-8d0b-4d0c-a3a1-93c1c5c8f1a6")


@frozen
class OwnSessions:
    database: Database
    clock: Clock
    authority: Authority = field(factory=Authority)

    async def get(self, principal: Principal, session_id: UUID) -> UploadSession:
        """Return the current session. Raises `Unauthenticated`, or `NotFound`, also for another owner's."""
        principal.require_known()
        async with self.database.connection() as connection:
            session = await records.get(connection, session_id)
            found = await self.authority.require(Permission.VIEW, principal, session, "upload", session_id)
            current = found.at(self.clock())
            if not current.state.is_ended:
                await self._check_may_still_add(connection, principal, current)
        return current

    async def _check_may_still_add(self, connection: Connection, principal: Principal, session: UploadSession) -> None:
        """Raise `NotFound` or `Forbidden` if what let the principal add to another's gallery is over."""
        gallery_id = session.gallery_id
        if session.sender is None or gallery_id is None or contributor_to(principal, Facts(session.owner_id)) is None:
            return
        facts = await access_records.of_gallery_for(connection, principal, gallery_id, now=self.clock())
        await self.authority.require(Permission.ADD_IMAGES, principal, facts, "gallery", gallery_id)

    async def earlier(self, new: NewUpload) -> UploadSession | None:
        """Return the current session of an earlier same request, if its id follows from a key.

        Raises `IdempotencyKeyReused` if it was another request.
        """
        async with self.database.connection() as connection:
            found = await records.get(connection, new.session_id)
        if found is None:
            return None
        check_repeats(found, new)
        return found.at(self.clock())


def check_repeats(session: UploadSession, new: NewUpload) -> None:
    """Raise `IdempotencyKeyReused` unless ``session`` came from a request like ``new``."""
    declared = new.declaration
    is_at_only_gallery = session.sender is not None and new.gallery_id is None
    if (
        session.content_type != declared_type(declared.content_type, new.filename)
        or not (session.gallery_id == new.gallery_id or is_at_only_gallery)
        or session.filename != stored_filename(new.filename, session.content_type)
        or declared.size not in (None, session.came[0])
        or session.sha256 != declared.sha256
        or session.on_duplicate != declared.on_duplicate
        or (session.meta, session.visibility) != (declared.meta, declared.visibility)
        or new.policy not in (None, session.policy)
    ):
        raise IdempotencyKeyReused("This idempotency key was used for another file.", upload_id=str(session.id))
