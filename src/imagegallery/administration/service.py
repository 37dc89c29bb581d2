"""What administrators see and do at run time. Access is checked here, by principal."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Final

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.administration import storage_records
from imagegallery.administration.governor import Governor
from imagegallery.administration.health import HealthExamination
from imagegallery.administration.job_service import JobService
from imagegallery.administration.policy_history import Check, PolicyHistory, StandingPolicy
from imagegallery.administration.storage import StorageReport
from imagegallery.common.attribute import AttributeOf
from imagegallery.owners.owner import Owner
from imagegallery.pagination import DEFAULT_LIMIT, CursorPage, check_limit, cut_page, decode_cursor, encode_cursor
from imagegallery.policies.admin_policy import Rules
from imagegallery.policies.version import PolicyVersion
from imagegallery.principal import Principal
from imagegallery.upkeep import check as upkeep

GROWTH: Final = timedelta(days=30)
_OWNERS: Final = "owners by storage"
_MOST_BYTES: Final = 2**63 - 1


class AdministrationService:
    """For users with the role of an administrator: everybody else is refused. ``jobs`` has the jobs of the service."""

    jobs = AttributeOf(JobService)

    def __init__(
        self, history: PolicyHistory, examination: HealthExamination, jobs: JobService, authority: Authority
    ) -> None:
        self.jobs = jobs
        self._history = history
        self._examination = examination
        self._authority = authority

    async def health(self, principal: Principal) -> Sequence[upkeep.Check]:
        """Check the database, the queue and its workers, the store, the disk and the tasks of this process, as
        ``imagegallery doctor`` does. A small object is written and deleted.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
        """
        await self._governor(Permission.VIEW, principal, "health")
        async with aclosing(self._examination.run()) as checks:
            return [check async for check in checks]

    async def storage(self, principal: Principal) -> StorageReport:
        """Return how much is stored, by state and by day. Where tables are large it is estimated from a part of them,
        so that it never takes long.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
        """
        await self._governor(Permission.VIEW, principal, "storage")
        since = self._examination.clock() - GROWTH
        async with self._examination.database.connection() as connection:
            return StorageReport.of(
                await storage_records.owners(connection),
                await storage_records.images(connection, since=since),
                await storage_records.variants(connection),
                await storage_records.incoming(connection),
            )

    async def largest_owners(
        self, principal: Principal, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[Owner]:
        """List owners, those who store most first.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
            InvalidInput: For an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        await self._governor(Permission.VIEW, principal, "owners")
        check_limit(limit)
        before = (_MOST_BYTES, "") if cursor is None else decode_cursor(cursor, _OWNERS, int, str)
        async with self._examination.database.connection() as connection:
            found = await storage_records.largest(connection, before, limit + 1)
        return cut_page(found, limit, lambda last: encode_cursor(_OWNERS, (last.storage_used, last.owner_id)))

    async def policy(self, principal: Principal) -> StandingPolicy:
        """Return the policy that holds now, and the version that says so.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
        """
        await self._governor(Permission.VIEW, principal, "policy")
        return await self._history.current()

    async def change_policy(
        self, principal: Principal, rules: Rules, *, why: str, check: Check | None = None
    ) -> StandingPolicy:
        """Change some rules, for every process and from its next request on. What changes nothing makes no version.

        Args:
            rules: A JSON Merge Patch (RFC 7396) of the rules so far: fields of `AdminPolicy`; with ``None`` the
                settings hold again, and ``"unlimited"`` takes away a limit of storage or a rate.
            why: 1 to 500 characters, which stay with the version.
            check: Called with the policy so far, which nobody else changes meanwhile; an error it raises cancels the
                change.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
            InvalidInput: With all faults.
        """
        return await self._history.change(await self._governor(Permission.EDIT, principal, "policy"), rules, why, check)

    async def policy_versions(
        self, principal: Principal, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
    ) -> CursorPage[PolicyVersion]:
        """List all versions of the rules, the last one first, with who made each, when and why.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
            InvalidInput: For an invalid limit.
            InvalidCursor: For an invalid cursor.
        """
        await self._governor(Permission.VIEW, principal, "policy")
        return await self._history.versions(cursor, limit)

    async def restore_policy(
        self, principal: Principal, number: int, *, why: str, check: Check | None = None
    ) -> StandingPolicy:
        """Make the rules of an earlier version hold again, as a new version; 0 has none: the settings hold.

        Args:
            why: As in `change_policy`.
            check: As in `change_policy`.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
            NotFound: If there is no such version.
            InvalidInput: If the settings do not allow its rules any more.
        """
        return await self._history.restore(
            await self._governor(Permission.EDIT, principal, "policy"), number, why, check
        )

    async def _governor(self, needed: Permission, principal: Principal, kind: str) -> Governor:
        governor = Governor.of(principal)
        await self._authority.confirm(needed, principal, AccessSubject(kind, None))
        return governor
