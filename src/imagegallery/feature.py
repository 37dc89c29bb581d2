"""What one feature brings to a gallery. The root (`imagegallery.gallery`) composes a list of them."""

from attrs import frozen

from imagegallery.events.event import DomainEvent


@frozen
class Feature:
    """``events``: the types of what it tells."""

    name: str
    events: tuple[type[DomainEvent], ...] = ()
