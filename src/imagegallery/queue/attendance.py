"""Whether workers do the jobs: without one, uploads are accepted but get no variants."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import anyio

from imagegallery.clock import Clock
from imagegallery.queue.job import Backlog
from imagegallery.queue.periodic import Periodic, keep_up
from imagegallery.queue.protocol import Queue, TellsBacklog

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=1)
LOOK_EVERY = timedelta(seconds=20)

WARNING = (
    "Jobs are due for more than a minute, and no worker does them: variants are not made. Run `imagegallery worker`, "
    "or open the gallery with `worker=True`."
)


def is_unattended(backlog: Backlog, now: datetime) -> bool:
    """Whether a job has been due for longer than `PATIENCE` and nobody holds any. Pure."""
    is_overdue = backlog.due_since is not None and now - backlog.due_since > PATIENCE
    return is_overdue and (backlog.held_until is None or backlog.held_until <= now)


class Attendance:
    """Checks the queue regularly, and logs once when nobody does due jobs, and once when somebody does again.

    It needs a queue that is `TellsBacklog`. A worker between two jobs holds none for a moment, so only two observations
    in a row count.
    """

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._times_unattended = 0

    @property
    def warnings(self) -> Sequence[str]:
        """Warnings for operators."""
        return [WARNING] if self._is_missed else []

    @property
    def _is_missed(self) -> bool:
        return self._times_unattended > 1

    async def run(self) -> None:
        """Check until cancelled, whatever happens to the queue."""
        await anyio.sleep(LOOK_EVERY.total_seconds())
        await keep_up(Periodic("looking for a worker", LOOK_EVERY, self.look))

    async def look(self) -> None:
        """Check once. Raises `Unavailable` if the queue does not respond; earlier observations stay."""
        if not isinstance(self._queue, TellsBacklog):
            return
        was_missed = self._is_missed
        backlog = await self._queue.backlog()
        self._times_unattended = self._times_unattended + 1 if is_unattended(backlog, self._clock()) else 0
        if self._is_missed and not was_missed:
            logger.warning("%s", WARNING)
        elif was_missed and not self._is_missed:
            logger.info("the jobs that were due are being done again")
