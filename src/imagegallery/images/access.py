"""Who may see and change an image, in one place for all services of this room.

An image in the trash does not exist for anybody; only what is about the trash itself looks past that.
"""

from uuid import UUID

from imagegallery.database.connection import Connection
from imagegallery.errors import Forbidden, NotFound
from imagegallery.images import records
from imagegallery.images.records import FoundImage
from imagegallery.principal import Principal


async def readable(
    connection: Connection, principal: Principal, image_id: UUID, *, even_trashed: bool = False
) -> FoundImage:
    """Raises `NotFound` for what the principal may not see, as if it were not there."""
    found = await records.get(connection, image_id)
    if found is None or (found.image.deleted_at is not None and not even_trashed):
        raise NotFound("There is no such image.")
    if not (found.is_open or principal.owns(found.image.owner_id)):
        raise NotFound("There is no such image.")
    return found


async def writable(
    connection: Connection, principal: Principal, image_id: UUID, *, even_trashed: bool = False
) -> FoundImage:
    """Raises `NotFound` or, for somebody else's image that the principal can see, `Forbidden`."""
    found = await readable(connection, principal, image_id, even_trashed=even_trashed)
    if not principal.owns(found.image.owner_id):
        raise Forbidden("Only its owner can do this to an image.")
    return found
