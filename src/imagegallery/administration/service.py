"""What administrators do at run time. Access is checked here, by principal."""

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.permission import Permission
from imagegallery.administration.governor import Governor
from imagegallery.administration.policy_history import Check, PolicyHistory, StandingPolicy
from imagegallery.pagination import DEFAULT_LIMIT, CursorPage
from imagegallery.policies.admin_policy import Rules
from imagegallery.policies.version import PolicyVersion
from imagegallery.principal import Principal


class AdministrationService:
    """For users with the role of an administrator: everybody else is refused."""

    def __init__(self, history: PolicyHistory, authority: Authority) -> None:
        self._history = history
        self._authority = authority

    async def policy(self, principal: Principal) -> StandingPolicy:
        """Return the policy that holds now, and the version that says so.

        Raises:
            Unauthenticated: Without a user.
            Forbidden: For a user who is no administrator.
        """
        await self._governor(Permission.VIEW, principal)
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
        return await self._history.change(await self._governor(Permission.EDIT, principal), rules, why, check)

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
        await self._governor(Permission.VIEW, principal)
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
        return await self._history.restore(await self._governor(Permission.EDIT, principal), number, why, check)

    async def _governor(self, needed: Permission, principal: Principal) -> Governor:
        governor = Governor.of(principal)
        await self._authority.confirm(needed, principal, AccessSubject("policy", None))
        return governor
