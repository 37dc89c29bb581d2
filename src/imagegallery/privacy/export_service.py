"""Exports, for owners: an archive of all that is kept of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import Act, AuditEntry, Warrant
from imagegallery.clock import Clock
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, NotFound, RateLimited
from imagegallery.ids import Id, as_id, new_id
from imagegallery.principal import Principal
from imagegallery.privacy import export_records as records
from imagegallery.privacy.archive import Archive
from imagegallery.privacy.export import Export, ExportState, export_job
from imagegallery.privacy.export_end import ExportEnder
from imagegallery.privacy.options import PrivacyOptions
from imagegallery.queue.protocol import JobOutbox
from imagegallery.storage.protocol import ObjectStore

DAY: Final = timedelta(days=1)


@frozen
class ExportService:
    """Archives of everything of an owner: a worker takes a snapshot and reads the originals once, then any part of the
    archive can be fetched, as often as needed, until it expires."""

    _database: Database
    _store: ObjectStore
    _outbox: JobOutbox
    _options: PrivacyOptions
    _clock: Clock
    _authority: Authority
    _ender: ExportEnder

    async def request(self, principal: Principal, *, by: Warrant | None = None) -> Export:
        """Have an archive made of all that is kept of the principal. If there is one, or one is being made, it is that.

        Args:
            by: What allows it, if an operator asks for it; then it is not counted.

        Raises:
            Unauthenticated: Without a user.
            RateLimited: After too many in a day.
        """
        owner_id, export_id, now = principal.require_user(), new_id(), self._clock()
        await self._authority.confirm(Permission.DOWNLOAD, principal, AccessSubject("library", owner_id))
        async with self._database.transaction() as connection:
            expires_at = now + self._options.export_lifetime
            is_new = await records.insert(connection, export_id, owner_id, now=now, expires_at=expires_at)
            if is_new:
                if by is None:
                    await self._check_rate(connection, owner_id, now)
                act = AuditEntry.under(by or Warrant.of_owner(principal), Act.EXPORT_REQUESTED, owner_id)
                await audit.record(connection, act, now=now)
                await self._outbox.enqueue(connection, export_job(export_id, owner_id), now=now)
            found = await records.get_open(connection, owner_id)
        if found is None:
            raise Conflict("The last export has just ended; ask again.")
        return found

    async def _check_rate(self, connection: Connection, owner_id: str, now: datetime) -> None:
        count, first_at = await records.count_since(connection, owner_id, now - DAY)
        if count > self._options.exports_per_day and first_at is not None:
            wait = max(1, round((first_at + DAY - now).total_seconds()))
            raise RateLimited("Too many exports; try again later.", retry_after=wait)

    async def list(self, principal: Principal) -> Sequence[Export]:
        """Return the principal's exports of the last days, latest first.

        Raises:
            Unauthenticated: Without a user.
        """
        owner_id = principal.require_user()
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.connection() as connection:
            return await records.list_owned(connection, owner_id)

    async def get(self, principal: Principal, export_id: Id) -> Export:
        """Return an export, with its state and progress.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        return await self._find(Permission.VIEW, principal, as_id(export_id, "export_id"))

    async def archive(self, principal: Principal, export_id: Id) -> Archive:
        """Return the archive of an export that is ready.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id, and when it has expired.
            Conflict: If it is not ready.
        """
        export = await self._find(Permission.DOWNLOAD, principal, as_id(export_id, "export_id"))
        if export.state is ExportState.ENDED or export.expires_at <= self._clock():
            raise NotFound.of("export")
        if export.state is not ExportState.READY:
            raise Conflict("The archive is not ready." if export.state.is_open else "The archive could not be made.")
        return Archive(self._database, self._store, export)

    async def delete(self, principal: Principal, export_id: Id) -> None:
        """End an export: what is made for it is deleted, and its archive cannot be fetched any more.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        export = await self._find(Permission.DELETE, principal, as_id(export_id, "export_id"))
        await self._ender.end(export)

    async def sweep(self) -> int:
        """End exports whose time is over. Returns their number. Workers call it regularly."""
        now = self._clock()
        async with self._database.connection() as connection:
            expired = await records.list_expired(connection, now=now, counted_since=now - DAY)
        for export in expired:
            await self._ender.end(export)
            if export.created_at <= now - DAY:
                async with self._database.transaction() as connection:
                    await records.delete(connection, export.id)
        return len(expired)

    async def _find(self, needed: Permission, principal: Principal, export_id: UUID) -> Export:
        principal.require_user()
        async with self._database.connection() as connection:
            found = await records.get(connection, export_id)
        return await self._authority.require(needed, principal, found, "export", export_id)
