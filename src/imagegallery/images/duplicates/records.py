"""The SQL of an owner's duplicates: known files, look-alikes, and dismissed pairs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from imagegallery.database.connection import Connection
from imagegallery.images.duplicates.duplicate import AlikeId, KnownFile
from imagegallery.images.duplicates.lookalike_records import NEIGHBOURS
from imagegallery.images.image.image import Image
from imagegallery.images.image.records import IMAGE_COLUMNS, VISIBILITY, FoundImage, found_from

WALK: Final = 200
"""Images with look-alikes that a page examines."""

MOST_ALIKE: Final = 10
"""The most look-alikes to show for an image; others follow when these are deleted or dismissed."""

# The oldest image of each content, preferably one outside the trash.
KNOWN = """
SELECT given.sha256, found.id, found.is_trashed
FROM unnest($2::bytea[]) AS given (sha256)
CROSS JOIN LATERAL (
    (
        SELECT id, false AS is_trashed FROM images
        WHERE owner_id = $1 AND sha256 = given.sha256 AND deleted_at IS NULL AND original_state <> 'refused'
        ORDER BY created_at, id
        LIMIT 1
    ) UNION ALL (
        SELECT id, true FROM images
        WHERE owner_id = $1 AND sha256 = given.sha256 AND deleted_at < 'infinity' AND original_state <> 'refused'
        ORDER BY created_at, id
        LIMIT 1
    )
    LIMIT 1
) AS found"""

# Pairs of an owner's look-alikes, by the newer of the two, newest first; neither in the trash, the pair not dismissed.
# Reads no more rows of an image than a page shows, dismissed or set aside.
PAIRS = f"""
SELECT i.id, alike.ids, alike.distances, alike.exact
FROM (
    SELECT image_id FROM lookalikes
    WHERE owner_id = $1 AND image_id < $2
    ORDER BY image_id DESC
    LIMIT {WALK}
) AS walked
JOIN images i ON i.id = walked.image_id
CROSS JOIN LATERAL (
    SELECT array_agg(o.id) AS ids, array_agg(o.distance) AS distances, array_agg(o.is_exact) AS exact
    FROM (
        SELECT found.id, near.distance, found.is_exact
        FROM (
            SELECT near_phash, distance FROM phash_neighbours
            WHERE owner_id = $1 AND phash = i.phash
            ORDER BY distance, near_phash
            LIMIT {NEIGHBOURS}
        ) AS near
        CROSS JOIN LATERAL (
            SELECT p.id, p.sha256 = i.sha256 AS is_exact
            FROM images p
            WHERE p.owner_id = $1 AND p.phash = near.near_phash AND p.deleted_at IS NULL AND p.id < i.id
              AND NOT (i.kept_beside_copies AND p.sha256 = i.sha256)
              AND NOT EXISTS (SELECT FROM dismissed_pairs d WHERE d.image_id = p.id AND d.other_id = i.id)
            ORDER BY p.id DESC
            LIMIT {MOST_ALIKE}
        ) AS found
        ORDER BY near.distance, found.id DESC
        LIMIT {MOST_ALIKE}
    ) AS o
) AS alike
WHERE i.deleted_at IS NULL AND alike.ids IS NOT NULL
ORDER BY walked.image_id DESC
LIMIT $3"""

# The last image that the walk of `PAIRS` examines, if there may be more after it.
END_OF_WALK = f"""
SELECT image_id FROM lookalikes
WHERE owner_id = $1 AND image_id < $2
ORDER BY image_id DESC
OFFSET {WALK - 1} LIMIT 1"""

_IMAGES = f"""
SELECT {IMAGE_COLUMNS}, {VISIBILITY} FROM images i
WHERE i.owner_id = $1 AND i.id = ANY($2) AND i.deleted_at IS NULL"""

_DISMISS = """
INSERT INTO dismissed_pairs (image_id, other_id, dismissed_at) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING"""


async def known(connection: Connection, owner_id: str, digests: Sequence[bytes]) -> list[KnownFile]:
    """Return the owner's images of these SHA-256 digests."""
    return [KnownFile(*row) for row in await connection.fetch(KNOWN, owner_id, list(digests))]


async def list_pairs(
    connection: Connection, owner_id: str, after: UUID, limit: int
) -> list[tuple[UUID, list[AlikeId]]]:
    """Images after ``after`` with their earlier look-alikes, nearest first."""
    rows = await connection.fetch(PAIRS, owner_id, after, limit)
    return [(row["id"], [AlikeId(*each) for each in zip(*list(row)[1:], strict=True)]) for row in rows]


async def end_of_walk(connection: Connection, owner_id: str, after: UUID) -> UUID | None:
    """The image at which `list_pairs` stops, or ``None`` if it examines all."""
    end: UUID | None = await connection.fetchval(END_OF_WALK, owner_id, after)
    return end


async def images(connection: Connection, owner_id: str, image_ids: Sequence[UUID]) -> dict[UUID, FoundImage]:
    """The owner's images with these ids that are not in the trash, by id."""
    rows = await connection.fetch(_IMAGES, owner_id, list(image_ids))
    return {row["id"]: found_from(row) for row in rows}


async def dismiss(connection: Connection, one: Image, other: Image, *, now: datetime) -> None:
    """Keep a pair of locked images permanently."""
    await connection.execute(_DISMISS, *sorted((one.id, other.id)), now)
