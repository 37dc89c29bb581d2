"""The SQL of who may fetch files by the addresses of galleries."""

from uuid import UUID

from imagegallery.access.condition import OPEN_GALLERY
from imagegallery.access.edge import RuledGallery
from imagegallery.access.hotlinks import ANY_PAGE, GalleryFileAccess, HotlinkRule
from imagegallery.database.connection import Connection

# Who may fetch a variant by the addresses of a gallery that it is in.
OF_GALLERY_FILE = f"""
SELECT {OPEN_GALLERY} AS is_open, g.allowed_origins
FROM galleries g
JOIN gallery_images m ON m.gallery_id = g.id
JOIN images i ON i.id = m.image_id
JOIN image_variants v ON v.image_id = m.image_id
WHERE g.id = $1 AND v.key = $2 AND i.deleted_at IS NULL"""

# What a cache in front asks about.
RULED = f"""
SELECT g.id, g.allowed_origins FROM galleries g
WHERE {OPEN_GALLERY} AND g.allowed_origins IS NOT NULL
ORDER BY g.id"""


async def of_gallery_file(connection: Connection, gallery_id: UUID, key: str) -> GalleryFileAccess | None:
    """Return ``None`` if the gallery has no such file."""
    row = await connection.fetchrow(OF_GALLERY_FILE, gallery_id, key)
    if row is None:
        return None
    origins = row["allowed_origins"]
    rule = ANY_PAGE if origins is None else HotlinkRule(frozenset(origins))
    return GalleryFileAccess(rule if row["is_open"] else None)


async def ruled_galleries(connection: Connection) -> list[RuledGallery]:
    """All galleries that everybody may see and that have a rule."""
    return [RuledGallery(row["id"], tuple(row["allowed_origins"])) for row in await connection.fetch(RULED)]
