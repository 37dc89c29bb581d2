"""What administrators said, in versions: the last one holds, and each can come back. Checks no principal."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from attrs import frozen

from imagegallery.administration.governor import Governor
from imagegallery.audit import records as audit
from imagegallery.audit.entry import Act, AuditEntry
from imagegallery.clock import Clock
from imagegallery.common.meta import JsonValue, merge
from imagegallery.common.validation import Faults
from imagegallery.database.pool import Database
from imagegallery.errors import NotFound
from imagegallery.pagination import CursorPage, check_limit, cut_page, decode_cursor, encode_cursor
from imagegallery.policies import records
from imagegallery.policies.admin_policy import NO_RULES, AdminPolicy, Rules, check_rules
from imagegallery.policies.version import PolicyVersion

MAX_WHY: Final = 500
_SCOPE: Final = "policy"
_AFTER_ALL: Final = 2**62
_TICK: Final = timedelta(microseconds=1)


@frozen
class StandingPolicy:
    """What holds now: the version whose rules are in front of the settings, and what comes of both."""

    version: PolicyVersion
    in_force: AdminPolicy

    @property
    def updated_at(self) -> datetime:
        return self.version.created_at


Check: TypeAlias = Callable[[StandingPolicy], None]


@frozen
class PolicyHistory:
    """``settings`` is what holds where no rule says anything else. ``forget`` is called after each change, before it
    returns."""

    database: Database
    settings: AdminPolicy
    clock: Clock
    forget: Callable[[], None] = lambda: None

    async def current(self) -> StandingPolicy:
        async with self.database.connection() as connection:
            return self._standing(await records.current(connection))

    async def versions(self, cursor: str | None, limit: int) -> CursorPage[PolicyVersion]:
        """The versions, the last one first. Raises `InvalidInput` and `InvalidCursor`."""
        check_limit(limit)
        (before,) = (_AFTER_ALL,) if cursor is None else decode_cursor(cursor, _SCOPE, int)
        async with self.database.connection() as connection:
            found = await records.list_before(connection, before, limit + 1)
        return cut_page(found, limit, lambda last: encode_cursor(_SCOPE, (last.number,)))

    async def change(self, who: Governor, patch: Rules, why: str, check: Check | None) -> StandingPolicy:
        """Change some rules: ``patch`` is a JSON Merge Patch (RFC 7396). What changes nothing makes no version.

        Raises `InvalidInput` with all faults, and what ``check`` raises.
        """
        faults = Faults()
        said = faults.line(("body", "why"), why, MAX_WHY)
        check_rules(faults, ("body", "rules"), merge(NO_RULES, patch), self.settings)
        faults.check()
        return await self._write(who, lambda last: merge(last.rules, patch), said, check, Act.POLICY_CHANGED)

    async def restore(self, who: Governor, number: int, why: str, check: Check | None) -> StandingPolicy:
        """Make a new version with the rules of this one; 0 has none, so that the settings hold alone.

        Raises `NotFound`; `InvalidInput` also for rules that the settings do not allow any more; and what ``check``
        raises.
        """
        async with self.database.connection() as connection:
            wanted = await records.get(connection, number)
        if wanted is None:
            raise NotFound.of("version")
        faults, rules = Faults(), wanted.rules
        said = faults.line(("body", "why"), why, MAX_WHY)
        check_rules(faults, ("rules",), rules, self.settings)
        faults.check()
        return await self._write(who, lambda _: rules, said, check, Act.POLICY_RESTORED, number)

    async def _write(
        self,
        who: Governor,
        rules_after: Callable[[PolicyVersion], Rules],
        why: str,
        check: Check | None,
        act: Act,
        restores: int | None = None,
    ) -> StandingPolicy:
        async with self.database.transaction() as connection:
            last = await records.hold(connection)
            if check is not None:
                check(self._standing(last))
            rules = rules_after(last)
            if rules == last.rules:
                return self._standing(last)
            now = max(self.clock(), last.created_at + _TICK)
            made = PolicyVersion(
                number=last.number + 1, rules=rules, changed_by=who.name, why=why, restores=restores, created_at=now
            )
            await records.insert(connection, made)
            entry = AuditEntry(
                act, who.actor, who.grant, None, subject=f"policy/{made.number}", details=_differences(last, made)
            )
            await audit.record(connection, entry, now=now)
        self.forget()
        return self._standing(made)

    def _standing(self, version: PolicyVersion) -> StandingPolicy:
        return StandingPolicy(version, self.settings.under(version.rules))


def _differences(before: PolicyVersion, after: PolicyVersion) -> dict[str, JsonValue]:
    """The rules that changed, each with what it was and what it is; ``None`` for what the settings say."""
    names = sorted({*before.rules, *after.rules})
    pairs = {name: (before.rules.get(name), after.rules.get(name)) for name in names}
    return {name: [was, becomes] for name, (was, becomes) in pairs.items() if was != becomes}
