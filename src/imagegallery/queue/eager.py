"""Jobs that are done at once, by the call that makes them necessary, as tests of applications need it."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import anyio

from imagegallery.queue.worker import Worker

# Jobs commit transactions, too. What these make necessary is done after the job.
_is_at_work: ContextVar[bool] = ContextVar("is_at_work", default=False)


class EagerJobs:
    """Does the jobs that are due, one after the other, and those that these make necessary. ``relay`` makes events
    jobs."""

    def __init__(self, worker: Worker, relay: Callable[[], Awaitable[None]]) -> None:
        self._worker = worker
        self._relay = relay
        self._turn = anyio.Lock()

    async def run(self) -> None:
        """Return when no job is due. Does nothing when a job calls it."""
        if _is_at_work.get():
            return
        async with self._turn:
            outside = _is_at_work.set(True)
            try:
                await self._relay()
                while await self._worker.do_due():
                    await self._relay()
            finally:
                _is_at_work.reset(outside)
