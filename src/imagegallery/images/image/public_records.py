"""The SQL of what everybody may fetch: the variants of images that are open, or in galleries that are."""

from collections.abc import Sequence
from uuid import UUID

from imagegallery.access.condition import open_image
from imagegallery.database.connection import Connection
from imagegallery.database.namespace import SEED
from imagegallery.database.statement import Statement

# Images on a page.
PAGE = 200

# Of two transactions that close what the other still sees open, the one that waited records it.
_HOLD = f"SELECT pg_advisory_xact_lock(hashtextextended('open keys ' || $1, {SEED}))"

_OPEN_KEYS = f"""
SELECT v.key FROM image_variants v JOIN images i ON i.id = v.image_id
WHERE v.image_id = ANY($1)
  AND {open_image("i")}"""

# A page of a gallery's images by id, with the keys that neither their images nor other galleries open.
_OPEN_BY = Statement.of(f"""
SELECT page.image_id, v.key
FROM (
    SELECT image_id FROM gallery_images
    WHERE gallery_id = :gallery_id AND image_id > :after
    ORDER BY image_id LIMIT :page
) AS page
JOIN images i ON i.id = page.image_id
LEFT JOIN image_variants v ON v.image_id = page.image_id
    AND NOT {open_image("i", without=":gallery_id")}
ORDER BY page.image_id""")


async def hold_open_keys(connection: Connection, owner_id: str) -> None:
    """Keep others from reading what is open of the owner's until the transaction ends. Comes after all other locks."""
    await connection.execute(_HOLD, owner_id)


async def open_keys(connection: Connection, image_ids: Sequence[UUID]) -> set[str]:
    """The keys of these images' variants that everybody may fetch."""
    return {row["key"] for row in await connection.fetch(_OPEN_KEYS, image_ids)}


async def open_by(connection: Connection, gallery_id: UUID, after: UUID) -> tuple[list[str], UUID | None]:
    """Keys that only this gallery, if open, opens to everybody, of up to `PAGE` images after one, and the last of these
    images,
    or ``None``.
    """
    rows = await _OPEN_BY.fetch(connection, gallery_id=gallery_id, after=after, page=PAGE)
    return [row["key"] for row in rows if row["key"] is not None], rows[-1]["image_id"] if rows else None
