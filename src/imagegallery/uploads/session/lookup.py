"""Finding a principal's own upload sessions."""

from uuid import UUID

from attrs import frozen

from imagegallery.access.decision import require
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.principal import Principal
from imagegallery.uploads.idempotency import check_repeats
from imagegallery.uploads.session import records
from imagegallery.uploads.session.opener import NewUpload
from imagegallery.uploads.session.session import UploadSession


@frozen
class OwnSessions:
    database: Database
    clock: Clock

    async def get(self, principal: Principal, session_id: UUID) -> UploadSession:
        """The session as it is now. Raises `Unauthenticated`, or `NotFound` also for somebody else's."""
        principal.require_user()
        async with self.database.connection() as connection:
            session = await records.get(connection, session_id)
        return require(Permission.VIEW, principal, session, "upload").at(self.clock())

    async def earlier(self, new: NewUpload) -> UploadSession | None:
        """The session that the same request began before, as it is now, if its id follows from a key.

        Raises `IdempotencyKeyReused` if it was another request.
        """
        async with self.database.connection() as connection:
            found = await records.get(connection, new.session_id)
        if found is None:
            return None
        check_repeats(found, new)
        return found.at(self.clock())
