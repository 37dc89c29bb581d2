"""The SQL of what events say about an image, besides its owner."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from imagegallery.common.meta import Meta
from imagegallery.database.connection import Connection
from imagegallery.events import records as events
from imagegallery.images.events import MAX_TOLD_GALLERIES, ImageUpdated


@frozen
class ToldImage:
    """What events say about an image."""

    id: UUID
    meta: Meta
    gallery_ids: tuple[UUID, ...]


def told_galleries(image_id: str, memberships: str = "gallery_images") -> str:
    """The galleries of the image with this id, as far as events name them. Scalar, evaluated image by image."""
    return f"""ARRAY(
        SELECT told.gallery_id FROM {memberships} told WHERE told.image_id = {image_id}
        ORDER BY told.added_at, told.gallery_id LIMIT {MAX_TOLD_GALLERIES}
    )"""


_TOLD = f"SELECT i.id, i.meta, {told_galleries('i.id')} AS gallery_ids FROM images i WHERE i.id = ANY($1) ORDER BY i.id"


async def tell_updated(
    connection: Connection, owner_id: str, image_ids: Sequence[UUID], fields: Sequence[str], *, now: datetime
) -> None:
    """Record that these fields of the owner's images have changed."""
    if not image_ids or not fields:
        return
    told = [ToldImage(*row) for row in await connection.fetch(_TOLD, list(image_ids))]
    updated = (ImageUpdated(owner_id, each.id, fields, gallery_ids=each.gallery_ids, meta=each.meta) for each in told)
    await events.record(connection, *updated, now=now)
