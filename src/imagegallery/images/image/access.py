"""Find an image for a principal who may do something with it."""

from uuid import UUID

from imagegallery.access.decision import require
from imagegallery.access.permission import Permission
from imagegallery.database.connection import Connection
from imagegallery.images.image import records
from imagegallery.images.image.records import FoundImage
from imagegallery.principal import Principal


async def find(connection: Connection, principal: Principal, image_id: UUID, needed: Permission) -> FoundImage:
    """Return the image. Raises `NotFound` for one that the principal may not see, and `Forbidden`."""
    return require(needed, principal, await records.get(connection, image_id), "image")
