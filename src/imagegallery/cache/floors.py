"""The floor of each group: what a shared entry must have seen before this process trusts it.

A process that loads an entry for others notes which transactions the database had seen before the load. This process
learns of changes (`imagegallery.cache.generations`). After each it asks the database what it has seen by then: that is
the group's floor. An entry whose snapshot covers the floor was made from data with that change and all earlier known
ones. What the database had seen when this process started to listen is the floor of every group.

So entries that Redis lost, kept too long or restored are never trusted: PostgreSQL decides.
`docs/explanation/caching.md` has the whole argument.
"""

import logging
from datetime import timedelta
from typing import Final

import anyio

from imagegallery.cache import records
from imagegallery.cache.generations import ALL_GALLERIES
from imagegallery.cache.snapshots import Snapshot
from imagegallery.cache.stale_while_revalidate import EVERYTHING
from imagegallery.database.pool import Database

logger = logging.getLogger(__name__)

PAUSE: Final = timedelta(seconds=1)
# With more groups, one common floor, which is higher than needed, is cheaper.
MAX_FLOORS: Final = 10_000


class Floors:
    """A `imagegallery.cache.generations.Follower` that asks for the floors of changed groups in the background."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._base: Snapshot | None = None
        self._floors: dict[str, Snapshot] = {}
        self._waiting: set[str] = set()  # changed, and not asked for yet
        self._asking: set[str] = set()  # being asked for
        self._changed = anyio.Event()

    def of(self, group: str) -> Snapshot | None:
        """Return the floor, or ``None`` while it is unknown: then no shared entry can be trusted."""
        for unknown in (self._waiting, self._asking):
            if EVERYTHING in unknown or group in unknown:
                return None
        return self._floors.get(group, self._base)

    def on_change(self, group: str, *, ours: bool) -> None:
        """Note that a gallery changed."""
        self._waiting |= {group, ALL_GALLERIES} if len(self._waiting) < MAX_FLOORS else {EVERYTHING}
        self._changed.set()

    def on_loss(self) -> None:
        """Note that earlier changes may have been missed."""
        self._waiting.add(EVERYTHING)
        self._changed.set()

    async def run(self) -> None:
        """Ask for floors until cancelled."""
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            while self._waiting:
                try:
                    await self._ask()
                except Exception as error:
                    logger.info("what the database has seen is not known: %r", error)
                    await anyio.sleep(PAUSE.total_seconds())

    async def _ask(self) -> None:
        self._asking, self._waiting = self._waiting, set()
        try:
            async with self._database.connection() as connection:
                snapshot = await records.take_snapshot(connection)
            self._raise(self._asking, snapshot)
        except BaseException:
            # After any error: a floor that is too low would let old entries pass.
            self._waiting |= self._asking
            raise
        finally:
            self._asking = set()

    def _raise(self, groups: set[str], snapshot: Snapshot) -> None:
        if EVERYTHING in groups or len(self._floors) >= MAX_FLOORS:
            self._base, self._floors = snapshot, {}
        else:
            self._floors |= dict.fromkeys(groups, snapshot)
