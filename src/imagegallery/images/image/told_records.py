"""The SQL of what events say about an image, besides its owner."""

from uuid import UUID

from attrs import frozen

from imagegallery.common.meta import Meta
from imagegallery.images.events import MAX_TOLD_GALLERIES


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
