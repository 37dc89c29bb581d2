"""What to do with an entry, given how old it is: pure.

An entry ends long before its lifetime does when what it shows changes: see `imagegallery.cache.generations`. The
lifetimes bound what is served when no word of a change comes.
"""

from datetime import datetime, timedelta
from typing import Final, TypeAlias

from attrs import frozen

from imagegallery.cache.protocol import Entry

# Deeper pages are asked for seldom, and would push out those that are asked for often.
PAGES_KEPT: Final = 3

# While we cannot hear of changes nothing older is served: the longest that a change can go unnoticed.
UNHEARD_LIMIT: Final = timedelta(seconds=60)


@frozen
class Lifetime:
    """Fresh for ``ttl``, then for ``stale`` served once more while a new entry is made."""

    ttl: timedelta
    stale: timedelta

    @property
    def whole(self) -> timedelta:
        """The age at which an entry is of no use any more."""
        return self.ttl + self.stale


GALLERY: Final = Lifetime(ttl=timedelta(seconds=300), stale=timedelta(seconds=60))
IMAGE_PAGES: Final = Lifetime(ttl=timedelta(seconds=120), stale=timedelta(seconds=30))
LONGEST: Final = max(GALLERY.whole, IMAGE_PAGES.whole)


@frozen
class Serve:
    """The entry is fresh."""

    entry: Entry


@frozen
class ServeStale:
    """The entry will do this once more; have it made anew."""

    entry: Entry


@frozen
class Load:
    """There is nothing to serve."""


Decision: TypeAlias = Serve | ServeStale | Load


def decide(entry: Entry | None, lifetime: Lifetime, now: datetime, *, hearing: bool) -> Decision:
    """``hearing``: changes are heard of. Otherwise nothing stale is served, and nothing over `UNHEARD_LIMIT` old.

    An entry from the future (a clock was set back) is not served either: nobody knows how old it is.
    """
    if entry is None or entry.stored_at > now:
        return Load()
    age = now - entry.stored_at
    if age < (lifetime.ttl if hearing else min(lifetime.ttl, UNHEARD_LIMIT)):
        return Serve(entry)
    return ServeStale(entry) if hearing and age < lifetime.whole else Load()


def is_kept(number: int | None) -> bool:
    """Whether to keep page ``number`` (from 1) of a list; ``None``: nobody knows which it is."""
    return number is not None and number <= PAGES_KEPT
