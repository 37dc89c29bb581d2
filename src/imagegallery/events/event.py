"""Events as values with a stable JSON form. Pure. Each feature has its own in its ``events.py``.

Other programs read the ``type`` and the names of the fields: they must not change. Fields may be added with a default,
so that rows of an older release can still be read.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Generic, TypeAlias, TypeVar
from uuid import UUID

import attrs
from attrs import field, frozen
from attrs.validators import ge, gt

from imagegallery.access.audience import EventAudience
from imagegallery.access.decision import Facts, members
from imagegallery.common.meta import JsonValue
from imagegallery.errors import Fault, InvalidInput


def to_id(value: UUID | str) -> UUID:
    """Convert an id, as rows and callers have it, for a field's ``converter``."""
    return value if isinstance(value, UUID) else UUID(value)


@frozen
class DomainEvent:
    """Something that happened. Each event is one of the three subclasses, which say who receives it.

    ``addressee`` is the user whose log holds it and whose turn handles it; ``hearers`` are all who receive it.
    """

    type: ClassVar[str]
    audience: ClassVar[EventAudience]

    @property
    def addressee(self) -> str:
        raise NotImplementedError

    @property
    def hearers(self) -> frozenset[str]:
        return frozenset({self.addressee})


@frozen
class OwnerEvent(DomainEvent):
    """For the owner of its subject."""

    audience: ClassVar[EventAudience] = EventAudience.OWNER
    owner_id: str

    @property
    def addressee(self) -> str:
        return self.owner_id


@frozen
class GalleryEvent(OwnerEvent):
    """For the members of the gallery: all who may see it by name."""

    audience: ClassVar[EventAudience] = EventAudience.MEMBERS
    gallery_id: UUID = field(converter=to_id)

    @property
    def hearers(self) -> frozenset[str]:
        return members(Facts(self.owner_id))


@frozen
class UserEvent(DomainEvent):
    """For one user, independent of its subject's owner."""

    audience: ClassVar[EventAudience] = EventAudience.USER
    user_id: str

    @property
    def addressee(self) -> str:
        return self.user_id


E_co = TypeVar("E_co", bound=DomainEvent, covariant=True)
EventTypes: TypeAlias = Mapping[str, type[DomainEvent]]


def by_type(kinds: Iterable[type[DomainEvent]]) -> EventTypes:
    """Events by their ``type``. Raises `ValueError` for a duplicate, and for one without an audience."""
    types: dict[str, type[DomainEvent]] = {}
    for kind in kinds:
        if not issubclass(kind, OwnerEvent | UserEvent):
            raise ValueError(f"{kind.__name__} is for nobody: make it an OwnerEvent, a GalleryEvent or a UserEvent.")
        if types.setdefault(kind.type, kind) is not kind:
            raise ValueError(f"Two events are of the type {kind.type!r}.")
    return types


@frozen
class Event(Generic[E_co]):
    """An event in the log. Later events have greater ids, with gaps."""

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
        """``{"id", "type", "timestamp", "data"}``, as sent over HTTP and by webhooks."""
        document = {
            "id": self.id,
            "type": self.type,
            "timestamp": self.occurred_at.isoformat(),
            "data": data_of(self.data),
        }
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


@frozen
class EventOptions:
    """How long events are kept for absent subscribers, and how many a subscriber may be behind (``buffer``).

    One process serves at most ``max_subscribers``, and ``max_subscribers_per_owner`` of one owner. A worker makes at
    most ``handler_calls`` calls of one handler at once, and gives each ``handler_timeout``; then it calls again.
    """

    retention: timedelta = field(default=timedelta(days=7), validator=gt(timedelta(0)))
    buffer: int = field(default=256, validator=ge(1))
    max_subscribers: int = field(default=2_000, validator=ge(1))
    max_subscribers_per_owner: int = field(default=50, validator=ge(1))
    handler_calls: int = field(default=4, validator=ge(1))
    handler_timeout: timedelta = field(default=timedelta(minutes=10), validator=gt(timedelta(0)))


def data_of(event: DomainEvent) -> dict[str, JsonValue]:
    """The event's fields as JSON values."""
    return attrs.asdict(event, value_serializer=lambda _, __, value: str(value) if isinstance(value, UUID) else value)


def read_data(types: EventTypes, event_type: str, data: Mapping[str, JsonValue]) -> DomainEvent | None:
    """The inverse of `data_of`. Returns ``None`` for a type of a newer release, and ignores unknown fields."""
    known = types.get(event_type)
    if known is None:
        return None
    names = {each.name for each in attrs.fields(known)}
    make: Callable[..., DomainEvent] = known
    return make(**{name: value for name, value in data.items() if name in names})


def parse_event_id(text: str) -> int:
    """The position of an event's id. Raises `InvalidInput` for an invalid one."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(2**62))):
        raise InvalidInput("This is not the id of an event.", [Fault(("query", "after"), "must be an event's id")])
    return int(text)
