"""Listening to NOTIFY for as long as the process runs, through lost connections and restarted servers."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import anyio
from anyio.abc import TaskStatus

from imagegallery.database.connection import Connection
from imagegallery.database.failures import ENDINGS
from imagegallery.errors import ImageGalleryError

FIRST_PAUSE = timedelta(milliseconds=100)
LONGEST_PAUSE = timedelta(seconds=5)
# A network can go silent without closing anything; asking is the only way to notice.
PROBE_EVERY = timedelta(seconds=30)
PROBE_TIME = timedelta(seconds=10)
# Where nothing can be heard.
POLL_EVERY = timedelta(seconds=1)


class Notifications:
    """What was heard: a flag, because whoever waits looks in the database for what is new.

    Meant for one waiter. Of several, those that wait at the time all wake up; one that comes later does not.
    """

    def __init__(self) -> None:
        self._heard = anyio.Event()

    async def wait(self, timeout: timedelta) -> bool:
        """Return ``True`` as soon as something was heard or may have been missed since the last ``True``.

        ``False`` after ``timeout``.
        """
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
    """Wake whoever waits, again and again, until cancelled: for where no connection can listen."""
    while True:
        await anyio.sleep(POLL_EVERY.total_seconds())
        notifications.wake()


async def keep_listening(
    connection: Connection,
    reopen: Callable[[], Awaitable[Connection]],
    channels: Sequence[str],
    notifications: Notifications,
    *,
    task_status: TaskStatus[None],
) -> None:
    """Listen on ``connection`` and, when it is lost, on the next one, until cancelled. Owns the connections."""
    started = False
    while True:
        try:
            await _subscribe(connection, channels, notifications)
            if started:
                # What was sent while nobody listened is lost: let the waiter look.
                notifications.wake()
            else:
                task_status.started()
                started = True
            await _until_lost(connection)
        except ENDINGS:
            if not started:
                raise
        finally:
            connection.terminate()
        connection = await _reconnect(reopen)


async def _subscribe(connection: Connection, channels: Sequence[str], notifications: Notifications) -> None:
    def hear(_connection: object, _sender: int, _channel: str, _payload: object) -> None:
        notifications.wake()

    for channel in channels:
        await connection.add_listener(channel, hear)


async def _until_lost(connection: Connection) -> None:
    lost = anyio.Event()
    connection.add_termination_listener(lambda _connection: lost.set())
    while not (lost.is_set() or connection.is_closed()):
        with anyio.move_on_after(PROBE_EVERY.total_seconds()):
            await lost.wait()
            return
        await connection.execute("SELECT 1", timeout=PROBE_TIME.total_seconds())


async def _reconnect(reopen: Callable[[], Awaitable[Connection]]) -> Connection:
    pause = FIRST_PAUSE
    while True:
        await anyio.sleep(pause.total_seconds())
        try:
            return await reopen()
        except ImageGalleryError:
            pause = min(pause * 2, LONGEST_PAUSE)
