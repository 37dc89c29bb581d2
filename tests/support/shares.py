"""Shares put straight into the database, for tests below the service of shares."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tests.support.clock import START

from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.permission import VIEWER, Permission
from imagegallery.database.pool import Database
from imagegallery.ids import new_id

_SHARE = """
INSERT INTO shares (
    id, owner_id, token_hash, permissions, metadata, download, starts_at, expires_at, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)"""
_TARGET = "INSERT INTO share_targets (share_id, owner_id, gallery_id, image_id) VALUES ($1, $2, $3, $4)"
_RECIPIENT = """
INSERT INTO share_recipients (id, share_id, kind, name, permissions, metadata, download, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""


async def share(
    database: Database,
    *,
    galleries: Sequence[UUID] = (),
    images: Sequence[UUID] = (),
    library: bool = False,
    to: Sequence[str] = (),
    link: bool = False,
    owner_id: str = "ana",
    permissions: Permission = VIEWER,
    metadata: MetadataShown = MetadataShown.BASIC,
    download: DownloadAllowed = DownloadAllowed.NONE,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> UUID:
    """Share them, to users' ids, or ``email:`` and ``group:`` names, or by a link. Returns the share's id."""
    share_id = new_id()
    token_hash = secrets.token_bytes(32) if link else None
    targets = [(each, None) for each in galleries] + [(None, each) for each in images] + [(None, None)] * library
    async with database.transaction() as connection:
        said = (permissions.value, metadata.value, download.value, starts_at, expires_at, START)
        await connection.execute(_SHARE, share_id, owner_id, token_hash, *said)
        for gallery_id, image_id in targets:
            await connection.execute(_TARGET, share_id, owner_id, gallery_id, image_id)
    for each in to:
        await add_recipient(database, share_id, each)
    return share_id


async def add_recipient(
    database: Database,
    share_id: UUID,
    name: str,
    permissions: Permission | None = None,
    metadata: MetadataShown | None = None,
    download: DownloadAllowed | None = None,
) -> None:
    """Have it for somebody else, too, with what holds for them in place of what the share says."""
    kind, _, rest = name.rpartition(":")
    override = [None if each is None else each.value for each in (permissions, metadata, download)]
    async with database.transaction() as connection:
        await connection.execute(_RECIPIENT, new_id(), share_id, kind or "user", rest, *override, START)


async def change(database: Database, share_id: UUID, **columns: object) -> None:
    """Write columns of the share."""
    names = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, 2))
    async with database.transaction() as connection:
        await connection.execute(f"UPDATE shares SET {names} WHERE id = $1", share_id, *columns.values())


async def unshare(database: Database, share_id: UUID, gallery_id: UUID) -> None:
    """Take a gallery out of the share."""
    async with database.transaction() as connection:
        await connection.execute(
            "DELETE FROM share_targets WHERE share_id = $1 AND gallery_id = $2", share_id, gallery_id
        )


async def remove_recipients(database: Database, share_id: UUID) -> None:
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM share_recipients WHERE share_id = $1", share_id)


async def delete(database: Database, share_id: UUID) -> None:
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM shares WHERE id = $1", share_id)
