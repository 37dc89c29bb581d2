"""Functions of the application that are called when something happened."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias, TypeVar

from attrs import frozen

from imagegallery.events.event import DomainEvent, Event

E = TypeVar("E", bound=DomainEvent)
Handler: TypeAlias = Callable[[Event[E]], Awaitable[None]]
_NAME: Final = re.compile(r"[\w.<>-]{1,200}")


@frozen
class Registered:
    """A handler, the name under which it is known to the database, and what it wants to hear of."""

    name: str
    types: frozenset[str]
    call: Callable[[Event[DomainEvent]], Awaitable[None]]


class Registry:
    """The handlers of this process."""

    def __init__(self) -> None:
        self._registered: dict[str, Registered] = {}

    @property
    def handlers(self) -> Mapping[str, Registered]:
        """By name."""
        return self._registered

    def register(self, kind: type[E], handler: Handler[E], *, name: str | None = None) -> None:
        """Raises `ValueError` for a name that is taken or unusable."""
        chosen = name or f"{handler.__module__}.{handler.__qualname__}"
        if not _NAME.fullmatch(chosen):
            raise ValueError(f"{chosen!r} is no name for a handler: letters, digits, '.', '_' and '-', at most 200.")
        if chosen in self._registered:
            raise ValueError(f"There is a handler of the name {chosen!r} already.")

        async def call(event: Event[DomainEvent]) -> None:
            if isinstance(event.data, kind):
                await handler(Event(event.id, event.occurred_at, event.data))

        self._registered[chosen] = Registered(chosen, frozenset({kind.type}), call)
