"""The named policies of a gallery: those of its settings, those of the application's code, and hooks for both."""

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import field, frozen

from imagegallery.common.validation import Faults
from imagegallery.errors import ConfigurationError, Conflict, GalleryFull, WrongDimensions
from imagegallery.hooks import run_hook
from imagegallery.policies.policy import Policy, check_policy_name

NO_POLICY: Final = Policy()


@frozen(eq=False)
class Policies:
    """Policies by name. What the settings say (``configured``) stands before what the code says; every hook is asked.

    An open gallery has those of its definition, and its own in front of them.
    """

    configured: Mapping[str, Policy] = field(factory=dict)
    defined: ChainMap[str, Policy] = field(factory=ChainMap)
    hooks: ChainMap[str, list[Callable[..., object]]] = field(factory=ChainMap)

    def of_gallery(self, configured: Mapping[str, Policy]) -> "Policies":
        """Those of a gallery with these settings, which may have more."""
        return Policies(configured, self.defined.new_child(), self.hooks.new_child())

    def define(self, name: str, policy: Policy) -> None:
        """Raises `ConfigurationError` for a name that is unusable, and `ValueError` for one that is defined already."""
        if check_policy_name(name) in self.defined:
            raise ValueError(f"There is a policy of the name {name!r} already.")
        self.defined[name] = policy

    def add_hook(self, name: str, hook: Callable[..., object]) -> None:
        """Raises `ConfigurationError` for a name that is unusable."""
        self.hooks.maps[0].setdefault(check_policy_name(name), []).append(hook)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, by alphabet."""
        return tuple(sorted({*self.configured, *self.defined, *self.hooks}))

    def find(self, name: str | None) -> Policy | None:
        """The policy of this name, if there is one; what limits nothing for no name."""
        if name is None:
            return NO_POLICY
        found = self.configured.get(name) or self.defined.get(name)
        return NO_POLICY if found is None and name in self.hooks else found

    def get(self, name: str | None) -> Policy:
        """The same for a name that was good once.

        Raises:
            Conflict: If there is none any more, or this process does not know it.
        """
        found = self.find(name)
        if found is None:
            raise Conflict(f"There is no policy {name} here now.")
        return found

    def check_known(self, name: str | None) -> None:
        """Raise `InvalidInput` with the known names for one that is none of them."""
        faults = Faults()
        if self.find(name) is None:
            known = ", ".join(self.names)
            faults.add(("body", "policy"), f"must be one of {known}" if known else "must not be given: there is none")
        faults.check()

    def check_presets(self, known: Iterable[str]) -> None:
        """Raise `ConfigurationError` for a policy with a preset that is none of these."""
        known = tuple(known)
        for name in self.names:
            if unknown := sorted(set(self.get(name).presets) - set(known)):
                raise ConfigurationError(
                    f"The policy {name} has a preset {unknown[0]}; there are {', '.join(sorted(known))}."
                )

    def room_of(self, name: str) -> int | None:
        """How many images a gallery of this policy may hold; ``None``: any number, or nothing is known of it."""
        found = self.find(name)
        return None if found is None else found.room

    def check_room(self, name: str | None, count: int) -> None:
        """Raise `GalleryFull` if a gallery of this policy may not hold ``count`` images; where there is to be a
        single one, the old one goes. Raises `Conflict` as `get`."""
        most = self.get(name).max_images
        if most is not None and count > most:
            raise GalleryFull(f"This gallery may hold {most:,} images at most; remove one first.", limit=most)

    def fault_of(
        self, name: str | None, *, made_under: str | None, content_type: str, size: int, width: int, height: int
    ) -> str | None:
        """What forbids an image of the library a gallery of this policy; ``None``: nothing. One that was uploaded under
        it may be there. Raises `Conflict` as `get`."""
        policy = self.get(name)
        if name is None or made_under == name:
            return None
        if self.has_hooks(name):
            return f"was not uploaded under the policy {name}"
        if policy.types and content_type not in policy.types:
            return f"is {content_type}, which the policy {name} does not take"
        if policy.max_size is not None and size > policy.max_size:
            return f"is larger than {policy.max_size:,} bytes"
        try:
            policy.check_dimensions(width, height)
        except WrongDimensions as error:
            return f"does not keep the policy {name}: {error.message}"
        return None

    def has_hooks(self, name: str | None) -> bool:
        """Whether code of the application is asked about each image under this policy."""
        return name in self.hooks

    async def accept(self, name: str, candidate: object) -> None:
        """Ask every hook of the policy, in the order of their registration. Raises as `run_hook`."""
        for registered in reversed(self.hooks.maps):
            for hook in registered.get(name, ()):
                await run_hook(f"policy {name}", hook, candidate)
