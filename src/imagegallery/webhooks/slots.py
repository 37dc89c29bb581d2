"""Limits of concurrent deliveries, to one host and of one owner, so that others get a turn. Pure."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from imagegallery.errors import Overloaded

RETRY_AFTER: Final = 2  # seconds


class DeliverySlots:
    """Counts deliveries in one process."""

    def __init__(self, per_owner: int, per_host: int) -> None:
        self._per_owner = per_owner
        self._per_host = per_host
        self._owners: Counter[str] = Counter()
        self._hosts: Counter[str] = Counter()

    @contextmanager
    def take(self, owner_id: str, host: str) -> Iterator[None]:
        """Take a slot for one delivery during the block. Raises `Overloaded` if there is none."""
        host = host.lower().rstrip(".")
        if self._owners[owner_id] >= self._per_owner or self._hosts[host] >= self._per_host:
            raise Overloaded(
                "Too many deliveries to this host, or of this owner, are under way.", retry_after=RETRY_AFTER
            )
        self._owners[owner_id] += 1
        self._hosts[host] += 1
        try:
            yield
        finally:
            _drop(self._owners, owner_id)
            _drop(self._hosts, host)


def _drop(counts: Counter[str], name: str) -> None:
    """Decrement the count, and remove it at zero."""
    counts[name] -= 1
    if not counts[name]:
        del counts[name]
