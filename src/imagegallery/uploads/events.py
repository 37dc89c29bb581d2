"""Events about uploads. Pure."""

from typing import ClassVar
from uuid import UUID

from attrs import field, frozen
from attrs.converters import optional

from imagegallery.events.event import to_id
from imagegallery.images.events import ImageEvent


@frozen
class ImageUploaded(ImageEvent):
    """An upload became an image, in this gallery if any, which waits to be processed."""

    type: ClassVar[str] = "image.uploaded"
    gallery_id: UUID | None = field(default=None, converter=optional(to_id))
