"""One attempt at one job, from its claim to the record of its result."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial

import anyio
from attrs import define, field

from imagegallery.clock import Clock
from imagegallery.common.fault_points import fault_point
from imagegallery.errors import LeaseLost
from imagegallery.queue.failure import describe, is_outage
from imagegallery.queue.job import (
    ClaimedJob,
    QueueOptions,
    is_exhausted,
    may_fail_to_give_up,
    postpone_until,
    retry_at,
    should_dead_letter,
)
from imagegallery.queue.protocol import Ended, JobHandler, JobOutcome, Queue, WorkerObserver

logger = logging.getLogger(__name__)

# How long to retry recording the result while the queue does not respond, even against cancellation. Afterwards the
# lease expires, and the job is done once more.
SETTLE_TIME = 10.0  # seconds
SETTLE_PAUSE = 0.5  # seconds

ABANDONED = "Its workers died, or lost it, in every attempt."
CANCELLED_ITSELF = "The handler raised a cancellation that nobody asked for."

WORKED = fault_point("worker.worked", "a job's work is done, the job is not")


@define(eq=False)
class ClaimedWork:
    """A claimed job. Cancelling ``scope`` stops it; then it is handed back, unless it was ``lost``.

    While ``settling``, its result is being recorded: nothing may be stopped any more.
    """

    job: ClaimedJob
    scope: anyio.CancelScope = field(factory=anyio.CancelScope)
    lost: bool = False
    settling: bool = False

    def lose(self) -> None:
        """Note that another worker has claimed it, and stop."""
        if not self.settling:
            self.lost = True
            self.scope.cancel()


class Attempts:
    """Runs handlers and records the results in the queue."""

    def __init__(
        self,
        queue: Queue,
        handlers: Mapping[str, JobHandler],
        options: QueueOptions,
        clock: Clock,
        observer: WorkerObserver,
    ) -> None:
        self._queue = queue
        self._handlers = handlers
        self._options = options
        self._clock = clock
        self._observer = observer

    async def run(self, held: ClaimedWork) -> None:
        """Work on the job until its result is recorded. Raises nothing except the caller's cancellation."""
        job = held.job
        started = anyio.current_time()
        outcome: JobOutcome | None = None
        self._observer.job_started(job.kind)
        logger.debug("job %s (%s): attempt %d", job.id, job.kind, job.attempt)
        try:
            with held.scope:
                outcome = await self._try(held)
        finally:
            if outcome is None:
                outcome = await self._handle_stop(held)
            seconds = anyio.current_time() - started
            logger.info("job %s (%s): %s after %.3f s", job.id, job.kind, outcome, seconds)
            self._observer.job_finished(job.kind, outcome, seconds)

    async def _try(self, held: ClaimedWork) -> JobOutcome:
        job = held.job
        if should_dead_letter(job.attempt, self._options):
            return await self._give_up(held, ABANDONED)
        try:
            ended = await self._handlers[job.kind].run(job)
        except LeaseLost:
            return JobOutcome.LOST
        except Exception as error:
            if is_outage(error) and (run_at := postpone_until(job, self._clock(), self._options)):
                return await self._postpone(held, describe(error), run_at)
            return await self._record_failure(held, describe(error))
        except anyio.get_cancelled_exc_class():
            if _cancellation_is_meant():
                raise
            return await self._record_failure(held, CANCELLED_ITSELF)
        if ended is Ended.COMPLETED:
            return await _settle(held, JobOutcome.DONE, partial(self._queue.let_go, job))
        WORKED.reached()
        return await _settle(held, JobOutcome.DONE, partial(self._queue.complete, job))

    async def _record_failure(self, held: ClaimedWork, error: str) -> JobOutcome:
        if is_exhausted(held.job.attempt, self._options):
            return await self._give_up(held, error)
        return await self._retry(held, error)

    async def _postpone(self, held: ClaimedWork, error: str, run_at: datetime) -> JobOutcome:
        job = held.job
        logger.warning("job %s (%s): cannot be done now, next at %s: %s", job.id, job.kind, run_at, error)
        return await _settle(held, JobOutcome.RETRIED, partial(self._queue.postpone, job, error=error, run_at=run_at))

    async def _retry(self, held: ClaimedWork, error: str) -> JobOutcome:
        job = held.job
        run_at = retry_at(job, self._clock(), self._options)
        logger.warning("job %s (%s): attempt %d failed, next at %s: %s", job.id, job.kind, job.attempt, run_at, error)
        return await _settle(held, JobOutcome.RETRIED, partial(self._queue.retry, job, error=error, run_at=run_at))

    async def _give_up(self, held: ClaimedWork, error: str) -> JobOutcome:
        job = held.job
        try:
            await self._handlers[job.kind].give_up(job, error)
        except LeaseLost:
            return JobOutcome.LOST
        except Exception as failure:
            logger.error("job %s (%s): could not be given up: %s", job.id, job.kind, describe(failure))
            if may_fail_to_give_up(job.attempt, self._options):
                return await self._retry(held, error)
        logger.error("job %s (%s): dead after attempt %d: %s", job.id, job.kind, job.attempt, error)
        return await _settle(held, JobOutcome.BURIED, partial(self._queue.bury, job, error=error))

    async def _handle_stop(self, held: ClaimedWork) -> JobOutcome:
        """Handle a cancellation: another worker claimed the job, or this worker ends."""
        if held.lost:
            return JobOutcome.LOST
        return await _settle(held, JobOutcome.RELEASED, partial(self._queue.release, held.job))


async def _settle(held: ClaimedWork, outcome: JobOutcome, write: Callable[[], Awaitable[None]]) -> JobOutcome:
    """Record the result, retrying for `SETTLE_TIME`. Returns `JobOutcome.LOST` if that fails."""
    job = held.job
    held.settling = True
    with anyio.move_on_after(SETTLE_TIME, shield=True):
        while True:
            try:
                await write()
            except LeaseLost:
                return JobOutcome.LOST
            except Exception as error:
                logger.warning(
                    "job %s (%s): cannot write that it is %s: %s", job.id, job.kind, outcome, describe(error)
                )
                await anyio.sleep(SETTLE_PAUSE)
            else:
                return outcome
    logger.error("job %s (%s): was %s, and will be done again: the queue is away", job.id, job.kind, outcome)
    return JobOutcome.LOST


def _cancellation_is_meant() -> bool:
    """Whether an enclosing scope is cancelled; a handler may also raise the exception without cause."""
    return anyio.current_effective_deadline() == -math.inf
