"""One time for all processes: the database server's, whatever the clocks of their machines say.

A process's own clock is corrected by how far the server's is ahead of it, which is measured when the gallery is opened
and then every `MEASURE_EVERY`. Leases, expiry and signatures, which one process writes and another one compares, so
agree to within the round trips of both. What is promised:

* Processes agree, not that they are right: if the server's clock is wrong, all are.
* A local clock that is set while a process runs, or a database that moves to a machine with another clock, is noticed
  at the next measurement, and until then the time is off by as much.
* Time does not go back for a correction of up to `STANDSTILL`: it stands still until it is right. After a larger one it
  does: agreeing with the others matters more.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import anyio
from anyio.abc import TaskStatus
from attrs import frozen

from imagegallery.clock import Clock, utc_now
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable

logger = logging.getLogger(__name__)

MEASURE_EVERY: Final = timedelta(seconds=30)
# Of so many measurements at a time the one with the shortest round trip says most.
MEASUREMENTS: Final = 3
STANDSTILL: Final = timedelta(seconds=1)
# Worth telling the administrator.
LARGE_STEP: Final = timedelta(seconds=5)

SERVER_TIME: Final = "SELECT clock_timestamp()"


@frozen
class Measurement:
    """The server's time, and the local times right before and after it was asked for."""

    sent_at: datetime
    server_time: datetime
    received_at: datetime

    @property
    def offset(self) -> timedelta:
        """How far the server's clock is ahead, if its answer is of the middle of the round trip."""
        return self.server_time - (self.sent_at + (self.received_at - self.sent_at) / 2)

    @property
    def uncertainty(self) -> timedelta:
        """How far off that may be, either way."""
        return (self.received_at - self.sent_at) / 2


def correct(offset: timedelta, measurements: Iterable[Measurement]) -> timedelta:
    """The new offset: the same while no measurement contradicts it, so that time does not tremble."""
    # A local clock that was set back during the round trip makes nonsense of it.
    sound = [each for each in measurements if each.uncertainty >= timedelta(0)]
    best = min(sound, key=lambda each: each.uncertainty, default=None)
    if best is None or abs(best.offset - offset) <= best.uncertainty:
        return offset
    return best.offset


def not_before(last: datetime, now: datetime) -> datetime:
    """``now``, or ``last`` while it is only a little later."""
    return last if timedelta(0) < last - now <= STANDSTILL else now


class DatabaseClock:
    """A `Clock` that tells the database server's time: ``local`` plus the offset. Made by `measured`."""

    def __init__(self, database: Database, local: Clock = utc_now) -> None:
        self._database = database
        self._local = local
        self._offset = timedelta(0)
        self._last = datetime.min.replace(tzinfo=UTC)

    @classmethod
    async def measured(cls, database: Database, local: Clock = utc_now) -> "DatabaseClock":
        """Right from the start. Raises `Unavailable`."""
        clock = cls(database, local)
        await clock.measure()
        return clock

    def __call__(self) -> datetime:
        self._last = not_before(self._last, self._local() + self._offset)
        return self._last

    @property
    def offset(self) -> timedelta:
        """How far the server's clock is ahead of the local one."""
        return self._offset

    async def measure(self) -> None:
        """Look at the server's clock again. Raises `Unavailable`."""
        async with self._database.connection() as connection:
            await connection.execute("SELECT 1")  # the first round trip may be that of opening a connection
            measurements = []
            for _ in range(MEASUREMENTS):
                sent_at = self._local()
                server_time: datetime = await connection.fetchval(SERVER_TIME)
                measurements.append(Measurement(sent_at, server_time, self._local()))
        corrected = correct(self._offset, measurements)
        if abs(corrected - self._offset) >= LARGE_STEP:
            logger.warning("the database's clock is ahead of this machine's by %s", corrected)
        self._offset = corrected

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Measure again and again until cancelled."""
        task_status.started()
        while True:
            await anyio.sleep(MEASURE_EVERY.total_seconds())
            try:
                await self.measure()
            except Unavailable as error:
                logger.info("the database's clock was not looked at: %s", error)
