"""What an application registers when its code is written: functions of its own that a gallery calls."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias, TypeVar, overload

import attrs
from attrs import field, frozen

from imagegallery.access.authority import Authority, May
from imagegallery.events.event import DomainEvent, EventTypes
from imagegallery.events.handlers import Handlers, Registration
from imagegallery.feature import ByClass
from imagegallery.images.image.meta_checks import MetaCheck, MetaChecks, MetaSubject
from imagegallery.policies.policy import Policy
from imagegallery.policies.registry import Policies
from imagegallery.uploads.completion.acceptance import NewImage

E = TypeVar("E", bound=DomainEvent)
C = TypeVar("C", bound=MetaCheck)
M = TypeVar("M", bound=May)
AsyncAccept: TypeAlias = Callable[[NewImage], Coroutine[Any, Any, None]]
PlainAccept: TypeAlias = Callable[[NewImage], None]


@frozen(eq=False)
class Registry:
    """What is registered, a field for each kind. A feature finds its own by the field's class
    (`Resources.registered`)."""

    handlers: Handlers = field(factory=Handlers)
    meta_checks: MetaChecks = field(factory=MetaChecks)
    policies: Policies = field(factory=Policies)
    authority: Authority = field(factory=Authority)

    def of_gallery(self, types: EventTypes, configured: Mapping[str, Policy]) -> "Registry":
        """That of a gallery with these events and configured policies: what is here, now and later, and what is
        registered with the gallery.

        Raises:
            ValueError: For a handler of an event that is none of these.
        """
        return Registry(
            self.handlers.of_gallery(types),
            self.meta_checks.of_gallery(),
            self.policies.of_gallery(configured),
            self.authority,
        )

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

    def authorize(self, may: M) -> M:
        """Decorate the function that has the last word on who may do what: it is asked whenever we would allow
        something, and can only refuse.

        It takes the `Principal`, the `Permission` that is needed, and the `AccessSubject`: one thing, or a list, for
        which it is asked once. It may be ``async``; a plain function is called in a thread, and has ten seconds. Only
        ``True`` is a yes. What it refuses to somebody who may see the thing is `Forbidden`; else there is no such thing
        (`NotFound`). If it fails or hangs, nothing is allowed: `HookFailed`.

        Raises:
            ValueError: If there is one already.
        """
        self._registry.authority.ask(may)
        return may

    def policy(self, name: str, rules: Policy | None = None) -> "PolicyHook":
        """Decorate a function that decides about each upload under the policy of this name, after all other checks and
        before anything of it is on record.

        It takes the `NewImage`, and may be ``async``; a plain function is called in a thread, and each has ten seconds.
        It accepts by returning, and refuses by raising `Refused`, or another error of ours, whose words the sender
        gets. It may be called more than once for an upload whose completion was interrupted.

        Args:
            name: 1 to 32 of a-z, 0-9 and _, a letter first.
            rules: What the policy says, unless it is defined elsewhere. Without any, it limits nothing.

        Raises:
            ConfigurationError: For a name that is unusable.
            ValueError: If ``rules`` are given for a policy that is defined already.
        """
        if rules is not None:
            self._registry.policies.define(name, rules)
        return PolicyHook(self._registry.policies, name)


@frozen
class PolicyHook:
    """A decorator of a function that decides about uploads under a policy."""

    policies: Policies
    name: str

    @overload
    def __call__(self, hook: AsyncAccept) -> AsyncAccept: ...

    @overload
    def __call__(self, hook: PlainAccept) -> PlainAccept: ...

    def __call__(self, hook: AsyncAccept | PlainAccept) -> AsyncAccept | PlainAccept:
        self.policies.add_hook(self.name, hook)
        return hook
