"""LISTEN for as long as the process runs, through lost connections and restarted servers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import anyio

from imagegallery.common.backoff import Backoff
from imagegallery.common.task_groups import surrounding_tasks
from imagegallery.database.connection import Connection
from imagegallery.database.failures import ENDINGS, opening
from imagegallery.errors import ImageGalleryError, Unavailable

RECONNECTING = Backoff(timedelta(milliseconds=100), timedelta(seconds=5))
PROBE_EVERY = timedelta(seconds=30)
PROBE_TIME = timedelta(seconds=10)
# Where no connection can listen.
POLL_EVERY = timedelta(seconds=1)


class Notifications:
    """A flag that something was received. Waiters look in the database for what is new.

    For one waiter. Of several, those waiting at the time all wake up; a later one does not. ``payload`` is the only one
    of interest, if given.
    """

    def __init__(self, payload: str | None = None) -> None:
        self.payload = payload
        self._heard = anyio.Event()

    async def wait(self, timeout: timedelta) -> bool:
        """Return true as soon as something was, or may have been, received since the last true; false after
        ``timeout``."""
        heard = self._heard
        with anyio.move_on_after(timeout.total_seconds()):
            await heard.wait()
        if not heard.is_set():
            return False
        if self._heard is heard:
            self._heard = anyio.Event()
        return True

    def wake(self) -> None:
        self._heard.set()


async def keep_polling(notifications: Notifications) -> None:
    """Wake waiters regularly until cancelled, where no connection can listen."""
    while True:
        await anyio.sleep(POLL_EVERY.total_seconds())
        notifications.wake()


class SharedListener:
    """One connection that listens to the same channels for all waiters in this process. One of them at a time
    operates it."""

    def __init__(self, open_session: Callable[[], Awaitable[Connection]], channels: Sequence[str]) -> None:
        self._open_session = open_session
        self._channels = channels
        self._waiting: dict[Notifications, anyio.Event] = {}  # with events that are set once it listens
        self._turn = anyio.Lock()
        self._listens = anyio.Event()

    @asynccontextmanager
    async def join(self, payload: str | None) -> AsyncIterator[Notifications]:
        """Receive notifications while this is open. Raises `Unavailable` if there is no connection at the start."""
        notifications = Notifications(payload)
        begun = self._waiting[notifications] = anyio.Event()
        try:
            async with surrounding_tasks() as tasks:
                try:
                    tasks.start_soon(self._listen_in_turn, begun)
                    await self._listens.wait()
                    begun.set()
                    yield notifications
                finally:
                    tasks.cancel_scope.cancel()
        finally:
            del self._waiting[notifications]

    async def _listen_in_turn(self, begun: anyio.Event) -> None:
        """Listen on one connection after another until cancelled, whenever nobody else does. ``begun``: another task
        has listened for
        this waiter before, so that no outage ends it.
        """
        async with self._turn:
            try:
                while True:
                    connection = await (_reconnect(self._open_session) if begun.is_set() else self._open_session())
                    await self._listen(connection, begun)
            finally:
                self._listens = anyio.Event()

    async def _listen(self, connection: Connection, begun: anyio.Event) -> None:
        """Listen until the connection, which this owns, is lost. Raises `Unavailable` if that is before the start."""
        try:
            with opening():
                for channel in self._channels:
                    await connection.add_listener(channel, self._hear)
            # What was sent while nobody listened is lost: wake everybody to look.
            for waiting, has_begun in self._waiting.items():
                if has_begun.is_set():
                    waiting.wake()
            begun.set()
            self._listens.set()
            ask = partial(connection.execute, "SELECT 1", timeout=PROBE_TIME.total_seconds())
            await until_lost(connection, ask, PROBE_EVERY)
        except (Unavailable, *ENDINGS):
            if not begun.is_set():
                raise
        finally:
            connection.terminate()

    def _hear(self, _connection: object, _sender: int, _channel: str, payload: object) -> None:
        for waiting in self._waiting:
            if waiting.payload in (None, payload):
                waiting.wake()


async def until_lost(connection: Connection, ask: Callable[[], Awaitable[object]], every: timedelta) -> None:
    """Return when the connection is lost. A network can go silent without closing anything, so this calls ``ask``
    regularly, which raises
    or terminates the connection.
    """
    lost = anyio.Event()
    connection.add_termination_listener(lambda _connection: lost.set())
    while not (lost.is_set() or connection.is_closed()):
        with anyio.move_on_after(every.total_seconds()):
            await lost.wait()
            return
        await ask()


async def _reconnect(reopen: Callable[[], Awaitable[Connection]]) -> Connection:
    failures = 0
    while True:
        failures += 1
        await anyio.sleep(RECONNECTING.after(failures).total_seconds())
        with suppress(ImageGalleryError):
            return await reopen()
