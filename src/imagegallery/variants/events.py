"""Events about variants. Pure."""

from typing import ClassVar
from uuid import UUID

from attrs import field, frozen

from imagegallery.events.event import OwnerEvent, to_id


@frozen
class VariantReady(OwnerEvent):
    """A variant of an image can be fetched."""

    type: ClassVar[str] = "variant.ready"
    image_id: UUID = field(converter=to_id)
    variant_type: str
    format: str
