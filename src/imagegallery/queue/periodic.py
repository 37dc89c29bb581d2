"""Upkeep that a worker does beside its jobs: sweeping, pruning."""

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

# How soon what goes on for long is taken up again after the database, or the message queue, was away.
RETRY_PAUSE: Final = timedelta(seconds=1)


@frozen
class Periodic:
    """Something to do once at the start and then ``every`` so often, counted from the end of the last time.

    ``run`` may be cancelled at any point. If it raises, that is logged and the next time is another try. One worker of
    all does it each time, unless it goes on for long and is done ``in_every_worker``.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]
    in_every_worker: bool = False


def once_for_all(task: Periodic, database: Database, clock: Clock) -> Periodic:
    """The same, done by one of all workers each time. Should that one die of it, another does it the next time."""

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
