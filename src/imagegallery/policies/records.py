"""The SQL of what administrators say: versions, of which the last one holds."""

from typing import Final

from asyncpg import Record

from imagegallery.database.connection import Connection
from imagegallery.holdings.holding import Holding
from imagegallery.policies.version import SETTINGS_ALONE, PolicyVersion

_COLUMNS: Final = "number, rules, changed_by, why, restores, created_at"

# An erased administrator is forgotten; the policy stays.
HELD: Final = (Holding("policy_versions", "t.changed_by = :owner_id", "t.number", changed_to="changed_by = ''"),)

# The last version.
CURRENT: Final = f"SELECT {_COLUMNS} FROM policy_versions ORDER BY number DESC LIMIT 1"

_GET: Final = f"SELECT {_COLUMNS} FROM policy_versions WHERE number = $1"

# A page of versions, the newest first.
LIST: Final = f"SELECT {_COLUMNS} FROM policy_versions WHERE number < $1 ORDER BY number DESC LIMIT $2"

# One at a time changes the policy; those who read it do not wait.
_HOLD: Final = "LOCK TABLE policy_versions IN SHARE ROW EXCLUSIVE MODE"

_INSERT: Final = f"INSERT INTO policy_versions ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)"


async def current(connection: Connection) -> PolicyVersion:
    """Return the version that holds."""
    row = await connection.fetchrow(CURRENT)
    return SETTINGS_ALONE if row is None else _version(row)


async def get(connection: Connection, number: int) -> PolicyVersion | None:
    """Return this version, if there is one; number 0 always is."""
    if number == SETTINGS_ALONE.number:
        return SETTINGS_ALONE
    row = await connection.fetchrow(_GET, number)
    return None if row is None else _version(row)


async def list_before(connection: Connection, number: int, limit: int) -> list[PolicyVersion]:
    """Return versions before this number, the newest first."""
    return [_version(row) for row in await connection.fetch(LIST, number, limit)]


async def hold(connection: Connection) -> PolicyVersion:
    """Return the version that holds until this transaction ends: nobody else can change it meanwhile."""
    await connection.execute(_HOLD)
    return await current(connection)


async def insert(connection: Connection, version: PolicyVersion) -> None:
    await connection.execute(
        _INSERT,
        version.number,
        version.rules,
        version.changed_by,
        version.why,
        version.restores,
        version.created_at,
    )


def _version(row: Record) -> PolicyVersion:
    return PolicyVersion(**row)
