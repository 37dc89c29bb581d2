"""A map of the most recently used entries in a bounded number of bytes: for everything that strangers can make grow."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedMap(Generic[K, V]):
    """The most recently used entries that fit in ``max_bytes``. ``size_of`` measures an entry with its key.

    It does not keep a larger entry, and then drops the previous one of its key.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[K, V], int]) -> None:
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """The bytes held."""
        return self._size

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def put(self, key: K, value: V) -> None:
        self.drop(key)
        size = self._size_of(key, value)
        if size > self._max_bytes:
            return
        self._kept[key] = value, size
        self._size += size
        while self._size > self._max_bytes:
            self.drop(next(iter(self._kept)))

    def drop(self, key: K) -> None:
        """Remove the entry, if it is there."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept[1]

    def clear(self) -> None:
        self._kept.clear()
        self._size = 0
