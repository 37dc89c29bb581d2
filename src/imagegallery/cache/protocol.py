"""What a cache must do: keep encoded bytes under keys for a while, bounded, and evict by itself.

A cache may lose anything at any time and does not check access: services do so before they use it. Invalidation is by
*generation*: a gallery's entries have its generation in their keys, and a change bumps it. So it is O(1), and no
backend searches its keys.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Protocol

from attrs import field, frozen


@frozen
class Entry:
    """Encoded bytes and when they were made. `imagegallery.cache.policy` decides whether they are fresh.

    Attributes:
        digest: 32 hex digits that depend on the bytes alone. Made once with the entry; a backend keeps it with the
            rest.
    """

    body: bytes
    stored_at: datetime
    digest: str = field()

    @digest.default
    def _digest_of_body(self) -> str:
        return blake2b(self.body, digest_size=16).hexdigest()


class Cache(Protocol):
    async def get(self, key: str) -> Entry | None:
        """Return the entry or ``None``. Never raises for a miss or an unreachable backend."""

    async def set(self, key: str, entry: Entry, *, ttl_seconds: float) -> None:
        """Keep the entry for at most ``ttl_seconds``."""

    async def generation(self, group: str) -> int:
        """Return the current generation of a group of entries, such as a gallery's.

        A cache that lost it returns one that it never returned before, from the clock or at random: a reused generation
        would bring old entries back.
        """

    async def bump(self, group: str) -> int:
        """Make every entry of the group unreachable. Returns the new generation."""

    async def aclose(self) -> None: ...
