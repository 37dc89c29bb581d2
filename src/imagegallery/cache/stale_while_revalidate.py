"""Stale-while-revalidate: the shell around `imagegallery.cache.policy`.

One load serves all concurrent requests for the same thing. A stale entry is served at once while one refresh runs.
Loads run in the `Background`, not in the requesting task: a client that disconnects neither cancels a load that others
wait for nor leaves one behind.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Final, assert_never

import anyio
from attrs import frozen

from imagegallery.cache.policy import Lifetime, Load, Serve, ServeStale, decide
from imagegallery.cache.protocol import Cache, Entry
from imagegallery.cache.shared import FetchResult, SharedTier
from imagegallery.clock import Clock
from imagegallery.common.background import Background
from imagegallery.errors import ImageGalleryError, Unavailable

logger = logging.getLogger(__name__)

# Every entry is also in this group: bumping it empties the cache.
EVERYTHING: Final = "*"

Loader = Callable[[], Awaitable[bytes]]


class CacheResult(StrEnum):
    """``HIT`` and ``STALE``: from this process; ``SHARED``: from the cache that processes share; ``MISS``: loaded and
    kept;
    ``BYPASS``: loaded for one request, because such pages are not kept.
    """

    HIT = "hit"
    STALE = "stale"
    SHARED = "shared"
    MISS = "miss"
    BYPASS = "bypass"


@frozen
class CacheAnswer:
    """The bytes and where they came from. ``began_refresh``: this request started the refresh."""

    entry: Entry
    result: CacheResult
    began_refresh: bool = False


class RevalidatingCache:
    """A cache in front of loaders, or of a tier that other processes fill, too."""

    def __init__(self, cache: Cache, background: Background, clock: Clock, shared: SharedTier | None = None) -> None:
        self._cache = cache
        self._shared = shared
        self._background = background
        self._clock = clock
        self._flights: dict[str, _Flight] = {}

    async def get(
        self, group: str, key: str, lifetime: Lifetime, load: Loader, *, is_listening: bool, may_be_shared: bool = True
    ) -> CacheAnswer:
        """Return the entry ``key`` of the group, otherwise what ``load`` returns.

        Raises what ``load`` raises, to all waiters, and `Unavailable` if the gallery is closed meanwhile.

        Args:
            hearing: See `policy.decide`.
            may_be_shared: Whether an entry made by another process will do.
        """
        # The generation is part of the key before the load begins. So data read before a change and stored after it is
        # stored where nobody looks, and a request after the change joins no load from before it.
        full_key = await self._full(group, key)
        fetch = partial(self._fetch, self._shared if may_be_shared else None, group, key, lifetime, load)
        decision = decide(await self._cache.get(full_key), lifetime, self._clock(), is_listening=is_listening)
        match decision:
            case Serve(entry):
                return CacheAnswer(entry, CacheResult.HIT)
            case ServeStale(entry):
                began = full_key not in self._flights
                self._flight(full_key, lifetime, fetch)
                return CacheAnswer(entry, CacheResult.STALE, began_refresh=began)
            case Load():
                fetched = await self._flight(full_key, lifetime, fetch).landed()
                return CacheAnswer(fetched.entry, CacheResult.SHARED if fetched.is_shared else CacheResult.MISS)
            case _:
                assert_never(decision)

    async def put(self, group: str, key: str, lifetime: Lifetime, body: bytes) -> None:
        """Keep something that was not requested here."""
        entry = Entry(body, self._clock())
        await self._cache.set(await self._full(group, key), entry, ttl_seconds=lifetime.whole.total_seconds())
        if self._shared is not None:
            await self._shared.put_hint(group, key, body, lifetime)

    async def peek(self, group: str, key: str) -> bytes | None:
        """Return what was `put`, at any age, here or elsewhere, for data that may be out of date."""
        entry = await self._cache.get(await self._full(group, key))
        if entry is not None:
            return entry.body
        return None if self._shared is None else await self._shared.get_hint(group, key)

    async def generation(self, group: str) -> str:
        """A name of the group as it is now: another one after each change."""
        return await self._full(group, "")

    async def fresh(self, group: str, lifetime: Lifetime, *, is_listening: bool) -> "Fresh":
        """Return what is fresh in the group now, for several lookups."""
        return Fresh(self._cache, await self._full(group, ""), lifetime, self._clock(), is_listening)

    async def _full(self, group: str, key: str) -> str:
        return f"{await self._cache.generation(EVERYTHING)}/{group}@{await self._cache.generation(group)}/{key}"

    async def _fetch(
        self, shared: SharedTier | None, group: str, key: str, lifetime: Lifetime, load: Loader
    ) -> FetchResult:
        if shared is not None:
            return await shared.fetch(group, key, lifetime, load)
        # Taken before the load: its data may be that old.
        started_at = self._clock()
        return FetchResult(Entry(await load(), started_at), is_shared=False)

    def _flight(self, key: str, lifetime: Lifetime, fetch: Callable[[], Awaitable[FetchResult]]) -> "_Flight":
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight()
            self._background.start_soon(lambda: self._fly(key, lifetime, fetch, flight), "loading for the cache")
            self._flights[key] = flight
        return flight

    async def _fly(
        self, key: str, lifetime: Lifetime, fetch: Callable[[], Awaitable[FetchResult]], flight: "_Flight"
    ) -> None:
        try:
            flight.fetched = await fetch()
            await self._cache.set(key, flight.fetched.entry, ttl_seconds=lifetime.whole.total_seconds())
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
    is_listening: bool

    async def get(self, key: str) -> Entry | None:
        """Return the entry. Loads nothing."""
        entry = await self.cache.get(self.prefix + key)
        return (
            entry if isinstance(decide(entry, self.lifetime, self.now, is_listening=self.is_listening), Serve) else None
        )


class _Flight:
    """One load, and its waiters."""

    def __init__(self) -> None:
        self.fetched: FetchResult | None = None
        self._error: Exception = Unavailable("The gallery is closing.")
        self._trace: TracebackType | None = None
        self._landed = anyio.Event()
        self._waiters = 0

    async def landed(self) -> FetchResult:
        self._waiters += 1
        await self._landed.wait()
        if self.fetched is None:
            # Each waiter's traceback starts where the load's ended, instead of growing from waiter to waiter.
            raise self._error.with_traceback(self._trace)
        return self.fetched

    def fail(self, error: Exception) -> None:
        self._error, self._trace = error, error.__traceback__
        if not self._waiters:
            # A stale entry is served until it expires, and every request for it tries again.
            log = logger.info if isinstance(error, ImageGalleryError) else logger.error
            log("a refresh failed: %r", error)

    def land(self) -> None:
        self._landed.set()
