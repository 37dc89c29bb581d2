"""The cache of one process: the most recently used entries, in a bounded number of bytes.

Each process has its own, and must learn of changes: see `imagegallery.cache.generations`.
"""

from datetime import datetime, timedelta
from itertools import count
from typing import Final

from attrs import frozen

from imagegallery.cache.protocol import Entry
from imagegallery.clock import Clock
from imagegallery.common.bounded import BoundedMap

# The size of an entry besides its key and body, rounded up.
ENTRY_OVERHEAD: Final = 500
MAX_GROUPS: Final = 20_000


@frozen
class _Kept:
    entry: Entry
    until: datetime


def _size_of(key: str, kept: _Kept) -> int:
    return len(key.encode()) + len(kept.entry.body) + ENTRY_OVERHEAD


class MemoryCache:
    """A `imagegallery.cache.protocol.Cache` of at most ``max_bytes``: keys, bodies and overhead.

    It does not keep a larger entry. Groups that were never bumped share a generation, so that requests for groups that
    do not exist use no memory. When ``max_groups`` groups have one of their own, it forgets them all. A forgotten group
    gets a fresh, never-used generation.
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
        """The bytes held."""
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
