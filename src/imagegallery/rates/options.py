"""Rates and the options for them. Pure."""

import re
from typing import Final

from attrs import Attribute, field, frozen

from imagegallery.errors import ConfigurationError

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_RATE: Final = re.compile(r"\s*+(\d++)\s*+(?:/|per)\s*+(\d++)?\s*+(second|minute|hour|day)s?\s*+", re.IGNORECASE)

# Some mistakes, and no guesses: the one rate that is there unless somebody wants none.
PASSWORDS: Final[str | None] = "10 per 10 minutes"


# What strangers may do to one share.
GUESTS: Final[str | None] = "20 per hour"
SHARE_UPLOADS: Final[str | None] = "2000 per hour"


@frozen
class Rate:
    """``amount`` times in any ``seconds``, as precisely as a sliding window of two counters can tell."""

    amount: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Parse ``600/minute`` or ``10 per 5 minutes``, the syntax of the package `limits`. Raises
        `ConfigurationError`."""
        match = _RATE.fullmatch(text)
        if match is None:
            raise ConfigurationError(f"{text!r} is no rate; write it like 600/minute or 100 per 2 hours.")
        amount, multiple, unit = match.groups()
        rate = cls(int(amount), int(multiple or 1) * _SECONDS[unit.lower()])
        if not rate.amount or not rate.seconds:
            raise ConfigurationError(f"{text!r} is a rate that nobody can keep to.")
        return rate


def _check_rate(_: object, __: "Attribute[str | None]", text: str | None) -> None:
    if text is not None:
        Rate.parse(text)


@frozen
class RateOptions:
    """Rates such as ``600/minute``. Without one there is no limit.

    ``visitors``: requests from one address (of IPv6, one network of 64 bits) without signing in. ``users``: requests of
    one user. ``uploads``: uploads started by one owner, or guest. ``passwords``: tries at the password of one share
    from one address. ``guests``: names that visitors from one address give to one share. ``share_uploads``: uploads of
    all guests of one share. With Redis all processes count together, otherwise each alone.
    """

    visitors: str | None = field(default=None, validator=_check_rate)
    users: str | None = field(default=None, validator=_check_rate)
    uploads: str | None = field(default=None, validator=_check_rate)
    passwords: str | None = field(default=PASSWORDS, validator=_check_rate)
    guests: str | None = field(default=GUESTS, validator=_check_rate)
    share_uploads: str | None = field(default=SHARE_UPLOADS, validator=_check_rate)
