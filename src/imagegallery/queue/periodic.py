"""Maintenance that workers do besides jobs: sweeping, pruning."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import anyio
from attrs import evolve, frozen

from imagegallery.clock import Clock
from imagegallery.database.pool import Database
from imagegallery.queue import records
from imagegallery.queue.failure import describe

logger = logging.getLogger(__name__)

# How soon to restart a continuous task after the database, or the message queue, was unavailable.
RETRY_PAUSE: Final = timedelta(seconds=1)


@frozen
class Periodic:
    """A task to do at the start, then ``every`` so often, counted from the end of the last run.

    ``run`` may be cancelled at any point. An error is logged, and the next run is another try. One of all workers does
    it each time, unless it is continuous and done ``in_every_worker``.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]
    in_every_worker: bool = False


def once_for_all(task: Periodic, database: Database, clock: Clock) -> Periodic:
    """The same task, done by one of all workers each time. If that one dies, another does it the next time."""

    async def run() -> None:
        now = clock()
        async with database.transaction() as connection:
            begins = await records.begin_periodic(connection, task.name, now=now, last_before=now - task.every)
        if begins:
            await task.run()

    return evolve(task, run=run)


async def keep_up(task: Periodic) -> None:
    """Repeat ``task`` until cancelled."""
    while True:
        try:
            await task.run()
        except Exception as error:
            logger.warning("upkeep %s failed, next try in %s: %s", task.name, task.every, describe(error))
        await anyio.sleep(task.every.total_seconds())
