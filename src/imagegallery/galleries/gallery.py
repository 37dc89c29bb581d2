"""A gallery: an ordered collection of images. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.decision import Facts
from imagegallery.access.disclosure import NOTHING, Disclosure
from imagegallery.access.grant import Grant
from imagegallery.common.meta import Meta
from imagegallery.delivery.protocol import SignedCookie
from imagegallery.images.image.image import Image

MAX_NAME = 255
MAX_DESCRIPTION = 10_000
MAX_PER_OWNER = 10_000


class ImageOrder(StrEnum):
    """The order of a gallery's images: as arranged; newest upload first; latest taken first; by name with numbers in
    numerical
    order (``img2`` before ``img10``); or shuffled by a seed.
    """

    POSITION = "position"
    CREATED_AT = "created_at"
    TAKEN_AT = "taken_at"
    FILENAME = "filename"
    RANDOM = "random"


ImageOrderLike: TypeAlias = ImageOrder | Literal["position", "created_at", "taken_at", "filename", "random"]


class GalleryView(StrEnum):
    """The galleries of a list: the principal's own, all public ones, or those of others that shares let them see."""

    OWN = "own"
    PUBLIC = "public"
    SHARED = "shared"


GalleryViewLike: TypeAlias = GalleryView | Literal["own", "public", "shared"]


@frozen
class GalleryCookies:
    """Cookies for the ``url`` of a gallery's files (without a ``base_url`` relative to the API), until ``expires_at``.
    Each is for the path of this URL."""

    url: str
    cookies: tuple[SignedCookie, ...]
    expires_at: datetime


@frozen
class Gallery:
    """A gallery.

    Attributes:
        cover_image_id: The owner's choice. ``None`` for the first image.
        cover: The cover image with URLs, set by services unless the gallery is empty.
        allowed_origins: The origins of other pages that may show its public files (`imagegallery.access.hotlinks`);
            ``None`` for all.
        policy: The name of the one that images are uploaded under into it, if any.
        grants: What shares give the principal of the call on it.
        image_count: How many images are in it; ``None`` where counts are hidden.
        audience: How the principal of the call sees it, set by services.
        disclosure: What they are shown of it, set by services.
        meta: What the application keeps with it (`imagegallery.common.meta`), as far as the principal may see it.
    """

    id: UUID
    owner_id: str
    name: str
    description: str
    visibility: Visibility
    cover_image_id: UUID | None
    image_count: int | None
    created_at: datetime
    updated_at: datetime
    policy: str | None = None
    allowed_origins: tuple[str, ...] | None = None
    cover: Image | None = None
    audience: Audience | None = field(default=None, eq=False)
    disclosure: Disclosure = field(default=NOTHING, eq=False, repr=False)
    meta: Meta = field(factory=dict, hash=False)
    grants: tuple[Grant, ...] = field(default=(), eq=False)

    @property
    def facts(self) -> Facts:
        """The facts to decide access by."""
        return Facts(self.owner_id, self.visibility, grants=self.grants)

    def __repr__(self) -> str:
        return f"<Gallery {self.id} {self.name!r} {self.visibility}, {self.image_count} images>"
