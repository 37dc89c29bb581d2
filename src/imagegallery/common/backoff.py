"""How long to wait before something that failed is tried again. Pure."""

from datetime import timedelta

from attrs import frozen


@frozen
class Backoff:
    """Pauses that double, from ``first`` up to ``longest``."""

    first: timedelta
    longest: timedelta

    def after(self, failures: int) -> timedelta:
        """The pause after this number of failures in a row, starting with 1."""
        seconds = self.first.total_seconds() * 2.0 ** min(failures - 1, 64)
        return timedelta(seconds=min(seconds, self.longest.total_seconds()))
