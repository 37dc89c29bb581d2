"""Counts by the sliding windows of the package `limits`, in this process or in Redis.

In Redis the clock of Redis counts, in scripts over two keys that a cluster keeps together. While Redis is away, each
process counts alone: a limit is then multiplied by the number of processes, and nobody sees an error.
"""

import time
from typing import Final

from attrs import define
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from imagegallery.clock import Clock
from imagegallery.common.bounded import BoundedMap
from imagegallery.rates.options import Rate

# The names not seen for longest start anew.
MAX_BYTES: Final = 32 * 2**20
# The size of a window besides its name, rounded up.
WINDOW_BYTES: Final = 400


class WindowCounts:
    """A `imagegallery.rates.limiter.Counts` over one of the storages of `limits`."""

    def __init__(self, storage: Storage) -> None:
        self._windows = SlidingWindowCounterRateLimiter(storage)

    async def hit(self, rate: Rate, name: str) -> float | None:
        item = _item(rate)
        if await self._windows.hit(item, name):
            return None
        stats = await self._windows.get_window_stats(item, name)
        return stats.reset_time - time.time()  # it has just added the time itself


def _item(rate: Rate) -> RateLimitItem:
    return RateLimitItemPerSecond(rate.amount, rate.seconds)


@define
class _Window:
    """The counts of the window that began then, by the clock in seconds, and of the one before."""

    began: float
    current: int = 0
    previous: int = 0


def _size_of(name: str, _: _Window) -> int:
    return len(name.encode()) + WINDOW_BYTES


class BoundedStorage(MemoryStorage):
    """The sliding windows of the most recently counted names, as many as fit in ``max_bytes``.

    The storage of `limits` checks every name each time it counts one, and keeps each until it ends.
    """

    def __init__(self, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self._clock = clock
        self._windows: BoundedMap[str, _Window] = BoundedMap(max_bytes, _size_of)

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        window, now = self._window(key, expiry)
        left = 1 - (now - window.began) / expiry
        if int(window.previous * left) + window.current + amount > limit:
            return False
        window.current += amount
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        window, now = self._window(key, expiry)
        left = expiry - (now - window.began)
        return window.previous, left, window.current, left + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        self._windows.drop(key)

    def _window(self, key: str, expiry: int) -> tuple[_Window, float]:
        """The current window, and the time."""
        now = self._clock().timestamp()
        window = self._windows.get(key)
        if window is None:
            window = _Window(now)
            self._windows.put(key, window)
        passed = (now - window.began) // expiry
        if passed:
            window.previous = window.current if passed == 1 else 0
            window.current = 0
            window.began = window.began + expiry if passed == 1 else now
        return window, now
