"""How this process's cache hears of changes: of its own at once, of those of others by NOTIFY.

The database tells of every gallery whose page may look different, in the transaction that changes it (migration
``gallery_changes``), whoever writes. Each process listens on a connection of its own:

* While it does, a change by another process is known as soon as PostgreSQL delivers it, in milliseconds; a change by
  this process, before the next answer: see `GalleryChanges.catch_up`.
* When the connection is lost, notifications may be, too. Until the next connection listens nothing stale is served, and
  nothing older than a minute (`imagegallery.cache.policy.UNHEARD_LIMIT`); then everything is dropped.
* So it is for ever where there is nothing to listen with (`Database.has_sessions`).
* A network that goes silent without closing anything is noticed by asking, after `PROBE_EVERY` plus `PATIENCE`.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Final, Protocol

import anyio
from anyio.abc import TaskStatus

from imagegallery.cache.protocol import Cache
from imagegallery.cache.stale_while_revalidate import EVERYTHING
from imagegallery.database.connection import Connection
from imagegallery.database.failures import ENDINGS
from imagegallery.database.notifications import until_lost
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable

logger = logging.getLogger(__name__)

CHANNEL: Final = "imagegallery_galleries"
# The group of what shows many galleries: any change bumps it.
ALL_GALLERIES: Final = "galleries"
PROBE_EVERY: Final = timedelta(seconds=15)
PATIENCE: Final = timedelta(seconds=5)
PAUSE: Final = timedelta(seconds=1)
# Beyond so many changes that nobody has asked after, forgetting everything is cheaper than remembering them.
MAX_HEARD: Final = 10_000

_PROBE = "SELECT 1"
_LOST = (*ENDINGS, Unavailable)


class Follower(Protocol):
    """Somebody else who wants to know at once. Neither may wait or raise."""

    def heard(self, group: str, *, ours: bool) -> None:
        """A gallery changed; ``ours``: by this process."""

    def lost(self) -> None:
        """Whatever happened until now may not have been heard."""


class GalleryChanges:
    """Bumps the group of each gallery that changed; a gallery's group is its id in text."""

    def __init__(self, database: Database, cache: Cache, followers: Sequence[Follower] = ()) -> None:
        self._database = database
        self._cache = cache
        self._followers = followers
        self._connection: Connection | None = None
        self._heard: dict[str, int] = {}  # group: the number of the notification
        self._numbers = count(1)
        self._caught_up_with = database.commits
        self._asking = anyio.Lock()

    @property
    def is_listening(self) -> bool:
        return self._connection is not None

    @property
    def is_behind(self) -> bool:
        """Whether `catch_up` has something to do."""
        return self._caught_up_with < self._database.commits or bool(self._heard)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled; started once the first attempt to listen has succeeded or failed."""
        async with anyio.create_task_group() as tasks:
            attempted = anyio.Event()
            tasks.start_soon(self._keep_listening, attempted)
            await attempted.wait()
            task_status.started()

    async def _keep_listening(self, attempted: anyio.Event) -> None:
        if not self._database.has_sessions:
            logger.warning("changes of galleries are not heard through a pooler: set database.session_dsn")
            attempted.set()
            return
        while True:
            try:
                async with self._database.session() as connection:
                    await self._listen(connection)
                    attempted.set()
                    await until_lost(connection, self._probe, PROBE_EVERY)
            except _LOST as error:
                logger.warning("changes of galleries are not heard: %s", error)
            finally:
                self._connection = None
                attempted.set()
            await anyio.sleep(PAUSE.total_seconds())

    async def catch_up(self) -> None:
        """Return when everything that this process committed before, and all that was heard of others, is applied.

        Costs nothing unless something was committed or heard since the last time, and then, for all who wait at the
        time together, one round trip to the database: what a transaction notified of is delivered to a listener before
        the answer to whatever it asks after that transaction's commit.
        """
        target = self._database.commits
        if self._caught_up_with < target:
            await self._ask_for_news(target)
        if self._heard:
            await self._cache.bump(ALL_GALLERIES)
        for group, number in list(self._heard.items()):
            await self._cache.bump(group)
            # It stays until it is applied, and longer if it was heard again meanwhile.
            if self._heard.get(group) == number:
                del self._heard[group]

    async def settle(self) -> None:
        """Return when everything that anybody committed before is applied: one round trip."""
        await self._ask_for_news(self._database.commits + 1)
        await self.catch_up()

    def hear_elsewhere(self, group: str) -> None:
        """Word from another source, of use only while this one is lost: it comes in no order with anything."""
        if not self.is_listening:
            self._note(group)

    async def _listen(self, connection: Connection) -> None:
        await connection.add_listener(CHANNEL, self._hear)
        # Whatever happened until now may not have been heard.
        for follower in self._followers:
            follower.lost()
        await self._cache.bump(EVERYTHING)
        self._connection = connection

    def _hear(self, _connection: object, sender: int, _channel: str, payload: object) -> None:
        for follower in self._followers:
            follower.heard(str(payload), ours=self._database.is_own(sender))
        self._note(str(payload))

    def _note(self, group: str) -> None:
        if len(self._heard) >= MAX_HEARD:
            self._heard = {EVERYTHING: next(self._numbers)}
        self._heard[group] = next(self._numbers)

    async def _ask_for_news(self, target: int) -> None:
        async with self._asking:
            if self._caught_up_with >= target:
                return
            reached = self._database.commits
            # Not broken off half-way: the connection serves everybody.
            with anyio.CancelScope(shield=True):
                answered = await self._ask()
            if not answered:
                await self._cache.bump(EVERYTHING)
            self._caught_up_with = reached

    async def _probe(self) -> None:
        async with self._asking:
            await self._ask()

    async def _ask(self) -> bool:
        """One round trip on the listening connection, which is given up if it does not answer: false."""
        connection = self._connection
        if connection is None:
            return False
        try:
            await connection.execute(_PROBE, timeout=PATIENCE.total_seconds())
        except _LOST:
            if self._connection is connection:
                self._connection = None
            connection.terminate()
            return False
        return True
