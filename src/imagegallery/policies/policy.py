"""A named policy: what may be uploaded under a name, and what becomes of it. Pure."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, Literal, TypeAlias

import attrs
from attrs import Attribute, field, frozen, validators

from imagegallery.access.audience import Visibility
from imagegallery.errors import ConfigurationError, WrongDimensions
from imagegallery.storage.keys import EXTENSIONS

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


class OnDuplicate(StrEnum):
    """What to do with a file that its owner has outside of the trash: make a second image of the same bytes, which are
    stored once; raise an error; or
    return the existing image.
    """

    KEEP_BOTH = "keep_both"
    REJECT = "reject"
    RETURN_EXISTING = "return_existing"


OnDuplicateLike: TypeAlias = OnDuplicate | Literal["keep_both", "reject", "return_existing"]


def check_types(_: object, __: "Attribute[tuple[str, ...]]", types: tuple[str, ...]) -> None:
    """Raise `ConfigurationError` for a type that cannot be stored."""
    if unknown := set(types) - set(EXTENSIONS):
        raise ConfigurationError(f"These types cannot be stored: {', '.join(sorted(unknown))}.")


_AT_LEAST_1: Final = validators.optional(validators.ge(1))
_ABOVE_0: Final = validators.optional(validators.gt(0))


@frozen(kw_only=True)
class Policy:
    """What may be uploaded under a name, and what becomes of it. It narrows the limits of the service, never widens
    them; what is not given is as the service has it.

    ``types`` are media types; ``max_size`` is in bytes. Widths and heights are in pixels as the picture is seen, with
    its orientation applied, ``max_pixels`` is their product, and ``min_aspect`` and ``max_aspect`` are width divided by
    height. A gallery of this policy holds at most ``max_images``; or, if it is for a ``single`` one, a new image takes
    the place of the old one, which goes to the trash unless another gallery holds it, too. ``presets`` names those by
    which variants are made. ``visibility`` is what the image begins with, whatever its sender
    says. ``on_duplicate`` and ``strict`` are as in the
    settings of uploads.
    """

    types: tuple[str, ...] = field(default=(), validator=check_types)
    max_size: int | None = field(default=None, validator=_AT_LEAST_1)
    min_width: int | None = field(default=None, validator=_AT_LEAST_1)
    max_width: int | None = field(default=None, validator=_AT_LEAST_1)
    min_height: int | None = field(default=None, validator=_AT_LEAST_1)
    max_height: int | None = field(default=None, validator=_AT_LEAST_1)
    max_pixels: int | None = field(default=None, validator=_AT_LEAST_1)
    min_aspect: float | None = field(default=None, validator=_ABOVE_0)
    max_aspect: float | None = field(default=None, validator=_ABOVE_0)
    max_images: int | None = field(default=None, validator=_AT_LEAST_1)
    single: bool = False
    presets: tuple[str, ...] = ()
    visibility: Visibility | None = field(default=None, converter=attrs.converters.optional(Visibility))
    on_duplicate: OnDuplicate | None = field(default=None, converter=attrs.converters.optional(OnDuplicate))
    strict: bool = False

    def __attrs_post_init__(self) -> None:
        """Raises `ConfigurationError` for limits that nothing could keep."""
        for name in ("width", "height", "aspect"):
            least, most = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if least is not None and most is not None and least > most:
                raise ConfigurationError(f"min_{name} is more than max_{name}.")
        if self.single and self.max_images is not None:
            raise ConfigurationError("A policy for a single image has no max_images.")

    @property
    def room(self) -> int | None:
        """How many images a gallery of this policy may hold; ``None``: any number."""
        return 1 if self.single else self.max_images

    def check_dimensions(self, width: int, height: int) -> None:
        """Raise `WrongDimensions` unless a picture of this many pixels, as it is seen, may be uploaded."""
        if fault := next(self._faults(width, height), None):
            name, limit, words = fault
            raise WrongDimensions(
                f"The picture has {width:,} x {height:,} pixels; {words}.", width=width, height=height, **{name: limit}
            )

    def _faults(self, width: int, height: int) -> Iterator[tuple[str, float, str]]:
        rules: Mapping[str, tuple[float, str]] = {
            "width": (width, "it must be {} {:,} wide"),
            "height": (height, "it must be {} {:,} high"),
            "pixels": (width * height, "it must have {} {:,} in all"),
            "aspect": (width / height, "its width must be {} {:.4g} times its height"),
        }
        for name, (value, words) in rules.items():
            least, most = getattr(self, f"min_{name}", None), getattr(self, f"max_{name}")
            if least is not None and value < least:
                yield f"min_{name}", least, words.format("at least", least)
            if most is not None and value > most:
                yield f"max_{name}", most, words.format("at most", most)


def check_policy_name(name: str) -> str:
    """Raise `ConfigurationError` unless a policy may have this name."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name for a policy: 1 to 32 of a-z, 0-9 and _, a letter first.")
    return name
