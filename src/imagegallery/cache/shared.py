"""What a cache must do beyond `imagegallery.cache.protocol.Cache` so that several processes can share it.

It need not be reliable: an entry, a lock or a generation may be lost or come back. A reader judges an entry by its
snapshot (`imagegallery.cache.floors`).
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from attrs import frozen

from imagegallery.cache.policy import Lifetime
from imagegallery.cache.protocol import Cache, Entry


@frozen
class SharedEntry:
    """A shared entry.

    Attributes:
        age: In seconds, by the cache's own clock.
        snapshot: As `imagegallery.cache.snapshots` writes it.
    """

    body: bytes
    digest: str
    snapshot: str
    age: float
    is_fresh: bool


@frozen
class Lease:
    """The right to make one entry, while its lock lasts. ``generation`` is the group's when it was granted."""

    group: str
    key: str
    token: str
    generation: int


class SharedCache(Cache, Protocol):
    """All methods raise `Unavailable` if the cache does not respond."""

    async def look(self, group: str, key: str) -> SharedEntry | None:
        """Return the entry, unless it expired or its group was bumped since the claim."""

    async def claim(self, group: str, key: str, *, seconds: float) -> Lease | None:
        """Return the right to make the entry for ``seconds``, or ``None`` while another process has it."""

    async def publish(self, lease: Lease, entry: Entry, snapshot: str, *, age: float, lifetime: Lifetime) -> bool:
        """Share what was begun ``age`` seconds ago, and give the lease back.

        Returns false, and shares nothing, if the lease ended, the group was bumped, or the entry expired.
        """

    async def release(self, lease: Lease) -> None:
        """Give the lease back without an entry. Does nothing if it has ended."""

    async def announce(self, group: str) -> None:
        """Bump the group, and notify listeners."""


@frozen
class FetchResult:
    """The bytes. ``is_shared``: some process had made them already."""

    entry: Entry
    is_shared: bool


class SharedTier(Protocol):
    """A cache behind this process's own. It does without what it cannot do, and raises no errors of its own."""

    async def fetch(
        self, group: str, key: str, lifetime: Lifetime, load: Callable[[], Awaitable[bytes]]
    ) -> FetchResult:
        """Return what was made after the last change that this process knows of, otherwise what ``load`` returns.

        Of several processes that miss it at once, one loads it. Raises what ``load`` raises.
        """

    async def put_hint(self, group: str, key: str, body: bytes, lifetime: Lifetime) -> None:
        """Keep something that may be out of date."""

    async def get_hint(self, group: str, key: str) -> bytes | None:
        """Return what was kept, whatever happened since."""
