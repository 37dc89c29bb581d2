"""What was done that matters for security, for the owners of the things it was done to, and for
administrators."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import require_role
from imagegallery.access.permission import Permission
from imagegallery.audit import records
from imagegallery.audit.entry import Act, AuditRecord
from imagegallery.audit.options import AuditOptions
from imagegallery.clock import Clock
from imagegallery.common.validation import Faults
from imagegallery.database.pool import Database
from imagegallery.ids import Id, as_id_or_none
from imagegallery.pagination import DEFAULT_LIMIT, CursorPage, check_limit, cut_page, decode_cursor, encode_cursor
from imagegallery.principal import Principal, Role

_PRUNED_AT_ONCE: Final = 1000


@frozen
class AuditService:
    """Owners read what was done to their things; administrators, everything. Nobody changes it."""

    _database: Database
    _options: AuditOptions
    _clock: Clock
    _authority: Authority = field(factory=Authority)

    async def list(
        self,
        principal: Principal,
        *,
        image_id: Id | None = None,
        gallery_id: Id | None = None,
        share_id: Id | None = None,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CursorPage[AuditRecord]:
        """List what was done to the principal's things, or to one of them, latest first. Things that are gone have
        their records still; others' have none here.

        Raises:
            Unauthenticated: Without a user.
            InvalidInput: For an invalid limit, and for more than one thing.
            InvalidCursor: For an invalid cursor.
        """
        owner_id = principal.require_user()
        ids = {
            "image_id": as_id_or_none(image_id, "image_id"),
            "gallery_id": as_id_or_none(gallery_id, "gallery_id"),
            "share_id": as_id_or_none(share_id, "share_id"),
        }
        given = [name for name, value in ids.items() if value is not None]
        faults = Faults()
        for name in given[1:]:
            faults.add(("query", name), f"cannot be asked for together with {given[0]}")
        faults.check()
        check_limit(limit)
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("audit", owner_id))
        return await self._page({"owner_id": owner_id, **ids}, cursor, limit)

    async def all(
        self,
        principal: Principal,
        *,
        owner_id: str | None = None,
        actor_id: str | None = None,
        act: str | None = None,
        image_id: Id | None = None,
        gallery_id: Id | None = None,
        share_id: Id | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CursorPage[AuditRecord]:
        """List everything that was done, or what all that is given fits, latest first. For administrators.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
            InvalidInput: For an unknown act, and an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        require_role(Role.ADMIN, principal)
        faults = Faults()
        known = None if act is None else faults.choice(("query", "act"), act, Act)
        faults.check()
        check_limit(limit)
        asked = {
            "owner_id": owner_id,
            "actor_id": actor_id,
            "act": known,
            "image_id": as_id_or_none(image_id, "image_id"),
            "gallery_id": as_id_or_none(gallery_id, "gallery_id"),
            "share_id": as_id_or_none(share_id, "share_id"),
            "since": since,
            "until": until,
        }
        return await self._page(asked, cursor, limit)

    async def prune(self) -> int:
        """Delete what is past its retention. Returns the number of entries."""
        before, pruned = self._clock() - self._options.retention, 0
        while True:
            async with self._database.transaction() as connection:
                count = await records.prune(connection, before, _PRUNED_AT_ONCE)
            pruned += count
            if count < _PRUNED_AT_ONCE:
                return pruned

    async def _page(self, asked: Mapping[str, object], cursor: str | None, limit: int) -> CursorPage[AuditRecord]:
        scope = "audit:" + ":".join(str(value) for value in asked.values())
        before = None if cursor is None else decode_cursor(cursor, scope, datetime, UUID)
        async with self._database.connection() as connection:
            found = await records.find(connection, asked, before, limit + 1)
        return cut_page(found, limit, lambda last: encode_cursor(scope, (last.happened_at, last.id)))
