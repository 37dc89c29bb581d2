"""The cache of one process: the entries used last, in a bounded number of bytes.

It needs nothing from the outside. Each process has its own, so each has to be told of changes: see
`imagegallery.cache.generations`.
"""

from datetime import datetime, timedelta
from itertools import count
from typing import Final

from attrs import frozen

from imagegallery.cache.protocol import Entry
from imagegallery.clock import Clock
from imagegallery.common.bounded import BoundedMap

# What an entry takes besides its key and its body, rounded up.
ENTRY_OVERHEAD: Final = 500
MAX_GROUPS: Final = 20_000


@frozen
class _Kept:
    entry: Entry
    until: datetime


def _size_of(key: str, kept: _Kept) -> int:
    return len(key.encode()) + len(kept.entry.body) + ENTRY_OVERHEAD


class MemoryCache:
    """A `imagegallery.cache.protocol.Cache` that holds at most ``max_bytes``: keys, bodies and what goes with them.

    An entry over that is not kept at all. Groups that were never bumped have a generation in common, so that whoever
    asks for groups that do not exist makes nothing grow. When ``max_groups`` others have one of their own it forgets
    them all, and all get a number that none ever had.
    """

    def __init__(self, max_bytes: int, clock: Clock, *, max_groups: int = MAX_GROUPS) -> None:
        self._max_groups = max_groups
        self._clock = clock
        self._kept: BoundedMap[str, _Kept] = BoundedMap(max_bytes, _size_of)
        self._numbers = count(1)
        self._unbumped = next(self._numbers)
        self._generations: dict[str, int] = {}

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return self._kept.size

    async def get(self, key: str) -> Entry | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self._clock():
            self._kept.drop(key)
            return None
        return kept.entry

    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        self._kept.put(key, _Kept(entry, self._clock() + timedelta(seconds=ttl_seconds)))

    async def generation(self, group: str) -> int:
        return self._generations.get(group, self._unbumped)

    async def bump(self, group: str) -> int:
        if len(self._generations) >= self._max_groups:
            self._generations.clear()
            self._unbumped = next(self._numbers)
        number = self._generations[group] = next(self._numbers)
        return number

    async def aclose(self) -> None:
        self._kept.clear()
