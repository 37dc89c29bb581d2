"""What can happen, as values with a stable JSON form. Pure.

The ``type`` of each and the names of its fields are read by other programs: they stay. Fields may be added, with a
default, so that rows written by an older release can still be read.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final, Generic, Literal, TypeAlias, TypeVar
from uuid import UUID

import attrs
from attrs import field, frozen
from attrs.converters import optional
from attrs.validators import ge, gt

from imagegallery.errors import Fault, InvalidInput

Value: TypeAlias = str | Sequence[str] | None
GalleryChange = Literal["created", "updated", "images", "deleted"]


def _id(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _texts(value: Sequence[str]) -> tuple[str, ...]:
    return tuple(value)


@frozen
class ImageUploaded:
    """An upload has become an image, in this gallery if it is in one; it waits to be processed."""

    type: ClassVar[str] = "image.uploaded"
    owner_id: str
    image_id: UUID = field(converter=_id)
    gallery_id: UUID | None = field(default=None, converter=optional(_id))


@frozen
class VariantReady:
    """A variant of an image can be fetched."""

    type: ClassVar[str] = "variant.ready"
    owner_id: str
    image_id: UUID = field(converter=_id)
    variant_type: str
    format: str


@frozen
class ImageReady:
    """An image was processed and can be shown; slow formats may follow, each with its `VariantReady`."""

    type: ClassVar[str] = "image.ready"
    owner_id: str
    image_id: UUID = field(converter=_id)


@frozen
class ImageFailed:
    """An image could not be processed: ``code`` and ``message`` are its failure's."""

    type: ClassVar[str] = "image.failed"
    owner_id: str
    image_id: UUID = field(converter=_id)
    code: str
    message: str


@frozen
class ImageDeleted:
    """An image is no longer in its owner's library, but in the trash, from which it may come back."""

    type: ClassVar[str] = "image.deleted"
    owner_id: str
    image_id: UUID = field(converter=_id)


@frozen
class ImageRestored:
    """An image is back from the trash, as it was."""

    type: ClassVar[str] = "image.restored"
    owner_id: str
    image_id: UUID = field(converter=_id)


@frozen
class GalleryChanged:
    """A gallery was made, its own data changed, other images are in it (or in another order), or it is gone."""

    type: ClassVar[str] = "gallery.changed"
    owner_id: str
    gallery_id: UUID = field(converter=_id)
    change: GalleryChange


@frozen
class UrlsClosed:
    """Public URLs that nobody may fetch any more: ``urls``, up to 500, are for whoever keeps copies to forget.

    They are absolute, or without ``delivery.cdn_url`` and ``base_url`` relative to the API.
    """

    type: ClassVar[str] = "urls.closed"
    owner_id: str
    urls: tuple[str, ...] = field(converter=_texts)


DomainEvent: TypeAlias = (
    ImageUploaded | VariantReady | ImageReady | ImageFailed | ImageDeleted | ImageRestored | GalleryChanged | UrlsClosed
)
E_co = TypeVar("E_co", bound=DomainEvent, covariant=True)

TYPES: Final[Mapping[str, type[DomainEvent]]] = {
    each.type: each
    for each in (
        ImageUploaded,
        VariantReady,
        ImageReady,
        ImageFailed,
        ImageDeleted,
        ImageRestored,
        GalleryChanged,
        UrlsClosed,
    )
}


@frozen
class Event(Generic[E_co]):
    """Something that happened, as the log has it. Ids of later events are greater as numbers; they have gaps."""

    id: str
    occurred_at: datetime
    data: E_co

    @property
    def type(self) -> str:
        return self.data.type

    @property
    def position(self) -> int:
        return int(self.id)

    def to_json(self) -> str:
        """``{"id", "type", "timestamp", "data"}``: what subscribers over HTTP and webhooks get."""
        document = {
            "id": self.id,
            "type": self.type,
            "timestamp": self.occurred_at.isoformat(),
            "data": data_of(self.data),
        }
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


@frozen
class EventOptions:
    """How long events are kept for those who were away, and how many a subscriber may be behind (``buffer``).

    One process has ``max_subscribers`` at most, and of one owner ``max_subscribers_per_owner``.
    """

    retention: timedelta = field(default=timedelta(days=7), validator=gt(timedelta(0)))
    buffer: int = field(default=256, validator=ge(1))
    max_subscribers: int = field(default=2_000, validator=ge(1))
    max_subscribers_per_owner: int = field(default=50, validator=ge(1))


def data_of(event: DomainEvent) -> dict[str, Value]:
    """The event's fields as JSON values."""
    return attrs.asdict(event, value_serializer=lambda _, __, value: str(value) if isinstance(value, UUID) else value)


def read_data(event_type: str, data: Mapping[str, Value]) -> DomainEvent | None:
    """The inverse of `data_of`; ``None`` for a type that only a newer release knows. Unknown fields are left out."""
    known = TYPES.get(event_type)
    if known is None:
        return None
    names = {each.name for each in attrs.fields(known)}
    make: Callable[..., DomainEvent] = known
    return make(**{name: value for name, value in data.items() if name in names})


def parse_event_id(text: str) -> int:
    """The position that an event's id stands for. Raises `InvalidInput` for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(2**62))):
        raise InvalidInput("This is not the id of an event.", [Fault(("query", "after"), "must be an event's id")])
    return int(text)
