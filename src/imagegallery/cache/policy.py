"""What to do with an entry of some age. Pure.

Usually an entry ends long before its lifetime, when what it shows changes: see `imagegallery.cache.generations`. The
lifetimes limit what is served if no notification comes.
"""

from datetime import datetime, timedelta
from typing import Final, TypeAlias

from attrs import field, frozen
from attrs.validators import ge

from imagegallery.cache.protocol import Entry

# Deeper pages are rarely requested, and would displace popular ones.
PAGES_KEPT: Final = 3

# While we cannot learn of changes, nothing older is served: the longest that a change can go unnoticed.
UNHEARD_LIMIT: Final = timedelta(seconds=60)


@frozen
class CacheOptions:
    """``max_bytes`` is the memory of one process for encoded pages; 0 keeps none."""

    max_bytes: int = field(default=64 * 2**20, validator=ge(0))


@frozen
class Lifetime:
    """An entry is fresh for ``ttl``, then served once more, for ``stale``, while a new entry is made."""

    ttl: timedelta
    stale: timedelta

    @property
    def whole(self) -> timedelta:
        """The age at which an entry becomes useless."""
        return self.ttl + self.stale

    def within(self, limit: timedelta) -> "Lifetime":
        """The same, but no longer in whole than ``limit``."""
        ttl = min(self.ttl, limit * 4 / 5)
        return Lifetime(ttl, min(self.stale, limit - ttl))


GALLERY: Final = Lifetime(ttl=timedelta(seconds=300), stale=timedelta(seconds=60))
IMAGE_PAGES: Final = Lifetime(ttl=timedelta(seconds=120), stale=timedelta(seconds=30))
LONGEST: Final = max(GALLERY.whole, IMAGE_PAGES.whole)


@frozen
class Serve:
    """The entry is fresh."""

    entry: Entry


@frozen
class ServeStale:
    """Serve the entry once more, and refresh it."""

    entry: Entry


@frozen
class Load:
    """There is nothing to serve."""


Decision: TypeAlias = Serve | ServeStale | Load


def decide(entry: Entry | None, lifetime: Lifetime, now: datetime, *, is_listening: bool) -> Decision:
    """Decide about an entry.

    An entry from the future is not served: a clock was set back, and its age is unknown.

    Args:
        hearing: Whether we learn of changes. Otherwise nothing stale is served, and nothing older than `UNHEARD_LIMIT`.
    """
    if entry is None or entry.stored_at > now:
        return Load()
    age = now - entry.stored_at
    if age < (lifetime.ttl if is_listening else min(lifetime.ttl, UNHEARD_LIMIT)):
        return Serve(entry)
    return ServeStale(entry) if is_listening and age < lifetime.whole else Load()


def is_kept(number: int | None) -> bool:
    """Whether to keep page ``number`` (from 1) of a list. ``None`` stands for an unknown number."""
    return number is not None and number <= PAGES_KEPT
