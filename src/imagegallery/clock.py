"""Time as a parameter: services take a ``Clock``, pure code takes ``now``; only ``utc_now`` reads the time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time in UTC, with microseconds (PostgreSQL's precision)."""
    return datetime.now(UTC)
