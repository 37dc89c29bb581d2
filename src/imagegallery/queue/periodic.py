"""Upkeep that a worker does beside its jobs: sweeping, pruning."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio
from attrs import frozen

from imagegallery.queue.failure import describe

logger = logging.getLogger(__name__)


@frozen
class Periodic:
    """Something to do once at the start and then ``every`` so often, counted from the end of the last time.

    Every worker does it, perhaps at the same time as another: ``run`` must be fit for that, and for being
    cancelled at any point. If it raises, that is logged and the next time is another try.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]


async def keep_up(task: Periodic) -> None:
    """Repeat ``task`` until cancelled."""
    while True:
        try:
            await task.run()
        except Exception as error:
            logger.warning("upkeep %s failed, next try in %s: %s", task.name, task.every, describe(error))
        await anyio.sleep(task.every.total_seconds())
