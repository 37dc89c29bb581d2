"""What a cache must do: keep encoded bytes under keys for a while, bounded, and forget without being asked.

A cache may lose anything at any time and never answers for access: services check the principal before they
look here. Invalidation is by *generation*: a gallery's entries carry its generation in their keys, and a
change bumps it, so that invalidating is O(1) and no backend needs to search its keys.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Protocol

from attrs import field, frozen


@frozen
class Entry:
    """Encoded bytes and when they were made; whether that is fresh or stale is `cache.policy`'s to say.

    ``digest``, 32 hex digits, depends on the bytes alone: the same in every process. It is made with the entry, once,
    and a backend keeps it with the rest.
    """

    body: bytes
    stored_at: datetime
    digest: str = field()

    @digest.default
    def _digest_of_body(self) -> str:
        return blake2b(self.body, digest_size=16).hexdigest()


class Cache(Protocol):
    async def get(self, key: str) -> Entry | None:
        """The entry, or ``None``; never raises for a miss or an unreachable backend."""

    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        """Keep the entry for at most ``ttl_seconds``."""

    async def generation(self, group: str) -> int:
        """The current generation of a group of entries (a gallery's, say).

        A cache that lost it answers one that it never gave before (from the clock, or at random): a generation that
        came back would bring stale entries back with it.
        """

    async def bump(self, group: str) -> int:
        """Make every entry of the group unreachable; answers the new generation."""

    async def aclose(self) -> None: ...
