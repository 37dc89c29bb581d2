"""What happens to images, and to the galleries that they are in. Pure."""

from collections.abc import Sequence
from typing import ClassVar, Literal
from uuid import UUID

from attrs import field, frozen

from imagegallery.events.event import GalleryEvent, OwnerEvent, to_id

GalleryChange = Literal["created", "updated", "images", "deleted"]


def _texts(value: Sequence[str]) -> tuple[str, ...]:
    return tuple(value)


@frozen
class ImageReady(OwnerEvent):
    """An image was processed and can be shown; slow formats may follow, each with its `VariantReady`."""

    type: ClassVar[str] = "image.ready"
    image_id: UUID = field(converter=to_id)


@frozen
class ImageFailed(OwnerEvent):
    """An image could not be processed: ``code`` and ``message`` are its failure's."""

    type: ClassVar[str] = "image.failed"
    image_id: UUID = field(converter=to_id)
    code: str
    message: str


@frozen
class ImageDeleted(OwnerEvent):
    """An image is no longer in its owner's library, but in the trash, from which it may come back."""

    type: ClassVar[str] = "image.deleted"
    image_id: UUID = field(converter=to_id)


@frozen
class ImageRestored(OwnerEvent):
    """An image is back from the trash, as it was."""

    type: ClassVar[str] = "image.restored"
    image_id: UUID = field(converter=to_id)


@frozen
class UrlsClosed(OwnerEvent):
    """Public URLs that nobody may fetch any more: ``urls``, up to 500, are for whoever keeps copies to forget.

    They are absolute, or without ``delivery.cdn_url`` and ``base_url`` relative to the API.
    """

    type: ClassVar[str] = "urls.closed"
    urls: tuple[str, ...] = field(converter=_texts)


# One of the galleries', but memberships and the trash tell of it, too.
@frozen
class GalleryChanged(GalleryEvent):
    """A gallery was made, its own data changed, other images are in it (or in another order), or it is gone."""

    type: ClassVar[str] = "gallery.changed"
    change: GalleryChange
