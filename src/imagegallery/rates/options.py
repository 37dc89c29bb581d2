"""How often somebody may do something: the options, and what a rate is. Pure."""

import re
from typing import Final

from attrs import Attribute, field, frozen

from imagegallery.errors import ConfigurationError

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_RATE: Final = re.compile(r"\s*+(\d++)\s*+(?:/|per)\s*+(\d++)?\s*+(second|minute|hour|day)s?\s*+", re.IGNORECASE)


@frozen
class Rate:
    """``amount`` times in any ``seconds``, as near as a sliding window of two counters can tell."""

    amount: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """``600/minute``, ``10 per 5 minutes``: as the package `limits` writes them. Raises `ConfigurationError`."""
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
    """Rates such as ``600/minute``; without one there is no limit.

    ``visitors``: requests from one address (of IPv6, one network of 64 bits) by nobody who is signed in. ``users``:
    requests of one user. ``uploads``: uploads that one owner begins. Counted by all processes together with Redis,
    by each for itself without.
    """

    visitors: str | None = field(default=None, validator=_check_rate)
    users: str | None = field(default=None, validator=_check_rate)
    uploads: str | None = field(default=None, validator=_check_rate)
