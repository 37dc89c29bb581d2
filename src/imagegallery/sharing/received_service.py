"""What others share with a user, who may keep what a link opened, and give it back."""

from uuid import UUID

from attrs import field, frozen

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import Act, Actor, AuditEntry, by_share
from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, NotFound
from imagegallery.events import records as events
from imagegallery.ids import Id, as_id, new_id
from imagegallery.pagination import DEFAULT_LIMIT, CursorPage, check_limit, cut_page, decode_cursor, encode_cursor
from imagegallery.principal import Principal
from imagegallery.sharing import received_records, records
from imagegallery.sharing.events import ShareJoined, ShareLeft
from imagegallery.sharing.link import OpenedShare
from imagegallery.sharing.received import MAX_JOINED, ReceivedShare


@frozen
class ReceivedShareService:
    """Shares of others, as their recipients have them."""

    _database: Database
    _clock: Clock
    _authority: Authority = field(factory=Authority)

    async def list(
        self, principal: Principal, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[ReceivedShare]:
        """List what is shared with the principal, or with a group or an address of theirs, and what they have kept of
        links, the latest first.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        user_id = principal.require_user()
        check_limit(limit)
        scope = f"received:{user_id}"
        after = None if cursor is None else decode_cursor(cursor, scope, UUID)[0]
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("shares", user_id))
        async with self._database.reading(principal) as connection:
            found = await received_records.list_received(connection, principal, after, limit + 1, now=self._clock())
        return cut_page(found, limit, lambda last: encode_cursor(scope, (last.id,)))

    async def get(self, principal: Principal, share_id: Id) -> ReceivedShare:
        """Return one of these. Its owner sees that this recipient has opened it (`ShareService.accesses`).

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        share_id, now = as_id(share_id, "share_id"), self._clock()
        user_id = principal.require_user()
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("shares", user_id))
        async with self._database.transaction() as connection:
            found = await received_records.get(connection, principal, share_id, now=now)
            if found is None:
                raise NotFound.of("share")
            await records.record_recipient(connection, share_id, principal, now=now)
        return found

    async def join(self, principal: Principal, opened: OpenedShare) -> ReceivedShare:
        """Keep a share that the principal has opened by its link (`LinkService.open`), until it ends, or they leave
        it: whatever becomes of the link and its password. It may be repeated. The owner sees who has.

        Raises:
            Unauthenticated: Without a user.
            Conflict: If it is the principal's own, or 10,000 have kept it.
            NotFound: If it ended meanwhile.
        """
        user_id, now = principal.require_user(), self._clock()
        share = opened.share
        if share.owner_id == user_id:
            raise Conflict("This is your own share.")
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("shares", user_id))
        async with self._database.transaction() as connection:
            before = await received_records.get(connection, principal, share.id, now=now)
            if await received_records.count_joined(connection, share.id, MAX_JOINED) >= MAX_JOINED and before is None:
                raise Conflict(f"{MAX_JOINED:,} have kept this share already.")
            await received_records.join(connection, share.id, user_id, new_id(), now=now)
            received = await received_records.get(connection, principal, share.id, now=now)
            if received is None:
                raise NotFound.of("share")
            if before is None or before.joined_at is None:
                await self._tell(
                    connection, principal, Act.SHARE_JOINED, ShareJoined(share.owner_id, share.id, user_id)
                )
        return received

    async def leave(self, principal: Principal, share_id: Id) -> None:
        """Give back what was shared with the principal, or what they kept.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
            Conflict: If they have it by a group alone.
        """
        share_id = as_id(share_id, "share_id")
        user_id, now = principal.require_user(), self._clock()
        async with self._database.transaction() as connection:
            if await received_records.get(connection, principal, share_id, now=now) is None:
                raise NotFound.of("share")
            share = await records.lock(connection, share_id)
            if share is None:
                raise NotFound.of("share")
            if not await received_records.leave(connection, share_id, user_id, principal.emails):
                raise Conflict("You have this by a group that you are in: only its owner can end it.")
            await self._tell(connection, principal, Act.SHARE_LEFT, ShareLeft(share.owner_id, share_id, user_id))

    async def _tell(
        self, connection: Connection, principal: Principal, act: Act, event: ShareJoined | ShareLeft
    ) -> None:
        """Tell the owner, and keep it."""
        now, share_id = self._clock(), event.share_id
        entry = AuditEntry(act, Actor.of(principal), by_share(share_id), event.owner_id, share_id=share_id)
        await events.record(connection, event, now=now)
        await audit.record(connection, entry, now=now)
