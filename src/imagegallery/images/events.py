"""Events about images and their galleries. Pure."""

from collections.abc import Sequence
from typing import ClassVar, Final, Literal
from uuid import UUID

from attrs import field, frozen
from attrs.converters import optional

from imagegallery.common.meta import Meta
from imagegallery.events.event import GalleryEvent, OwnerEvent, to_id

GalleryChange = Literal["created", "updated", "images", "deleted"]


MAX_TOLD_GALLERIES: Final = 100
"""The most galleries that an event names of those that its image is in: the first that it was added to."""


def _texts(value: Sequence[str]) -> tuple[str, ...]:
    return tuple(value)


def _ids(value: Sequence[UUID | str]) -> tuple[UUID, ...]:
    return tuple(map(to_id, value))


@frozen
class ImageEvent(OwnerEvent):
    """Something that happened to one image: with its ``meta``, and up to `MAX_TOLD_GALLERIES` galleries it is in."""

    image_id: UUID = field(converter=to_id)
    gallery_ids: tuple[UUID, ...] = field(default=(), converter=_ids, kw_only=True)
    meta: Meta = field(factory=dict, hash=False, kw_only=True)


# An event of uploads, but approving what others added records it, too.
@frozen
class ImageUploaded(ImageEvent):
    """An upload became an image, in this gallery if any, which waits to be processed."""

    type: ClassVar[str] = "image.uploaded"
    gallery_id: UUID | None = field(default=None, converter=optional(to_id))


@frozen
class ImageReady(ImageEvent):
    """An image was processed and can be shown. Slow formats may follow, each with a `VariantReady`."""

    type: ClassVar[str] = "image.ready"


@frozen
class ImageFailed(ImageEvent):
    """An image could not be processed. ``code`` and ``message`` describe the error."""

    type: ClassVar[str] = "image.failed"
    code: str
    message: str


@frozen
class ImageUpdated(ImageEvent):
    """Something of an image was changed: these ``fields``, by the names of the API. A tag's new name is no change of
    images."""

    type: ClassVar[str] = "image.updated"
    fields: tuple[str, ...] = field(converter=_texts)


@frozen
class ImageDeleted(ImageEvent):
    """An image was moved to the trash, out of these galleries."""

    type: ClassVar[str] = "image.deleted"


@frozen
class ImageRestored(ImageEvent):
    """An image was restored from the trash."""

    type: ClassVar[str] = "image.restored"


@frozen
class ImagePurged(ImageEvent):
    """An image was deleted permanently, after it was moved to the trash, and so in no gallery: its objects follow."""

    type: ClassVar[str] = "image.purged"


@frozen
class UrlsClosed(OwnerEvent):
    """Public URLs that nobody may fetch any more, or not for every page. Caches should delete the up to 500 ``urls``.

    They are absolute, or without ``delivery.cdn_url`` and ``base_url`` relative to the API.
    """

    type: ClassVar[str] = "urls.closed"
    urls: tuple[str, ...] = field(converter=_texts)


# An event of galleries, but memberships and the trash record it, too.
@frozen
class GalleryChanged(GalleryEvent):
    """A gallery was created, changed or deleted, or its images or their order changed. With its ``meta``."""

    type: ClassVar[str] = "gallery.changed"
    change: GalleryChange
    meta: Meta = field(factory=dict, hash=False)
