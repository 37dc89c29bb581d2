"""The cache of one process: the entries used last, in a bounded number of bytes.

It needs nothing from the outside. Each process has its own, so each has to be told of changes: see
`imagegallery.cache.generations`.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from attrs import frozen

from imagegallery.cache.protocol import Entry
from imagegallery.clock import Clock

# What an entry takes besides its key and its body, rounded up.
ENTRY_OVERHEAD: Final = 500
MAX_GROUPS: Final = 100_000


@frozen
class _Kept:
    entry: Entry
    size: int
    until: datetime


class MemoryCache:
    """A `imagegallery.cache.protocol.Cache` that holds at most ``max_bytes``: keys, bodies and what goes with them.

    An entry over that is not kept at all. Of groups it remembers the generations of the ``max_groups`` used last; one
    that it forgot gets a number that none ever had.
    """

    def __init__(self, max_bytes: int, clock: Clock, *, max_groups: int = MAX_GROUPS) -> None:
        self._max_bytes = max_bytes
        self._max_groups = max_groups
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size = 0
        self._generations: OrderedDict[str, int] = OrderedDict()
        self._numbers = count(1)

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return self._size

    async def get(self, key: str) -> Entry | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.entry

    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        self._drop(key)
        size = len(key.encode()) + len(entry.body) + ENTRY_OVERHEAD
        if size > self._max_bytes:
            return
        self._kept[key] = _Kept(entry, size, self._clock() + timedelta(seconds=ttl_seconds))
        self._size += size
        while self._size > self._max_bytes:
            self._drop(next(iter(self._kept)))

    async def generation(self, group: str) -> int:
        known = self._generations.get(group)
        if known is None:
            return await self.bump(group)
        self._generations.move_to_end(group)
        return known

    async def bump(self, group: str) -> int:
        number = self._generations[group] = next(self._numbers)
        self._generations.move_to_end(group)
        if len(self._generations) > self._max_groups:
            self._generations.popitem(last=False)
        return number

    async def aclose(self) -> None:
        self._kept.clear()
        self._size = 0

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept.size
