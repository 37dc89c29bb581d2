"""Erasures, for owners and for operators."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Final

from attrs import frozen

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import Act, AuditEntry, Warrant
from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, NotFound
from imagegallery.events import records as events
from imagegallery.ids import new_id
from imagegallery.pagination import LAST_ID
from imagegallery.principal import Principal
from imagegallery.privacy import erasure_records as records
from imagegallery.privacy.closing import Closing
from imagegallery.privacy.erasure import Erasure, ErasureState, erase_job
from imagegallery.privacy.events import ErasureCancelled, ErasureRequested
from imagegallery.privacy.options import PrivacyOptions
from imagegallery.queue.protocol import JobOutbox

BATCH: Final = 100


@frozen
class ErasureService:
    """Erases all that an owner has, after a time to take it back."""

    _database: Database
    _outbox: JobOutbox
    _closing: Closing
    _options: PrivacyOptions
    _clock: Clock
    _authority: Authority

    async def request(
        self, principal: Principal, *, grace: timedelta | None = None, by: Warrant | None = None
    ) -> Erasure:
        """Close all that the principal has to others now, and erase it later. If that is under way, it is that.

        Args:
            grace: How much later, in place of ``privacy.erase_grace``.
            by: What allows it, if an operator asks for it.

        Raises:
            Unauthenticated: Without a user.
        """
        owner_id, now = principal.require_user(), self._clock()
        await self._authority.confirm(Permission.DELETE, principal, AccessSubject("library", owner_id))
        erase_at = now + (self._options.erase_grace if grace is None else grace)
        erasure = Erasure(new_id(), owner_id, ErasureState.REQUESTED, {}, now, erase_at)
        async with self._database.transaction() as connection:
            if await records.insert(connection, erasure):
                await self._closing.close(connection, owner_id)
                await self._outbox.enqueue(connection, erase_job(erasure, principal.emails, erase_at), now=now)
                await events.record(connection, ErasureRequested(owner_id, erasure.id, erase_at), now=now)
                act = AuditEntry.under(by or Warrant.of_owner(principal), Act.ERASURE_REQUESTED, owner_id)
                await audit.record(connection, act, now=now)
            found = await records.get_of(connection, owner_id)
        if found is None:
            raise Conflict("The last erasure has just ended.")
        return found

    async def get(self, principal: Principal) -> Erasure:
        """Return the principal's erasure that is under way.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If there is none, or all is erased.
        """
        owner_id = principal.require_user()
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("library", owner_id))
        async with self._database.connection() as connection:
            found = await records.get_of(connection, owner_id)
        if found is None:
            raise NotFound.of("erasure")
        return found

    async def cancel(self, principal: Principal, *, by: Warrant | None = None) -> None:
        """Stay: nothing is erased, and what was public is so again. Shares that were ended stay so.

        Args:
            by: As in `request`.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If there is no erasure.
            Conflict: If it has begun.
        """
        owner_id, now = principal.require_user(), self._clock()
        await self._authority.confirm(Permission.DELETE, principal, AccessSubject("library", owner_id))
        async with self._database.transaction() as connection:
            found = await records.lock_of(connection, owner_id)
            if found is None:
                raise NotFound.of("erasure")
            if found.state is not ErasureState.REQUESTED:
                raise Conflict("The erasure has begun.")
            await records.delete(connection, found.id)
            await self._closing.reopen(connection, owner_id)
            await events.record(connection, ErasureCancelled(owner_id, found.id), now=now)
            act = AuditEntry.under(by or Warrant.of_owner(principal), Act.ERASURE_CANCELLED, owner_id)
            await audit.record(connection, act, now=now)

    async def all(self) -> AsyncGenerator[Erasure, None]:
        """Yield all erasures, receipts among them, the latest first. For operators: it checks no principal."""
        before = LAST_ID
        while True:
            async with self._database.connection() as connection:
                page = await records.list_before(connection, before, BATCH)
            for erasure in page:
                yield erasure
            if len(page) < BATCH:
                return
            before = page[-1].id
