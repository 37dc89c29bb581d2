"""Find an image for a principal who may do something with it."""

from datetime import datetime
from uuid import UUID

from imagegallery.access.decision import require, require_own
from imagegallery.access.permission import Permission
from imagegallery.database.connection import Connection
from imagegallery.errors import AlreadyUsed
from imagegallery.images.image import records
from imagegallery.images.image.records import FoundImage
from imagegallery.principal import Principal


async def find(connection: Connection, principal: Principal, image_id: UUID, needed: Permission) -> FoundImage:
    """Return the image. Raises `NotFound` for one that the principal may not see, and `Forbidden`."""
    return require(needed, principal, await records.get(connection, image_id), "image")


async def claim(connection: Connection, principal: Principal, image_id: UUID, *, now: datetime) -> None:
    """Take the principal's own, unused image for a row of the application. Raises `NotFound` and `AlreadyUsed`."""
    require_own(principal, await records.get(connection, image_id), "image")
    if not await records.claim(connection, image_id, now=now):
        raise AlreadyUsed("This image is in use already.", image_id=str(image_id))
