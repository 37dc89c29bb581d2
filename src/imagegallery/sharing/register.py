"""Everybody's shares, for operators of the service. Checks no principal: it is not for users."""

from collections.abc import AsyncGenerator

from attrs import frozen

from imagegallery.audit import records as audit
from imagegallery.audit.entry import BY_OPERATOR, OPERATOR, Act, AuditEntry
from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.events import records as events
from imagegallery.ids import Id, as_id
from imagegallery.sharing import records
from imagegallery.sharing.events import ShareRevoked
from imagegallery.sharing.share import Share

BATCH = 500


@frozen
class ShareRegister:
    _database: Database
    _clock: Clock

    async def all(self, owner_id: str | None = None) -> AsyncGenerator[Share, None]:
        """Yield all shares, or one owner's, newest first; those that have ended, too."""
        after = None
        while True:
            async with self._database.connection() as connection:
                page = await records.list_all(connection, owner_id, after, BATCH)
            for share in page:
                yield share
            if len(page) < BATCH:
                return
            after = (page[-1].created_at, page[-1].id)

    async def get(self, share_id: Id) -> Share:
        """Return a share. Raises `NotFound`."""
        async with self._database.connection() as connection:
            found = await records.get(connection, as_id(share_id, "share_id"))
        if found is None:
            raise NotFound.of("share")
        return found

    async def revoke(self, share_id: Id) -> Share:
        """End a share for everybody, at once; its owner learns of it by an event. It may be repeated.

        Raises:
            NotFound: If there is none of this id.
        """
        share_id, now = as_id(share_id, "share_id"), self._clock()
        async with self._database.transaction() as connection:
            share = await records.lock(connection, share_id)
            if share is None:
                raise NotFound.of("share")
            if share.revoked_at is None:
                await records.revoke(connection, share_id, now=now)
                await events.record(connection, ShareRevoked(share.owner_id, share_id), now=now)
                entry = AuditEntry(Act.SHARE_REVOKED, OPERATOR, BY_OPERATOR, share.owner_id, share_id=share_id)
                await audit.record(connection, entry, now=now)
        return await self.get(share_id)
