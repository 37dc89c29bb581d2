"""Events about uploads. Pure."""

from typing import ClassVar
from uuid import UUID

from attrs import field, frozen
from attrs.converters import optional

from imagegallery.events.event import OwnerEvent, to_id


@frozen
class ImageUploaded(OwnerEvent):
    """An upload became an image, in this gallery if any, which waits to be processed."""

    type: ClassVar[str] = "image.uploaded"
    image_id: UUID = field(converter=to_id)
    gallery_id: UUID | None = field(default=None, converter=optional(to_id))
