"""Time as a parameter: services take a ``Clock``, pure code takes ``now``; only ``utc_now`` reads the time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

Clock = Callable[[], datetime]
Duration: TypeAlias = timedelta | float
"""A length of time as callers give it: seconds, if it is a number."""


def utc_now() -> datetime:
    """The current time in UTC, with microseconds (PostgreSQL's precision)."""
    return datetime.now(UTC)


def as_timedelta(given: Duration) -> timedelta:
    """Convert it. Raises `TypeError` for anything else."""
    return given if isinstance(given, timedelta) else timedelta(seconds=given)
