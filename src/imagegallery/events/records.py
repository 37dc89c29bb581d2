"""The SQL of events: the log, its numbering, and its consumers' positions.

`record` writes; readers call `number` first. Migration 0002 explains why ids are not positions. An event is in the log
of its addressee: ``owner_id``. Types that are not in ``types`` are skipped.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from asyncpg import Record
from attrs import frozen

from imagegallery.access.condition import HEARD_EVENT
from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SUFFIX
from imagegallery.database.statement import Statement
from imagegallery.events.event import DomainEvent, Event, EventTypes, data_of, read_data
from imagegallery.holdings.holding import Holding

# NOTIFY without payload: PostgreSQL sends one for all events of a transaction.
CHANNEL = "imagegallery_events"

# Events for others may say what a user did.
_BY_USER: Final = "t.owner_id <> :owner_id AND t.data->>'user_id' = :owner_id"
_BY_NOBODY: Final = """data = data || '{"user_id": ""}'"""
HELD: Final = (
    Holding("events", is_last=True),
    Holding("events", _BY_USER, changed_to=_BY_NOBODY, is_told=False, name="events_of_others"),
    Holding("events_pruned", is_told=False, is_last=True),
)

_RECORD = f"""
WITH recorded AS (
    INSERT INTO events (owner_id, type, data, occurred_at)
    SELECT given.owner_id, given.type, given.data, $4
    FROM unnest($1::text[], $2::text[], $3::jsonb[]) WITH ORDINALITY AS given (owner_id, type, data, place)
    ORDER BY given.place
)
SELECT pg_notify($5::text || {SUFFIX}, '')"""

# What is committed by now, in the order of ids: events of one transaction, and of those that waited for each other,
# stay in their order. A limited number at once, so that the log is locked briefly. One process numbers at a time: a
# statement that finds that the log has moved since it began, maybe by these same events, numbers none, and runs again.
_NUMBER = """
WITH log AS MATERIALIZED (
    SELECT last_position FROM event_log
), unnumbered AS MATERIALIZED (
    SELECT id, row_number() OVER (ORDER BY id) AS place
    FROM (SELECT id FROM events WHERE position IS NULL ORDER BY id LIMIT 1000) AS first
), moved AS (
    UPDATE event_log SET last_position = event_log.last_position + (SELECT count(*) FROM unnumbered)
    FROM log
    WHERE event_log.last_position = log.last_position AND EXISTS (SELECT FROM unnumbered)
    RETURNING log.last_position AS before
), numbered AS (
    UPDATE events SET position = moved.before + unnumbered.place
    FROM unnumbered, moved
    WHERE events.id = unnumbered.id
    RETURNING events.position, type, data, occurred_at
)
SELECT log.last_position AS before, numbered.*,
       (SELECT count(*) FROM unnumbered) = 0 OR (SELECT count(*) FROM numbered) BETWEEN 1 AND 999 AS is_done
FROM log LEFT JOIN numbered ON true
ORDER BY numbered.position"""

# One owner's view of the log. The log's ``pruned_through`` is from before it was kept by owner, and is constant.
_OWNED_STATE = Statement.of(f"""
SELECT greatest(gone.through, (SELECT max(position) FROM events WHERE {HEARD_EVENT} AND position <= :last)),
       gone.through
FROM (
    SELECT greatest(pruned_through, (SELECT through FROM events_pruned WHERE owner_id = :user_id)) AS through
    FROM event_log
) AS gone""")

_BETWEEN = """
SELECT position, type, data, occurred_at FROM events
WHERE position > $1 AND position <= $2
ORDER BY position LIMIT $3"""

_OWNED_BETWEEN = Statement.of(f"""
SELECT position, type, data, occurred_at FROM events
WHERE {HEARD_EVENT} AND position > :after AND position <= :through
ORDER BY position LIMIT :limit""")

_GET = "SELECT position, type, data, occurred_at FROM events WHERE position = $1"

# A new consumer starts with future events.
_ADD_CURSOR = """
INSERT INTO event_cursors (consumer, position) SELECT $1, last_position FROM event_log
ON CONFLICT (consumer) DO NOTHING"""

# How far a consumer is, and what follows on that and on what was looked at already, if anything does.
_NEXT = """
SELECT c.position AS cursor, e.position, e.type, e.data, e.occurred_at
FROM event_cursors c LEFT JOIN LATERAL (
    SELECT position, type, data, occurred_at FROM events
    WHERE position > greatest(c.position, $4) AND position <= $2
    ORDER BY position LIMIT $3
) e ON true
WHERE c.consumer = $1
ORDER BY e.position"""

_MOVE_CURSOR = "UPDATE event_cursors SET position = $3 WHERE consumer = $1 AND position = $2"

# A bounded number, and only numbered ones: a process that numbers others does not wait for this.
_PRUNE = """
WITH pruned AS (
    DELETE FROM events
    WHERE id = ANY (ARRAY(
        SELECT id FROM events WHERE occurred_at < $1 AND position IS NOT NULL ORDER BY occurred_at LIMIT $2
    ))
    RETURNING owner_id, position
), noted AS (
    INSERT INTO events_pruned (owner_id, through)
    SELECT owner_id, max(position) FROM pruned GROUP BY owner_id ORDER BY owner_id
    ON CONFLICT (owner_id) DO UPDATE SET through = greatest(events_pruned.through, excluded.through)
)
SELECT count(*) FROM pruned"""


@frozen
class OwnLog:
    """An owner's view of the log, in positions (0: none): of their newest event, and of the last one that may be
    deleted."""

    newest: int
    pruned_through: int


async def record(connection: Connection, *events: DomainEvent, now: datetime) -> None:
    """Write events in the caller's transaction, which publishes them when it commits."""
    if events:
        owners, types = [each.addressee for each in events], [each.type for each in events]
        await connection.execute(_RECORD, owners, types, [data_of(each) for each in events], now, CHANNEL)


