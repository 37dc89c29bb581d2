"""A clock that only moves when told, and one that several processes share."""

from datetime import UTC, datetime, timedelta
from mmap import mmap
from pathlib import Path
from struct import Struct

from imagegallery.clock import utc_now

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_SECONDS = Struct("d")


class ManualClock:
    """A `imagegallery.clock.Clock`: calling it answers the time, `advance` and `set` move it."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def __call__(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Answers the new time."""
        self._now += by
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now


class SharedClock:
    """The time, plus what a file says: so a test moves the clocks of several processes at once.

    The file is in memory, so that asking for the time blocks nobody. One process moves it, others only read.
    """

    def __init__(self, path: Path) -> None:
        with path.open("a+b") as file:
            if file.tell() == 0:
                file.write(_SECONDS.pack(0.0))
                file.flush()
            self._ahead = mmap(file.fileno(), _SECONDS.size)

    def __call__(self) -> datetime:
        return utc_now() + timedelta(seconds=self._seconds())

    def advance(self, by: timedelta) -> None:
        _SECONDS.pack_into(self._ahead, 0, self._seconds() + by.total_seconds())

    def _seconds(self) -> float:
        (seconds,) = _SECONDS.unpack_from(self._ahead)
        return float(seconds)
