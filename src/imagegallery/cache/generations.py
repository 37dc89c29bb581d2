"""How this process's cache learns of changes: of its own at once, of those of others by NOTIFY.

The database announces every gallery and library whose page may look different, in the transaction that changes it
(migrations ``gallery_changes`` and ``library_changes``), for every writer. Each process listens on a connection of its
own:

* While it listens, it knows of other processes' changes as soon as PostgreSQL delivers them, in milliseconds, and of
  its own before the next response: see `GalleryChanges.catch_up`.
* While the connection is lost, notifications may be lost, too. Until it listens again, it serves nothing stale and
  nothing older than a minute (`imagegallery.cache.policy.UNHEARD_LIMIT`). Then it drops everything.
* This is permanent if it cannot listen (`Database.has_sessions`).
* It finds a network that went silent by asking, after `PROBE_EVERY` plus `PATIENCE`.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import Final, Protocol
from uuid import UUID

import anyio
from anyio.abc import TaskStatus

from imagegallery.cache.protocol import Cache
from imagegallery.cache.stale_while_revalidate import EVERYTHING
from imagegallery.database.connection import Connection
from imagegallery.database.failures import ENDINGS
from imagegallery.database.notifications import until_lost
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable
from imagegallery.ids import parse_id

logger = logging.getLogger(__name__)

CHANNEL: Final = "imagegallery_galleries"
# The group of pages that show many galleries: any change bumps it.
ALL_GALLERIES: Final = "galleries"
_LIBRARY: Final = "library:"
PROBE_EVERY: Final = timedelta(seconds=15)
PATIENCE: Final = timedelta(seconds=5)
PAUSE: Final = timedelta(seconds=1)
# With more unread changes, forgetting everything is cheaper than remembering them.
MAX_HEARD: Final = 10_000

_PROBE = "SELECT 1"
_LOST = (*ENDINGS, Unavailable)


def library_group(owner_id: str) -> str:
    """The group of an owner's library, of a length that does not depend on them; also made by ``library_changes``."""
    return f"{_LIBRARY}{UUID(bytes=sha256(owner_id.encode()).digest()[:16])}"


def is_group(name: str) -> bool:
    """Whether it can be the name of a group that changes."""
    return name == ALL_GALLERIES or parse_id(name.removeprefix(_LIBRARY)) is not None


class Follower(Protocol):
    """Is notified of changes at once. Its methods must not wait or raise."""

    def on_change(self, group: str, *, ours: bool) -> None:
        """A gallery or library changed, or what all of them show (`EVERYTHING`); with ``ours``, by this process."""

    def on_loss(self) -> None:
        """Earlier changes may have been missed."""


class GalleryChanges:
    """Bumps the group of each gallery and library that changed. A gallery's group is its id as text."""

    def __init__(self, database: Database, cache: Cache, followers: Sequence[Follower] = ()) -> None:
        self._database = database
        self._cache = cache
        self._followers = [*followers]
        self._connection: Connection | None = None
        self._changed: dict[str, int] = {}  # group: the number of the notification
        self._numbers = count(1)
        self._caught_up_with = database.commits
        self._asking = anyio.Lock()

    def follow(self, follower: Follower) -> None:
        """Notify it, too, from now on."""
        self._followers.append(follower)

    @property
    def is_listening(self) -> bool:
        return self._connection is not None

    @property
    def is_behind(self) -> bool:
        """Whether `catch_up` has something to do."""
        return self._caught_up_with < self._database.commits or bool(self._changed)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled. It has started once the first attempt to listen has succeeded or failed."""
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
        """Apply everything that this process committed before, and all that was received of others.

        Costs nothing unless something was committed or received since the last time. Then it costs one round trip to
        the database for all callers together: PostgreSQL delivers a transaction's notifications to a listener before it
        answers anything the listener asks after that transaction's commit.
        """
        target = self._database.commits
        if self._caught_up_with < target:
            await self._ask_for_news(target)
        if any(not group.startswith(_LIBRARY) for group in self._changed):
            await self._cache.bump(ALL_GALLERIES)
        for group, number in list(self._changed.items()):
            await self._cache.bump(group)
            # It stays until it is applied, and longer if it was received again meanwhile.
            if self._changed.get(group) == number:
                del self._changed[group]

    def note_change(self, group: str) -> None:
        """Note a change from another source, which is unordered and only used while this one is lost."""
        if not self.is_listening:
            self._note(group)

    async def _listen(self, connection: Connection) -> None:
        await connection.add_listener(self._database.namespace.own(CHANNEL), self._on_notification)
        # Earlier changes may have been missed.
        for follower in self._followers:
            follower.on_loss()
        await self._cache.bump(EVERYTHING)
        self._connection = connection

    def _on_notification(self, _connection: object, sender: int, _channel: str, payload: object) -> None:
        for follower in self._followers:
            follower.on_change(str(payload), ours=self._database.is_own(sender))
        self._note(str(payload))

    def _note(self, group: str) -> None:
        if len(self._changed) >= MAX_HEARD:
            self._changed = {EVERYTHING: next(self._numbers)}
        self._changed[group] = next(self._numbers)

    async def _ask_for_news(self, target: int) -> None:
        async with self._asking:
            if self._caught_up_with >= target:
                return
            reached = self._database.commits
            # Not interrupted half-way: the connection serves everybody.
            with anyio.CancelScope(shield=True):
                answered = await self._ask()
            if not answered:
                await self._cache.bump(EVERYTHING)
            self._caught_up_with = reached

    async def _probe(self) -> None:
        async with self._asking:
            await self._ask()

    async def _ask(self) -> bool:
        """Make one round trip on the listening connection. Closes it and returns false if there is no response."""
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
