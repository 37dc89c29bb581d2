"""The second tier: entries that processes share, behind the memory of each.

It is asked when the first tier has nothing, in the one load that all waiters in this process share. Redis holds the
entries; `imagegallery.cache.floors` decides whether to trust one. If Redis does not respond, everything is loaded as if
it were not there.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import anyio
from attrs import frozen

from imagegallery.cache import records
from imagegallery.cache.floors import Floors
from imagegallery.cache.policy import Lifetime
from imagegallery.cache.protocol import Entry
from imagegallery.cache.shared import FetchResult, Lease, SharedCache, SharedEntry
from imagegallery.cache.snapshots import Snapshot
from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable

LoadBytes = Callable[[], Awaitable[bytes]]

# A process that has not made an entry by then has died, or is too slow to wait for.
LOCK_SECONDS: Final = 10.0
# How long to wait for another process, looking again after each pause.
PATIENCE_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.02
RELEASE_SECONDS: Final = 1.0


@frozen
class SecondTier:
    """A `imagegallery.cache.shared.SharedTier` over a `SharedCache`. ``is_listening``: whether we learn of changes."""

    cache: SharedCache
    floors: Floors
    database: Database
    clock: Clock
    is_listening: Callable[[], bool]

    async def fetch(self, group: str, key: str, lifetime: Lifetime, load: LoadBytes) -> FetchResult:
        found = await self._find_or_claim(group, key)
        match found:
            case Lease():
                return FetchResult(await self._make(found, lifetime, load), is_shared=False)
            case SharedEntry():
                made_at = self.clock() - timedelta(seconds=found.age)
                return FetchResult(Entry(found.body, made_at, found.digest), is_shared=True)
            case None:
                return FetchResult(await self._loaded(load), is_shared=False)

    async def put_hint(self, group: str, key: str, body: bytes, lifetime: Lifetime) -> None:
        await self.cache.set(f"{group}/{key}", Entry(body, self.clock()), ttl_seconds=lifetime.whole.total_seconds())

    async def get_hint(self, group: str, key: str) -> bytes | None:
        entry = await self.cache.get(f"{group}/{key}")
        return None if entry is None else entry.body

    async def _find_or_claim(self, group: str, key: str) -> SharedEntry | Lease | None:
        """Return the entry, or the right to make it, or ``None`` to load it for this process alone."""
        # The floor is taken before the lookup: a change received meanwhile makes this whole load obsolete.
        floor = self.floors.of(group) if self.is_listening() else None
        if floor is None:
            return None
        try:
            return await self._wait(group, key, floor)
        except Unavailable:
            return None

    async def _wait(self, group: str, key: str, floor: Snapshot) -> SharedEntry | Lease | None:
        deadline = anyio.current_time() + PATIENCE_SECONDS
        while True:
            found = _trusted(await self.cache.look(group, key), floor)
            if found is not None and found.is_fresh:
                return found
            lease = await self.cache.claim(group, key, seconds=LOCK_SECONDS)
            if lease is not None:
                return await self._look_again(lease, group, key, floor)
            # A stale entry will do for processes that did not get the right to refresh it.
            if found is not None or anyio.current_time() > deadline:
                return found
            await anyio.sleep(PAUSE_SECONDS)

    async def _look_again(self, lease: Lease, group: str, key: str, floor: Snapshot) -> SharedEntry | Lease:
        """Look again: the previous holder may have made the entry after our lookup."""
        try:
            found = _trusted(await self.cache.look(group, key), floor)
        except BaseException:
            await self._give_back(lease)
            raise
        if found is None or not found.is_fresh:
            return lease
        await self._give_back(lease)
        return found

    async def _make(self, lease: Lease, lifetime: Lifetime, load: LoadBytes) -> Entry:
        began = anyio.current_time()
        try:
            # Taken before the load, which sees at least this much, wherever it reads.
            async with self.database.connection() as connection:
                snapshot = await records.take_snapshot(connection)
            entry = await self._loaded(load)
        except BaseException:
            await self._give_back(lease)
            raise
        with suppress(Unavailable):
            age = anyio.current_time() - began
            await self.cache.publish(lease, entry, str(snapshot), age=age, lifetime=lifetime)
        return entry

    async def _give_back(self, lease: Lease) -> None:
        """Give the lease back if that is possible now; otherwise it expires."""
        with anyio.move_on_after(RELEASE_SECONDS, shield=True), suppress(Unavailable):
            await self.cache.release(lease)

    async def _loaded(self, load: LoadBytes) -> Entry:
        # Taken before the load: its data may be that old.
        started_at = self.clock()
        return Entry(await load(), started_at)


def _trusted(found: SharedEntry | None, floor: Snapshot) -> SharedEntry | None:
    """Return the entry if it was made from all that the floor has seen."""
    if found is None:
        return None
    try:
        return found if Snapshot.parse(found.snapshot).covers(floor) else None
    except ValueError:
        return None
