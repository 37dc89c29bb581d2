"""Events about images and their galleries. Pure."""

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
    """An image was processed and can be shown. Slow formats may follow, each with a `VariantReady`."""

    type: ClassVar[str] = "image.ready"
    image_id: UUID = field(converter=to_id)


@frozen
class ImageFailed(OwnerEvent):
    """An image could not be processed. ``code`` and ``message`` describe the error."""

    type: ClassVar[str] = "image.failed"
    image_id: UUID = field(converter=to_id)
    code: str
    message: str


@frozen
class ImageDeleted(OwnerEvent):
    """An image was moved to the trash."""

    type: ClassVar[str] = "image.deleted"
    image_id: UUID = field(converter=to_id)


@frozen
class ImageRestored(OwnerEvent):
    """An image was restored from the trash."""

    type: ClassVar[str] = "image.restored"
    image_id: UUID = field(converter=to_id)


@frozen
class UrlsClosed(OwnerEvent):
    """Public URLs that nobody may fetch any more. Caches should delete the up to 500 ``urls``.

    They are absolute, or without ``delivery.cdn_url`` and ``base_url`` relative to the API.
    """

    type: ClassVar[str] = "urls.closed"
    urls: tuple[str, ...] = field(converter=_texts)


# An event of galleries, but memberships and the trash record it, too.
@frozen
class GalleryChanged(GalleryEvent):
    """A gallery was created, changed or deleted, or its images or their order changed."""

    type: ClassVar[str] = "gallery.changed"
    change: GalleryChange
