"""A clock that only moves when told."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


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
