"""The SQL of what everybody may fetch: the variants of images that are in a gallery which is not private."""

from collections.abc import Sequence
from uuid import UUID

from imagegallery.access.condition import open_image
from imagegallery.database.connection import Connection
from imagegallery.database.statement import Statement

# A page is of so many images.
PAGE = 200

# Of two who close what the other still sees open, the one who waited sees that it is not, and tells it.
_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('open keys ' || $1, 0))"

_OPEN_KEYS = f"""
SELECT v.key FROM image_variants v
WHERE v.image_id = ANY($1)
  AND {open_image("v.image_id")}"""

# A page of a gallery's images by id, with what of each is open by no other gallery.
_OPEN_BY = Statement.of(f"""
SELECT page.image_id, v.key
FROM (
    SELECT image_id FROM gallery_images
    WHERE gallery_id = :gallery_id AND image_id > :after
    ORDER BY image_id LIMIT :page
) AS page
LEFT JOIN image_variants v ON v.image_id = page.image_id
    AND NOT {open_image("page.image_id", without=":gallery_id")}
ORDER BY page.image_id""")


async def hold_open_keys(connection: Connection, owner_id: str) -> None:
    """Nobody else looks at what of the owner's is open until the transaction ends. Comes after all other locks."""
    await connection.execute(_HOLD, owner_id)


async def open_keys(connection: Connection, image_ids: Sequence[UUID]) -> set[str]:
    """The keys of these images' variants that everybody may fetch."""
    return {row["key"] for row in await connection.fetch(_OPEN_KEYS, image_ids)}


async def open_by(connection: Connection, gallery_id: UUID, after: UUID) -> tuple[list[str], UUID | None]:
    """Keys that everybody may fetch, if the gallery is open, by nothing else, of up to `PAGE` images after one; and
    the last of these images, ``None`` if there was none."""
    rows = await _OPEN_BY.fetch(connection, gallery_id=gallery_id, after=after, page=PAGE)
    return [row["key"] for row in rows if row["key"] is not None], rows[-1]["image_id"] if rows else None
