"""The SQL of shares as their recipients have them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg import Record

from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown
from imagegallery.access.permission import Permission
from imagegallery.access.records import OPEN_SHARE, names_of
from imagegallery.database.connection import Connection
from imagegallery.database.statement import Statement
from imagegallery.pagination import LAST_ID
from imagegallery.principal import Principal
from imagegallery.sharing.received import OwnPlace, ReceivedShare
from imagegallery.sharing.share import RecipientKind, ShareTarget

# The latest of each of a user's names that a page looks at.
EXAMINED: Final = 10_000


def _received(condition: str) -> Statement:
    """What is shared with a user by any of their names, the latest share first, after one."""
    return Statement.of(f"""
SELECT s.id, s.owner_id, s.starts_at, s.expires_at, s.note, s.created_at,
       ARRAY(
           SELECT ROW(t.gallery_id, t.image_id) FROM share_targets t
           WHERE t.share_id = s.id ORDER BY t.gallery_id, t.image_id
       ) AS targets,
       array_agg(ROW(
           r.kind, r.by_link, r.joined_at, coalesce(r.permissions, s.permissions), coalesce(r.metadata, s.metadata),
           coalesce(r.download, s.download)
       )) AS places
FROM unnest(:kinds::text[], :names::text[]) AS own (kind, name)
CROSS JOIN LATERAL (
    SELECT r.* FROM share_recipients r
    WHERE r.kind = own.kind AND r.name = own.name AND {condition}
    ORDER BY r.share_id DESC
    LIMIT :examined
) r
CROSS JOIN LATERAL (SELECT s.* FROM shares s WHERE s.id = r.share_id AND {OPEN_SHARE} OFFSET 0) s
GROUP BY s.id, s.owner_id, s.starts_at, s.expires_at, s.note, s.created_at
ORDER BY s.id DESC
LIMIT :limit""")


RECEIVED: Final = _received("r.share_id < :share_id")
RECEIVED_ONE: Final = _received("r.share_id = :share_id")

_COUNT_JOINED = """
SELECT count(*) FROM (SELECT FROM share_recipients WHERE share_id = $1 AND by_link LIMIT $2) AS counted"""

# Who is named already only keeps it from now on. A share that has just ended is joined by nobody.
_JOIN = """
INSERT INTO share_recipients (id, share_id, kind, name, by_link, joined_at, created_at)
SELECT $2, s.id, 'user', $3, true, $4, $4 FROM shares s
WHERE s.id = $1 AND s.token_hash IS NOT NULL AND s.revoked_at IS NULL
ON CONFLICT (share_id, kind, name) DO UPDATE
SET joined_at = coalesce(share_recipients.joined_at, excluded.joined_at)
RETURNING id"""

_LEAVE = """
DELETE FROM share_recipients
WHERE share_id = $1 AND (kind = 'user' AND name = $2 OR kind = 'email' AND name = ANY ($3::text[]))
RETURNING id"""

_REMOVE = "DELETE FROM share_recipients WHERE share_id = $1 AND id = $2 RETURNING id"


async def list_received(
    connection: Connection, principal: Principal, after: UUID | None, limit: int, *, now: datetime
) -> list[ReceivedShare]:
    """The user's, the latest first."""
    return await _fetch(connection, RECEIVED, principal, after or LAST_ID, limit, now)


async def get(connection: Connection, principal: Principal, share_id: UUID, *, now: datetime) -> ReceivedShare | None:
    found = await _fetch(connection, RECEIVED_ONE, principal, share_id, 1, now)
    return found[0] if found else None


async def _fetch(
    connection: Connection, statement: Statement, principal: Principal, share_id: UUID, limit: int, now: datetime
) -> list[ReceivedShare]:
    kinds, names = names_of(principal)
    rows = await statement.fetch(
        connection, kinds=kinds, names=names, share_id=share_id, examined=EXAMINED, limit=limit, now=now
    )
    return [_share(row) for row in rows]


async def count_joined(connection: Connection, share_id: UUID, most: int) -> int:
    """How many came by its link and have kept it, up to ``most``."""
    counted: int = await connection.fetchval(_COUNT_JOINED, share_id, most)
    return counted


async def join(connection: Connection, share_id: UUID, user_id: str, recipient_id: UUID, *, now: datetime) -> bool:
    """Have the user keep it. False if it ended meanwhile."""
    return await connection.fetchval(_JOIN, share_id, recipient_id, user_id, now) is not None


async def leave(connection: Connection, share_id: UUID, user_id: str, emails: Iterable[str]) -> bool:
    """Take it from the user. False if it was not theirs by their own name."""
    return bool(await connection.fetch(_LEAVE, share_id, user_id, [*emails]))


async def remove(connection: Connection, share_id: UUID, recipient_id: UUID) -> bool:
    """Take it from a recipient. False if there is none of this id."""
    return bool(await connection.fetch(_REMOVE, share_id, recipient_id))


def _share(row: Record) -> ReceivedShare:
    return ReceivedShare.of(
        row["id"],
        row["owner_id"],
        _places(row["id"], row["places"], row["expires_at"]),
        targets=tuple(ShareTarget(*each) for each in row["targets"]),
        starts_at=row["starts_at"],
        expires_at=row["expires_at"],
        note=row["note"],
        created_at=row["created_at"],
    )


def _places(
    share_id: UUID,
    rows: Sequence[tuple[str, bool, datetime | None, int, int, int]],
    expires_at: datetime | None,
) -> list[OwnPlace]:
    return [
        OwnPlace(
            RecipientKind(kind),
            by_link,
            joined_at,
            Grant(share_id, Permission(granted), MetadataShown(metadata), DownloadAllowed(download), expires_at),
        )
        for kind, by_link, joined_at, granted, metadata, download in rows
    ]
