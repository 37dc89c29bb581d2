"""The SQL of custom order: neighbours, and new positions.

All of it runs under the gallery's row lock, so that nobody else changes the order.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import field, frozen

from imagegallery.database.connection import Connection
from imagegallery.galleries.positions import REACHES, Placement, Renumbering, place

# Renumberings are kept for at least this long, for older cursors.
KEPT_FOR: Final = timedelta(days=7)

# Up to $4 images with positions up to $2, the highest first, without those that are moved.
NEIGHBOURS_BEFORE = """
SELECT image_id, position FROM gallery_images
WHERE gallery_id = $1 AND position <= $2 AND image_id <> ALL($3)
ORDER BY position DESC
LIMIT $4"""

# The same with positions beyond $2, the lowest first.
NEIGHBOURS_AFTER = """
SELECT image_id, position FROM gallery_images
WHERE gallery_id = $1 AND position > $2 AND image_id <> ALL($3)
ORDER BY position
LIMIT $4"""

# What was written in the gallery's previous order. Returns the revision from now on.
_RAISE_REVISION = "UPDATE galleries SET revision = revision + 1, updated_at = $2 WHERE id = $1 RETURNING revision"

# One row for each image, in one statement, at whose end the positions must differ. Only those moved have been
# placed anew; those that made room are where they were.
_WRITE = """
UPDATE gallery_images m
SET position = written.position, placed = CASE WHEN written.is_moved THEN $5 ELSE m.placed END
FROM unnest($2::uuid[], $3::bigint[], $4::boolean[]) AS written (image_id, position, is_moved)
WHERE m.gallery_id = $1 AND m.image_id = written.image_id"""

_NOTE_RENUMBERING = """
WITH noted AS (
    INSERT INTO gallery_renumberings (
        gallery_id, revision, below, above, old_positions, new_positions, renumbered_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7)
)
UPDATE galleries SET renumbered = $2 WHERE id = $1"""

# An image restored from the trash returns to its place.
_RENUMBER_TRASH = """
UPDATE trashed_memberships t
SET position = coalesce(
    (
        SELECT new FROM unnest($4::bigint[], $5::bigint[]) AS pair (old, new)
        WHERE old <= t.position ORDER BY old DESC LIMIT 1
    ),
    ($5::bigint[])[1] - 1
)
WHERE t.gallery_id = $1 AND t.position > $2 AND t.position < $3"""

# Cursors from before deleted renumberings can no longer be translated.
_FORGET_RENUMBERINGS = """
WITH forgotten AS (
    DELETE FROM gallery_renumberings WHERE gallery_id = $1 AND renumbered_at < $2 RETURNING revision
)
UPDATE galleries SET forgotten = last.revision
FROM (SELECT max(revision) AS revision FROM forgotten) AS last
WHERE id = $1 AND last.revision IS NOT NULL"""

# The changes after a revision, in order.
RENUMBERINGS = """
SELECT revision, below, above, old_positions, new_positions
FROM gallery_renumberings
WHERE gallery_id = $1 AND revision > $2
ORDER BY revision"""


@frozen
class Neighbours:
    """Images next to a gap with their positions, nearest first."""

    ids: tuple[UUID, ...] = field(repr=False)
    positions: tuple[int, ...]


async def move(
    connection: Connection, gallery_id: UUID, image_ids: Sequence[UUID], *, beyond: int, now: datetime
) -> None:
    """Put members, in this order, after everything with a position up to ``beyond``."""
    for reach in REACHES:
        before = await _neighbours(connection, NEIGHBOURS_BEFORE, gallery_id, beyond, image_ids, reach + 1)
        after = await _neighbours(connection, NEIGHBOURS_AFTER, gallery_id, beyond, image_ids, reach + 1)
        placement = place(before.positions, after.positions, len(image_ids), reach)
        if placement is not None:
            await _write(connection, gallery_id, image_ids, before, after, placement, now)
            return
    raise AssertionError("a whole gallery always finds room")


async def renumberings(connection: Connection, gallery_id: UUID, since: int) -> tuple[Renumbering, ...]:
    """The changes of positions after revision ``since``, in order, as far as they are still known."""
    rows = await connection.fetch(RENUMBERINGS, gallery_id, since)
    return tuple(Renumbering(row["revision"], row["below"], row["above"], tuple(row[3]), tuple(row[4])) for row in rows)


async def _neighbours(
    connection: Connection, statement: str, gallery_id: UUID, beyond: int, moved: Sequence[UUID], limit: int
) -> Neighbours:
    rows = await connection.fetch(statement, gallery_id, beyond, list(moved), limit)
    return Neighbours(tuple(row["image_id"] for row in rows), tuple(row["position"] for row in rows))


async def _write(
    connection: Connection,
    gallery_id: UUID,
    image_ids: Sequence[UUID],
    before: Neighbours,
    after: Neighbours,
    placement: Placement,
    now: datetime,
) -> None:
    revision: int = await connection.fetchval(_RAISE_REVISION, gallery_id, now)
    first, last = before.ids[: len(placement.before)][::-1], after.ids[: len(placement.after)]
    new = (*placement.before, *placement.moved, *placement.after)
    is_moved = [False] * len(first) + [True] * len(image_ids) + [False] * len(last)
    await connection.execute(_WRITE, gallery_id, [*first, *image_ids, *last], new, is_moved, revision)
    if first or last:
        old = (*before.positions[: len(first)][::-1], *after.positions[: len(last)])
        renumbering = Renumbering(
            revision, placement.below, placement.above, old, (*placement.before, *placement.after)
        )
        await _note(connection, gallery_id, renumbering, now)


async def _note(connection: Connection, gallery_id: UUID, change: Renumbering, now: datetime) -> None:
    span = (change.below, change.above, change.old, change.new)
    await connection.execute(_NOTE_RENUMBERING, gallery_id, change.revision, *span, now)
    await connection.execute(_RENUMBER_TRASH, gallery_id, *span)
    await connection.execute(_FORGET_RENUMBERINGS, gallery_id, now - KEPT_FOR)
