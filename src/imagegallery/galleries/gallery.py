"""A gallery: an ordered collection of images. Pure."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.decision import Facts
from imagegallery.images.image.image import Image

MAX_NAME = 255
MAX_DESCRIPTION = 10_000
MAX_PER_OWNER = 10_000


class ImageOrder(StrEnum):
    """The orders a gallery can be read in: as arranged; newest upload first; latest taken first; by name, as people
    count (``img2`` before ``img10``); and shuffled by a seed."""

    POSITION = "position"
    CREATED_AT = "created_at"
    TAKEN_AT = "taken_at"
    FILENAME = "filename"
    RANDOM = "random"


class GalleryView(StrEnum):
    """Which galleries a list holds: one's own, or everybody's public ones."""

    OWN = "own"
    PUBLIC = "public"


@frozen
class Gallery:
    """``cover_image_id`` is what the owner chose (``None``: the first image); ``cover`` is that image, ready
    to show, and is there in what services answer unless the gallery is empty. ``audience``: as whom the
    principal of the call sees it, set by services."""

    id: UUID
    owner_id: str
    name: str
    description: str
    visibility: Visibility
    cover_image_id: UUID | None
    image_count: int
    created_at: datetime
    updated_at: datetime
    cover: Image | None = None
    audience: Audience | None = field(default=None, eq=False)

    @property
    def facts(self) -> Facts:
        """What decides who may do what with it."""
        return Facts(self.owner_id, self.visibility)
