"""A gallery: an ordered collection of images. Pure."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from imagegallery.images.image import Image
from imagegallery.principal import Principal

MAX_NAME = 255
MAX_DESCRIPTION = 10_000
MAX_PER_OWNER = 10_000


class Visibility(StrEnum):
    """``public``: listed and open to all; ``unlisted``: open to whoever has the id; ``private``: the owner's."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE = "private"

    @property
    def is_open(self) -> bool:
        """Whether everybody may see the gallery and what is in it, listed or not."""
        return self is not Visibility.PRIVATE


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
    to show, and is there in what services answer unless the gallery is empty."""

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

    def is_open_to(self, principal: Principal) -> bool:
        """Whether this principal may see the gallery at all."""
        return self.visibility.is_open or principal.owns(self.owner_id)
