"""What administrators govern at run time, in one object: over what the settings say, and never wider where that would
be unsafe. Pure.

Administrators give *rules*, a JSON object with some of the fields of `AdminPolicy`; the settings stand for the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeAlias, TypeVar

import attrs
from attrs import field, frozen, validators

from imagegallery.access.audience import Visibility
from imagegallery.common.meta import JsonValue
from imagegallery.common.validation import Faults
from imagegallery.errors import ConfigurationError
from imagegallery.policies.policy import check_types
from imagegallery.rates.options import Rate, RateOptions
from imagegallery.storage.keys import EXTENSIONS

Rules: TypeAlias = Mapping[str, JsonValue]
NO_RULES: Final[Rules] = {}
UNLIMITED: Final = "unlimited"
"""In rules, what takes a limit of the settings away."""
MAX_BYTES: Final = 2**53 - 1
"""What JSON numbers hold exactly in every client."""
MAX_AMOUNT: Final = 10**9
MAX_SECONDS: Final = 366 * 24 * 3_600

# Of what somebody made up, and that comes back in a fault.
_MAX_NAME: Final = 100
E = TypeVar("E", bound=StrEnum)


class Originals(StrEnum):
    """What of an original's own metadata is kept when it comes in: all; all but the place; or nothing. What the file
    said stays with the image, for its owner."""

    KEEP = "keep"
    STRIP_PLACE = "strip_place"
    STRIP_ALL = "strip_all"


@frozen
class AdministrationOptions:
    """What holds until an administrator says something else (`imagegallery policy`, ``/admin/policy``).

    ``originals``: what of its own metadata an original keeps when it comes in: ``keep``, ``strip_place`` or
    ``strip_all``. ``default_visibility`` is that of new galleries. ``guest_uploads``: whether shares can let visitors
    add images at all. ``hotlinks``: whether pages of other sites may show public files of galleries without a rule of
    their own.
    """

    originals: Originals = field(default=Originals.KEEP, converter=Originals)
    default_visibility: Visibility = field(default=Visibility.PRIVATE, converter=Visibility)
    guest_uploads: bool = False
    hotlinks: bool = True


@frozen(kw_only=True)
class AdminPolicy:
    """What holds in the whole service now.

    ``allowed_types`` are media types; ``max_size`` of one file and ``storage_limit``, of every owner without a limit of
    their own, are in bytes; the three rates are such as ``600/minute``, of requests by one address or one user and of
    uploads by one owner. Of these four ``None`` is no limit. The others are as in `AdministrationOptions`.
    """

    allowed_types: tuple[str, ...] = field(validator=check_types)
    max_size: int = field(validator=validators.ge(1))
    storage_limit: int | None = field(default=None, validator=validators.optional(validators.ge(0)))
    visitor_rate: str | None = None
    user_rate: str | None = None
    upload_rate: str | None = None
    originals: Originals = field(default=Originals.KEEP, converter=Originals)
    default_visibility: Visibility = field(default=Visibility.PRIVATE, converter=Visibility)
    guest_uploads: bool = False
    hotlinks: bool = True
    rates: RateOptions = field(init=False, eq=False, repr=False)

    @rates.default
    def _rates(self) -> RateOptions:
        return RateOptions(visitors=self.visitor_rate, users=self.user_rate, uploads=self.upload_rate)

    def under(self, rules: Rules) -> "AdminPolicy":
        """This policy, which the settings say, with these rules in front of it.

        Types and sizes only become fewer: decoders, memory and disks were chosen for what the settings take. A rule
        that is unknown here, as of a newer version of this software, says nothing.
        """
        said = {name: _RULES[name](value) for name, value in rules.items() if name in _RULES}
        wanted = attrs.evolve(self, **said)  # type: ignore[arg-type]
        return attrs.evolve(
            wanted,
            allowed_types=tuple(each for each in self.allowed_types if each in wanted.allowed_types),
            max_size=min(self.max_size, wanted.max_size),
        )


def check_rules(faults: Faults, path: tuple[str, ...], rules: Rules, settings: AdminPolicy) -> None:
    """Note everything that is wrong with rules for a service with these ``settings``."""
    for name, value in rules.items():
        if name not in _RULES:
            faults.add((*path, name[:_MAX_NAME]), f"is no rule; there are {', '.join(_RULES)}")
            continue
        try:
            said = _RULES[name](value)
        except ValueError as error:
            faults.add((*path, name), str(error))
            continue
        if isinstance(said, tuple) and (more := [each for each in said if each not in settings.allowed_types]):
            faults.add((*path, name), f"may only have types that the settings allow, and {more[0]} is none")
        if name == "max_size" and isinstance(said, int) and said > settings.max_size:
            faults.add((*path, name), f"must be at most {settings.max_size:,}, as the settings say")


def _types(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise ValueError("must be a list of media types")
    if unknown := [each for each in value if not isinstance(each, str) or each not in EXTENSIONS]:
        raise ValueError(f"must be media types that can be stored, and {str(unknown[0])[:_MAX_NAME]} is none")
    return tuple(dict.fromkeys(value))


def _bytes(value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_BYTES:
        raise ValueError(f"must be a number of bytes, {least} to {MAX_BYTES}")
    return value


def _size(value: object) -> int:
    return _bytes(value, 1)


def _storage(value: object) -> int | None:
    return None if value == UNLIMITED else _bytes(value, 0)


def _rate(value: object) -> str | None:
    if value == UNLIMITED:
        return None
    fault = ValueError(f"must be a rate like 600/minute, of at most {MAX_AMOUNT} in a year, or {UNLIMITED}")
    if not isinstance(value, str) or len(value) > _MAX_NAME:
        raise fault
    try:
        rate = Rate.parse(value)
    except ConfigurationError:
        raise fault from None
    if rate.amount > MAX_AMOUNT or rate.seconds > MAX_SECONDS:
        raise fault
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _one_of(choices: type[E]) -> Callable[[object], E]:
    def chosen(value: object) -> E:
        if value not in [each.value for each in choices]:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return choices(value)

    return chosen


# Each rule by its name, and how what is given for it is read. Raises `ValueError` for anything else.
_RULES: Final[Mapping[str, Callable[[object], object]]] = {
    "allowed_types": _types,
    "max_size": _size,
    "storage_limit": _storage,
    "visitor_rate": _rate,
    "user_rate": _rate,
    "upload_rate": _rate,
    "originals": _one_of(Originals),
    "default_visibility": _one_of(Visibility),
    "guest_uploads": _flag,
    "hotlinks": _flag,
}
