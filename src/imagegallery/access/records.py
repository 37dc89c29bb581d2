"""The SQL of the facts about a gallery."""

from uuid import UUID

from imagegallery.access.audience import Visibility
from imagegallery.access.decision import Facts
from imagegallery.database.connection import Connection

GET = "SELECT owner_id, visibility FROM galleries WHERE id = $1"


async def of_gallery(connection: Connection, gallery_id: UUID) -> Facts | None:
    """Return ``None`` if there is no such gallery."""
    row = await connection.fetchrow(GET, gallery_id)
    return None if row is None else Facts(row["owner_id"], Visibility(row["visibility"]))
