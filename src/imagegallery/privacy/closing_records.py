"""The SQL that closes what an owner has to others, and remembers how open it was."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.common.meta import Meta
from imagegallery.database.connection import Connection
from imagegallery.holdings.holding import Holding

HELD: Final = (Holding("closed_things", order="t.thing, t.id"),)
PAGE: Final = 500

# Some of an owner's images that are open by themselves, locked.
_OPEN_IMAGES = """
SELECT id FROM images WHERE owner_id = $1 AND visibility <> 'private' ORDER BY id LIMIT $2 FOR UPDATE"""

_CLOSE_IMAGES = """
WITH kept AS (
    INSERT INTO closed_things (owner_id, thing, id, visibility)
    SELECT owner_id, 'image', id, visibility FROM images WHERE id = ANY($1)
    ON CONFLICT DO NOTHING
)
UPDATE images SET visibility = 'private', updated_at = $2 WHERE id = ANY($1)"""

_OPEN_GALLERIES = """
SELECT id, meta FROM galleries WHERE owner_id = $1 AND visibility <> 'private' ORDER BY id FOR NO KEY UPDATE"""

_CLOSE_GALLERY = """
WITH kept AS (
    INSERT INTO closed_things (owner_id, thing, id, visibility)
    SELECT owner_id, 'gallery', id, visibility FROM galleries WHERE id = $1
    ON CONFLICT DO NOTHING
)
UPDATE galleries SET visibility = 'private', updated_at = $2 WHERE id = $1"""

# What is on its way would be open when it arrives.
_CLOSE_UPLOADS = "UPDATE upload_sessions SET visibility = 'private' WHERE owner_id = $1 AND visibility <> 'private'"

_REOPEN_IMAGES = """
UPDATE images SET visibility = closed.visibility, updated_at = $2
FROM closed_things closed
WHERE closed.owner_id = $1 AND closed.thing = 'image' AND closed.id = images.id AND images.owner_id = $1
  AND images.visibility = 'private'"""

_REOPEN_GALLERIES = """
UPDATE galleries SET visibility = closed.visibility, updated_at = $2
FROM closed_things closed
WHERE closed.owner_id = $1 AND closed.thing = 'gallery' AND closed.id = galleries.id AND galleries.owner_id = $1
  AND galleries.visibility = 'private'
RETURNING galleries.id, galleries.meta"""

_FORGET = "DELETE FROM closed_things WHERE owner_id = $1"


@frozen
class ChangedGallery:
    """A gallery of which an event tells."""

    id: UUID
    meta: Meta


async def open_images(connection: Connection, owner_id: str) -> Sequence[UUID]:
    """Up to `PAGE` of the owner's images that are open by themselves, locked until the transaction ends."""
    return [row["id"] for row in await connection.fetch(_OPEN_IMAGES, owner_id, PAGE)]


async def close_images(connection: Connection, image_ids: Sequence[UUID], *, now: datetime) -> None:
    await connection.execute(_CLOSE_IMAGES, list(image_ids), now)


async def open_galleries(connection: Connection, owner_id: str) -> Sequence[ChangedGallery]:
    """The owner's galleries that are open, locked until the transaction ends."""
    return [ChangedGallery(*row) for row in await connection.fetch(_OPEN_GALLERIES, owner_id)]


async def close_gallery(connection: Connection, gallery_id: UUID, *, now: datetime) -> None:
    await connection.execute(_CLOSE_GALLERY, gallery_id, now)


async def close_uploads(connection: Connection, owner_id: str) -> None:
    await connection.execute(_CLOSE_UPLOADS, owner_id)


async def reopen(connection: Connection, owner_id: str, *, now: datetime) -> Sequence[ChangedGallery]:
    """Open again what was closed, unless its owner has opened it since. Returns the galleries among that."""
    await connection.execute(_REOPEN_IMAGES, owner_id, now)
    galleries = [ChangedGallery(*row) for row in await connection.fetch(_REOPEN_GALLERIES, owner_id, now)]
    await connection.execute(_FORGET, owner_id)
    return galleries
