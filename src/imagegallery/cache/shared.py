"""What a cache must do beyond `imagegallery.cache.protocol.Cache` for several processes to share it.

Nothing here has to be reliable: an entry may be lost or come back from the dead, and so may a lock or a generation. Who
reads an entry judges it by the snapshot that came with it (`imagegallery.cache.floors`).
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from attrs import frozen

from imagegallery.cache.policy import Lifetime
from imagegallery.cache.protocol import Cache, Entry


@frozen
class SharedEntry:
    """``age`` is in seconds, by the cache's own clock; ``snapshot`` as `imagegallery.cache.snapshots` writes it."""

    body: bytes
    digest: str
    snapshot: str
    age: float
    is_fresh: bool


@frozen
class Lease:
    """The right to make one entry, while its lock lasts. ``generation`` is the group's from before the making."""

    group: str
    key: str
    token: str
    generation: int


class SharedCache(Cache, Protocol):
    """All of these raise `Unavailable` when the cache does not answer."""

    async def look(self, group: str, key: str) -> SharedEntry | None:
        """The entry, unless its time is over or its group was bumped since it was claimed."""

    async def claim(self, group: str, key: str, *, seconds: float) -> Lease | None:
        """The right to make the entry, for so many seconds; ``None`` while another has it."""

    async def publish(self, lease: Lease, entry: Entry, snapshot: str, *, age: float, lifetime: Lifetime) -> bool:
        """Share what was begun ``age`` seconds ago and give the lease back.

        False, and nothing is shared, if the lease has ended, the group was bumped, or the entry's time is over.
        """

    async def release(self, lease: Lease) -> None:
        """Give the lease back without an entry; does nothing if it has ended."""

    async def announce(self, group: str) -> None:
        """Bump the group, and tell whoever listens."""


@frozen
class Fetched:
    """``is_shared``: it was there, made by any process."""

    entry: Entry
    is_shared: bool


class SharedTier(Protocol):
    """A cache behind the one of this process. It raises nothing of its own: what it cannot do, it does without."""

    async def fetch(self, group: str, key: str, lifetime: Lifetime, load: Callable[[], Awaitable[bytes]]) -> Fetched:
        """What was made after the last change of the group that this process has heard of, else what ``load`` answers.

        Of several processes that miss it at the same time one loads it. Raises what ``load`` raises.
        """

    async def put_hint(self, group: str, key: str, body: bytes, lifetime: Lifetime) -> None:
        """Keep what does no harm when it is out of date."""

    async def get_hint(self, group: str, key: str) -> bytes | None:
        """What was kept, whatever happened since."""
