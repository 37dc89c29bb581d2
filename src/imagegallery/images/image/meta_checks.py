"""Checks of ``meta`` by the application: hooks that may refuse what is to be kept, before anything is."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Final, Literal, TypeAlias, get_args

from attrs import field, frozen

from imagegallery.common.meta import Meta
from imagegallery.errors import Conflict
from imagegallery.hooks import run_hook

MetaSubject: TypeAlias = Literal["image", "gallery"]
MetaCheck: TypeAlias = Callable[[Meta], Awaitable[None]] | Callable[[Meta], None]

META_ATTEMPTS: Final = 20
"""How often a change is checked anew because somebody else has changed the same ``meta`` meanwhile."""


@frozen
class MetaChange:
    """A checked change of ``meta``, which holds as long as nobody else has changed it."""

    before: Meta
    after: Meta


@frozen(eq=False)
class MetaChecks:
    """The application's checks. An open gallery has those of its definition first, and then its own."""

    own: list[tuple[MetaSubject, MetaCheck]] = field(factory=list)
    defined: "MetaChecks | None" = None

    def of_gallery(self) -> "MetaChecks":
        """Those of an open gallery: what is here, now and later, and what is added to it."""
        return MetaChecks(defined=self)

    def add(self, subject: MetaSubject, check: MetaCheck) -> None:
        """Raises `ValueError` for an unknown subject, and `TypeError` for anything but a function."""
        if subject not in get_args(MetaSubject):
            raise ValueError(f"The meta of what? {subject!r} is neither 'image' nor 'gallery'.")
        if not callable(check):
            raise TypeError(f"{check!r} is no check: it must be a function.")
        self.own.append((subject, check))

    async def check(self, subject: MetaSubject, meta: Meta) -> None:
        """Ask all of them. Raises what refuses, and as `run_hook`."""
        if self.defined is not None:
            await self.defined.check(subject, meta)
        for checked, hook in self.own:
            if checked == subject:
                await run_hook(f"meta of {subject}", hook, deepcopy(meta))


def busy_meta() -> Conflict:
    """The error for one that others keep changing."""
    return Conflict("Its meta was changed by others again and again: try again.")
