"""The SQL of the audit. `record` writes, in the transaction of the act itself.

Rows are never changed, and only deleted by `prune` and `erase`: migration 0029 says how that is held.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from imagegallery.audit.entry import Act, Actor, ActorKind, AuditEntry, AuditRecord, Origin, hour_of
from imagegallery.audit.origin import current_origin
from imagegallery.database.connection import Connection
from imagegallery.database.statement import Statement
from imagegallery.holdings.holding import Holding
from imagegallery.ids import new_id

# What was done to an owner's things, and what they did to others' or others to them.
_OF_OWNER: Final = (
    "(t.owner_id = :owner_id OR t.actor_id = :owner_id AND t.actor_kind = 'user' OR t.subject = :owner_id)"
)
HELD: Final = (
    Holding("audit_entries", _OF_OWNER, "t.happened_at, t.id", left_out=("address", "request_id", "user_agent")),
)

_COLUMNS: Final = """
id, happened_at, act, actor_kind, actor_id, by_grant, owner_id, image_id, gallery_id, share_id, subject, details,
address, request_id, user_agent"""

# What is kept once an hour has the same id then.
_RECORD = """
INSERT INTO audit_entries (
    id, act, actor_kind, actor_id, by_grant, owner_id, image_id, gallery_id, share_id, subject, details,
    happened_at, address, request_id, user_agent
)
SELECT given.*, $12, $13, $14, $15
FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[], $9::uuid[],
    $10::text[], $11::jsonb[]
) AS given
ON CONFLICT (id) DO NOTHING"""

_ALLOW_REMOVAL = "SELECT set_config('imagegallery.removes_audit', 'on', true)"

_PRUNE = """
WITH pruned AS (
    DELETE FROM audit_entries
    WHERE id = ANY (ARRAY(SELECT id FROM audit_entries WHERE happened_at < $1 ORDER BY happened_at, id LIMIT $2))
    RETURNING id
)
SELECT count(*) FROM pruned"""

# What was done by or to a user on other owners' things stays, without them: the row is written again, as nobody changes
# one.
_ERASE_OWNED = """
WITH erased AS (DELETE FROM audit_entries WHERE owner_id = $1 RETURNING id) SELECT count(*) FROM erased"""

_ERASE_NAMED = f"""
WITH named AS (
    DELETE FROM audit_entries
    WHERE (actor_kind = 'user' AND actor_id = $1) OR subject = $1
    RETURNING {_COLUMNS}
)
INSERT INTO audit_entries ({_COLUMNS})
SELECT id, happened_at, act, actor_kind, CASE WHEN actor_kind = 'user' AND actor_id = $1 THEN NULL ELSE actor_id END,
       by_grant, owner_id, image_id, gallery_id, share_id, CASE WHEN subject = $1 THEN NULL ELSE subject END, details,
       NULL, NULL, NULL
FROM named"""

# The conditions of lists, by the name of what is asked for.
_CONDITIONS: Final[Mapping[str, str]] = {
    "owner_id": "owner_id = :owner_id",
    "image_id": "image_id = :image_id",
    "gallery_id": "gallery_id = :gallery_id",
    "share_id": "share_id = :share_id",
    "act": "act = :act",
    "actor_id": "actor_id = :actor_id",
    "since": "happened_at >= :since",
    "until": "happened_at < :until",
}


async def record(connection: Connection, *entries: AuditEntry, now: datetime) -> None:
    """Keep what was done, in the caller's transaction; one statement for any number.

    From where it came is known already (`imagegallery.audit.origin`).
    """
    if not entries:
        return
    origin = current_origin()
    rows = [
        (
            each.id_in(hour_of(now)) if each.once_an_hour else new_id(),
            each.act,
            each.actor.kind,
            each.actor.id,
            each.grant,
            each.owner_id,
            each.image_id,
            each.gallery_id,
            each.share_id,
            each.subject,
            dict(each.details),
        )
        for each in entries
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    await connection.execute(_RECORD, *columns, now, origin.address, origin.request_id, origin.user_agent)


async def find(
    connection: Connection, asked: Mapping[str, object], before: tuple[datetime, UUID] | None, limit: int
) -> tuple[AuditRecord, ...]:
    """The latest records first, of those that have all that is ``asked`` for (`_CONDITIONS`), after a place."""
    values = {name: value for name, value in asked.items() if value is not None}
    conditions = [_CONDITIONS[name] for name in values]
    if before is not None:
        conditions.append("(happened_at, id) < (:moment, :id)")
        values |= {"moment": before[0], "id": before[1]}
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    statement = Statement.of(
        f"SELECT {_COLUMNS} FROM audit_entries {where} ORDER BY happened_at DESC, id DESC LIMIT :limit"
    )
    return tuple(map(_read, await statement.fetch(connection, limit=limit, **values)))


async def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Delete up to ``limit`` of the oldest entries from before that time, in the caller's transaction. Returns their
    number."""
    await connection.execute(_ALLOW_REMOVAL)
    count: int = await connection.fetchval(_PRUNE, before, limit)
    return count


async def erase(connection: Connection, user_id: str) -> int:
    """Delete all entries about a user's things, in the caller's transaction, and take the user out of those about
    others'. Returns the number of deleted ones."""
    await connection.execute(_ALLOW_REMOVAL)
    count: int = await connection.fetchval(_ERASE_OWNED, user_id)
    await connection.execute(_ERASE_NAMED, user_id)
    return count


def _read(row: Record) -> AuditRecord:
    entry = AuditEntry(
        Act(row["act"]),
        Actor(ActorKind(row["actor_kind"]), row["actor_id"]),
        row["by_grant"],
        row["owner_id"],
        row["image_id"],
        row["gallery_id"],
        row["share_id"],
        row["subject"],
        row["details"],
    )
    return AuditRecord(
        row["id"], row["happened_at"], entry, Origin(row["address"], row["request_id"], row["user_agent"])
    )
