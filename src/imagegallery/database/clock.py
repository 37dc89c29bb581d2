"""One time for all processes: the database server's, whatever their machines' clocks show.

A process corrects its own clock by the server's lead, measured when the gallery is opened and then every
`MEASURE_EVERY`. So leases, expiry and signatures, which one process writes and another compares, agree to within the
round trips of both:

* Processes agree, but need not be right: if the server's clock is wrong, all are.
* If a local clock is set, or the database moves to a machine with another clock, the next measurement finds it. Until
  then the time is wrong by as much.
* Time does not go back for a correction of up to `STANDSTILL`: it stands still until it is right. After a larger one it
  does: agreement matters more.
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
# Of this many measurements, the one with the shortest round trip is best.
MEASUREMENTS: Final = 3
STANDSTILL: Final = timedelta(seconds=1)
# Worth a log message.
LARGE_STEP: Final = timedelta(seconds=5)

SERVER_TIME: Final = "SELECT clock_timestamp()"


@frozen
class ClockMeasurement:
    """The server's time, and the local times right before and after asking."""

    sent_at: datetime
    server_time: datetime
    received_at: datetime

    @property
    def offset(self) -> timedelta:
        """How far the server's clock is ahead, if its response is from the middle of the round trip."""
        return self.server_time - (self.sent_at + (self.received_at - self.sent_at) / 2)

    @property
    def uncertainty(self) -> timedelta:
        """The possible error, in either direction."""
        return (self.received_at - self.sent_at) / 2


def correct(offset: timedelta, measurements: Iterable[ClockMeasurement]) -> timedelta:
    """The new offset: the same while no measurement contradicts it, to avoid jitter."""
    # Setting the local clock back during the round trip invalidates it.
    sound = [each for each in measurements if each.uncertainty >= timedelta(0)]
    best = min(sound, key=lambda each: each.uncertainty, default=None)
    if best is None or abs(best.offset - offset) <= best.uncertainty:
        return offset
    return best.offset


def not_before(last: datetime, now: datetime) -> datetime:
    """``now``, or ``last`` if that is only slightly later."""
    return last if timedelta(0) < last - now <= STANDSTILL else now


class DatabaseClock:
    """A `Clock` of the database server's time: ``local`` plus the offset. Made by `measured`."""

    def __init__(self, database: Database, local: Clock = utc_now) -> None:
        self._database = database
        self._local = local
        self._offset = timedelta(0)
        self._last = datetime.min.replace(tzinfo=UTC)

    @classmethod
    async def measured(cls, database: Database, local: Clock = utc_now) -> "DatabaseClock":
        """Make a correct clock. Raises `Unavailable`."""
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
        """Measure the server's clock again. Raises `Unavailable`."""
        async with self._database.connection() as connection:
            await connection.execute("SELECT 1")  # otherwise the first round trip may open a connection
            measurements = []
            for _ in range(MEASUREMENTS):
                sent_at = self._local()
                server_time: datetime = await connection.fetchval(SERVER_TIME)
                measurements.append(ClockMeasurement(sent_at, server_time, self._local()))
        corrected = correct(self._offset, measurements)
        if abs(corrected - self._offset) >= LARGE_STEP:
            logger.warning("the database's clock is ahead of this machine's by %s", corrected)
        self._offset = corrected

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Measure regularly until cancelled."""
        task_status.started()
        while True:
            await anyio.sleep(MEASURE_EVERY.total_seconds())
            try:
                await self.measure()
            except Unavailable as error:
                logger.info("the database's clock was not looked at: %s", error)
