"""What an application registers when its code is written: functions of its own that a gallery calls."""

from collections.abc import Callable
from typing import TypeVar

import attrs
from attrs import field, frozen

from imagegallery.events.event import DomainEvent, EventTypes
from imagegallery.events.handlers import Handlers, Registration
from imagegallery.feature import ByClass
from imagegallery.images.image.meta_checks import MetaCheck, MetaChecks, MetaSubject

E = TypeVar("E", bound=DomainEvent)
C = TypeVar("C", bound=MetaCheck)


@frozen(eq=False)
class Registry:
    """What is registered, a field for each kind. A feature finds its own by the field's class
    (`Resources.registered`)."""

    handlers: Handlers = field(factory=Handlers)
    meta_checks: MetaChecks = field(factory=MetaChecks)

    def of_gallery(self, types: EventTypes) -> "Registry":
        """That of a gallery with these events: what is here, now and later, and what is registered with the gallery.

        Raises:
            ValueError: For a handler of an event that is none of these.
        """
        return Registry(self.handlers.of_gallery(types), self.meta_checks.of_gallery())

    def by_class(self) -> ByClass:
        """What is registered, for the features."""
        return ByClass(*(getattr(self, each.name) for each in attrs.fields(type(self))))


class Registers:
    """The decorators by which an application registers its own functions."""

    _registry: Registry

    def on(self, kind: type[E], *, name: str | None = None) -> Registration[E]:
        """Decorate a function that workers call for every event of this kind, of any owner.

        It takes the `Event`, and may be ``async``; a plain function is called in a thread. A worker calls what was
        registered before it was made, at least once for each event: possibly repeatedly (see `Event.id`) and out of
        order. Errors are retried with growing delays; in the end the event becomes a dead letter.

        Args:
            kind: The class of the events, such as `ImageReady`.
            name: Identifies the handler permanently, by default by module and function. A new name starts with the
                events after the start of the first worker that knows it.

        Raises:
            ValueError: If the name is taken, or no feature has this kind of event: at once, or if that is not known
                before the gallery is open, then.
        """
        return Registration(self._registry.handlers, kind, name)

    def meta(self, subject: MetaSubject) -> Callable[[C], C]:
        """Decorate a function that checks the ``meta`` of each image or gallery before it is kept.

        It is called with all of it, as it would be then: for what is new, with ``meta`` or without, and for each change
        of it. It refuses by raising `InvalidInput` or another `Refused`. It may be ``async``; a plain one runs in a
        thread. Nothing is kept if it fails or hangs: then the caller gets `HookFailed`.

        Args:
            subject: ``image`` or ``gallery``.

        Raises:
            ValueError: For another subject.
        """

        def register(check: C) -> C:
            self._registry.meta_checks.add(subject, check)
            return check

        return register
