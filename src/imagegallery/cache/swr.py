"""Stale-while-revalidate: the shell around `imagegallery.cache.policy`.

Of those who ask for the same thing at the same time one load serves all, and whoever finds something stale gets it at
once while one refresh runs. Loads run in the `Background`, not in the task that asked: a client that goes away neither
breaks off the load that others wait for nor leaves one behind.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Final, assert_never

import anyio
from attrs import frozen

from imagegallery.cache.background import Background
from imagegallery.cache.policy import Lifetime, Load, Serve, ServeStale, decide
from imagegallery.cache.protocol import Cache, Entry
from imagegallery.clock import Clock
from imagegallery.errors import ImageGalleryError, Unavailable

logger = logging.getLogger(__name__)

# Every entry is also in this group: bumping it empties the cache.
EVERYTHING: Final = "*"

Loader = Callable[[], Awaitable[bytes]]


class CacheResult(StrEnum):
    """Found fresh; found stale; made, and kept for the next; made for one request, because such pages are not kept."""

    HIT = "hit"
    STALE = "stale"
    MISS = "miss"
    BYPASS = "bypass"


@frozen
class Answer:
    """``began_refresh``: it was stale, and nobody was at it yet."""

    entry: Entry
    result: CacheResult
    began_refresh: bool = False


class Revalidating:
    """A cache in front of loaders."""

    def __init__(self, cache: Cache, background: Background, clock: Clock) -> None:
        self._cache = cache
        self._background = background
        self._clock = clock
        self._flights: dict[str, _Flight] = {}

    async def get(self, group: str, key: str, lifetime: Lifetime, load: Loader, *, hearing: bool) -> Answer:
        """What is kept under ``key`` of the group, else what ``load`` answers. See `policy.decide` for ``hearing``.

        Raises what ``load`` raises, to all who wait for it, and `Unavailable` when the gallery is closed meanwhile.
        """
        # The generation is part of the key before the load begins: what was read before a change and is stored after
        # it is stored where nobody looks any more, and who asks after a change joins no load from before.
        full_key = await self._full(group, key)
        decision = decide(await self._cache.get(full_key), lifetime, self._clock(), hearing=hearing)
        match decision:
            case Serve(entry):
                return Answer(entry, CacheResult.HIT)
            case ServeStale(entry):
                return Answer(entry, CacheResult.STALE, began_refresh=self._refresh(full_key, lifetime, load))
            case Load():
                return Answer(await self._flight(full_key, lifetime, load).landed(), CacheResult.MISS)
            case _:
                assert_never(decision)

    async def put(self, group: str, key: str, lifetime: Lifetime, body: bytes) -> None:
        """Keep what was not asked for here."""
        entry = Entry(body, self._clock())
        await self._cache.set(await self._full(group, key), entry, ttl_seconds=lifetime.whole.total_seconds())

    async def peek(self, group: str, key: str) -> bytes | None:
        """What is kept, whatever its age. Loads nothing."""
        entry = await self._cache.get(await self._full(group, key))
        return None if entry is None else entry.body

    async def fresh(self, group: str, lifetime: Lifetime, *, hearing: bool) -> "Fresh":
        """What is fresh in the group at this moment: for several looks at once."""
        return Fresh(self._cache, await self._full(group, ""), lifetime, self._clock(), hearing)

    async def _full(self, group: str, key: str) -> str:
        return f"{await self._cache.generation(EVERYTHING)}/{group}@{await self._cache.generation(group)}/{key}"

    def _refresh(self, key: str, lifetime: Lifetime, load: Loader) -> bool:
        begins = key not in self._flights
        self._flight(key, lifetime, load)
        return begins

    def _flight(self, key: str, lifetime: Lifetime, load: Loader) -> "_Flight":
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight()
            self._background.start_soon(lambda: self._fly(key, lifetime, load, flight), "loading for the cache")
            self._flights[key] = flight
        return flight

    async def _fly(self, key: str, lifetime: Lifetime, load: Loader, flight: "_Flight") -> None:
        # From before the load: what it answers may be as old as that.
        started_at = self._clock()
        try:
            flight.entry = Entry(await load(), started_at)
            await self._cache.set(key, flight.entry, ttl_seconds=lifetime.whole.total_seconds())
        except Exception as error:
            flight.fail(error)
        finally:
            del self._flights[key]
            flight.land()


@frozen
class Fresh:
    """The entries of one generation of a group that are fresh at one moment."""

    cache: Cache
    prefix: str
    lifetime: Lifetime
    now: datetime
    hearing: bool

    async def get(self, key: str) -> Entry | None:
        """Loads nothing."""
        entry = await self.cache.get(self.prefix + key)
        return entry if isinstance(decide(entry, self.lifetime, self.now, hearing=self.hearing), Serve) else None


class _Flight:
    """One load, and those who wait for it."""

    def __init__(self) -> None:
        self.entry: Entry | None = None
        self._error: Exception = Unavailable("The gallery is closing.")
        self._trace: TracebackType | None = None
        self._landed = anyio.Event()
        self._waiters = 0

    async def landed(self) -> Entry:
        self._waiters += 1
        await self._landed.wait()
        if self.entry is None:
            # Each waiter's traceback begins where the load's ended, instead of growing from waiter to waiter.
            raise self._error.with_traceback(self._trace)
        return self.entry

    def fail(self, error: Exception) -> None:
        self._error, self._trace = error, error.__traceback__
        if not self._waiters:
            # What is stale is served on until its time is over, and every request for it tries again.
            log = logger.info if isinstance(error, ImageGalleryError) else logger.error
            log("a refresh failed: %r", error)

    def land(self) -> None:
        self._landed.set()