@frozen
class Numbered:
    """The log through the position of its ``last`` event, and the ``rows`` of those that were numbered just now: all
    that come after the position ``before``."""

    last: int
    before: int
    rows: Sequence[Record]

    def events(self, types: EventTypes) -> Sequence[Event[DomainEvent]]:
        return _events(types, self.rows)


async def number(connection: Connection) -> Numbered:
    """Give every committed event its position.

    In no transaction, or in a short READ COMMITTED one, since it blocks others from numbering.
    """
    while True:
        rows = await connection.fetch(_NUMBER)
        before, numbered = rows[0]["before"], [row for row in rows if row["position"] is not None]
        if rows[0]["is_done"]:
            return Numbered(before + len(numbered), before, numbered)


async def own_log(connection: Connection, owner_id: str, last: int) -> OwnLog:
    """One owner's view of the log, which is read through ``last``."""
    (row,) = await _OWNED_STATE.fetch(connection, user_id=owner_id, last=last)
    return OwnLog(*row)


async def between(connection: Connection, types: EventTypes, after: int, through: int, limit: int) -> "Page":
    """All events after one position, through another."""
    return Page.of(types, await connection.fetch(_BETWEEN, after, through, limit), through, limit)


async def between_for(
    connection: Connection, types: EventTypes, owner_id: str, after: int, through: int, limit: int
) -> "Page":
    """The events for one user after one position, through another."""
    rows = await _OWNED_BETWEEN.fetch(connection, user_id=owner_id, after=after, through=through, limit=limit)
    return Page.of(types, rows, through, limit)


async def get(connection: Connection, types: EventTypes, position: int) -> Event[DomainEvent] | None:
    row = await connection.fetchrow(_GET, position)
    return None if row is None else _event(types, row)


async def add_cursors(connection: Connection, consumers: Collection[str]) -> None:
    await connection.executemany(_ADD_CURSOR, [(each,) for each in sorted(consumers)])


async def next_for(
    connection: Connection, types: EventTypes, consumer: str, through: int, limit: int, *, seen: int
) -> tuple[int, "Page"]:
    """How far the consumer is, and the events from there, but for those through ``seen``, through a position."""
    rows = await connection.fetch(_NEXT, consumer, through, limit, seen)
    return rows[0]["cursor"], Page.of(types, [row for row in rows if row["position"] is not None], through, limit)


async def move_cursor(connection: Connection, consumer: str, position: int, to: int) -> bool:
    """Advance the consumer, which nobody else may then do until the transaction ends. False if somebody else already
    has."""
    return await connection.execute(_MOVE_CURSOR, consumer, position, to) == "UPDATE 1"


async def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Delete up to ``limit`` events from before that time. Returns their number."""
    pruned: int = await connection.fetchval(_PRUNE, before, limit)
    return pruned


@frozen
class Page:
    """Events in order, and the position through which they are complete."""

    events: tuple[Event[DomainEvent], ...]
    through: int

    @classmethod
    def of(cls, types: EventTypes, rows: list[Record], through: int, limit: int) -> "Page":
        """``rows`` are at most ``limit``, of a range that ends with ``through``."""
        return cls(_events(types, rows), rows[-1]["position"] if len(rows) == limit else through)


def _events(types: EventTypes, rows: Sequence[Record]) -> tuple[Event[DomainEvent], ...]:
    return tuple(event for row in rows if (event := _event(types, row)) is not None)


def _event(types: EventTypes, row: Record) -> Event[DomainEvent] | None:
    """The event in a row, or ``None`` if only a newer release knows its type."""
    data = read_data(types, row["type"], row["data"])
    return None if data is None else Event(str(row["position"]), row["occurred_at"], data)
