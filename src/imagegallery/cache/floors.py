"""The least that a shared entry must have seen, group by group, to be believed by this process.

Whoever loads an entry for others notes which transactions the database had seen before the load began. This process
hears of changes (`imagegallery.cache.generations`); when it has heard of one, it asks what the database has seen by
then: that is the group's floor. An entry whose snapshot covers the floor was made from data with that change, and with
all that were heard of before. Of what happened before it began to listen it has heard nothing, so what the database had
seen by then is the floor of every group.

So nothing that Redis lost, kept too long or brought back from the dead can be believed: what is believed is decided
here, by what PostgreSQL said. `docs/explanation/caching.md` has the whole argument.
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
# Beyond so many groups one floor for all, which is higher than need be, is cheaper.
MAX_FLOORS: Final = 10_000


class Floors:
    """A `imagegallery.cache.generations.Follower`: told of changes, it asks for their floors in the background."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._base: Snapshot | None = None
        self._floors: dict[str, Snapshot] = {}
        self._waiting: set[str] = set()  # heard of; the database was not asked yet
        self._asking: set[str] = set()  # being asked for
        self._heard = anyio.Event()

    def of(self, group: str) -> Snapshot | None:
        """``None``: not known at this moment; then nothing shared can be believed."""
        for unknown in (self._waiting, self._asking):
            if EVERYTHING in unknown or group in unknown:
                return None
        return self._floors.get(group, self._base)

    def heard(self, group: str, *, ours: bool) -> None:
        """A gallery changed."""
        self._waiting |= {group, ALL_GALLERIES} if len(self._waiting) < MAX_FLOORS else {EVERYTHING}
        self._heard.set()

    def lost(self) -> None:
        """Whatever happened until now may not have been heard of."""
        self._waiting.add(EVERYTHING)
        self._heard.set()

    async def run(self) -> None:
        """Ask for floors until cancelled."""
        while True:
            await self._heard.wait()
            self._heard = anyio.Event()
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
            # Whatever went wrong: a floor that is too low would have old entries believed.
            self._waiting |= self._asking
            raise
        finally:
            self._asking = set()

    def _raise(self, groups: set[str], snapshot: Snapshot) -> None:
        if EVERYTHING in groups or len(self._floors) >= MAX_FLOORS:
            self._base, self._floors = snapshot, {}
        else:
            self._floors |= dict.fromkeys(groups, snapshot)
