"""The worker: claims jobs while it has free slots, keeps their leases, and ends without dropping one."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus
from attrs import frozen

from imagegallery.clock import Clock
from imagegallery.common.backoff import Backoff
from imagegallery.common.fault_points import fault_point
from imagegallery.queue.attempt import Attempts, ClaimedWork
from imagegallery.queue.failure import describe
from imagegallery.queue.job import ClaimedJob, QueueOptions
from imagegallery.queue.periodic import Periodic, keep_up
from imagegallery.queue.protocol import JobHandler, JobOutcome, Queue, Watch, WorkerObserver

__all__ = ["JobHandler", "Worker"]

logger = logging.getLogger(__name__)

CLAIM_TIME = 10.0  # seconds that one claim may take
FIRST_OUTAGE_PAUSE = timedelta(seconds=0.25)

CLAIMED = fault_point("worker.claimed", "jobs are claimed, nobody is at them")


@frozen
class _Lane:
    """Kinds of jobs that share a number of slots."""

    kinds: tuple[str, ...]
    hands: int


class NullObserver:
    """A `WorkerObserver` that does nothing."""

    def job_started(self, kind: str) -> None:
        pass

    def job_finished(self, kind: str, outcome: JobOutcome, seconds: float) -> None:
        pass


class Worker:
    """Does jobs of the kinds that have a handler, ``options.concurrency`` at once, and maintenance besides.

    ``apart`` gives slots of their own to kinds that mostly wait, with their numbers.

    A job whose lease is lost is cancelled. While the queue is unavailable, running jobs continue (nobody else can claim
    them either) and the worker tries again. So it only ends on request: one `run` at a time.
    """

    def __init__(
        self,
        queue: Queue,
        handlers: Mapping[str, JobHandler],
        options: QueueOptions,
        clock: Clock,
        *,
        periodic: Sequence[Periodic] = (),
        observer: WorkerObserver | None = None,
        apart: Mapping[str, int] | None = None,
    ) -> None:
        self._queue = queue
        self._lanes = _lanes(tuple(handlers), options.concurrency, apart or {})
        self._kinds = tuple(handlers)
        self._options = options
        self._periodic = tuple(periodic)
        self._attempts = Attempts(queue, handlers, options, clock, observer or NullObserver())
        self._held: set[ClaimedWork] = set()
        self._ended = anyio.Event()  # an attempt has ended since this was made
        self._stopping = anyio.Event()
        self._stopped = anyio.Event()

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Work until `stop`, then finish or return held jobs. Cancelling this returns them at once."""
        self._stopped = anyio.Event()  # it may have failed before
        try:
            async with anyio.create_task_group() as heart:
                heart.start_soon(self._keep_leases)
                task_status.started()
                await self._work_until_stopped()
                heart.cancel_scope.cancel()
        finally:
            self._stopped.set()

    async def do_due(self) -> int:
        """Do the jobs that are due, one after the other, without `run`. Returns their number."""
        done = 0
        async with anyio.create_task_group() as heart:
            heart.start_soon(self._keep_leases)
            while claimed := await self._claim(self._kinds, 1):
                for held in map(ClaimedWork, claimed):
                    self._held.add(held)
                    await self._attempt(held)
                    done += 1
            heart.cancel_scope.cancel()
        return done

    def stop(self) -> None:
        """Claim nothing more. Running jobs have ``options.shutdown_grace`` to finish before they are returned."""
        self._stopping.set()

    async def end(self) -> None:
        """Call `stop`, and wait until `run` has ended."""
        self.stop()
        await self.stopped()

    async def stopped(self) -> None:
        """Wait until `run` has ended."""
        await self._stopped.wait()

    async def _work_until_stopped(self) -> None:
        async with anyio.create_task_group() as jobs:
            # In a task of its own, so that cancelling this one cannot interrupt a claim.
            async with anyio.create_task_group() as intake:
                intake.start_soon(self._take_in, jobs)
                for task in self._periodic:
                    intake.start_soon(keep_up, task)
                await self._stopping.wait()
                intake.cancel_scope.cancel()
            await self._finish_or_hand_back()

    # --- claiming ------------------------------------------------------------------------------------------

    async def _take_in(self, jobs: TaskGroup) -> None:
        """Claim until cancelled, whatever happens to the queue."""
        failures, backoff = 0, Backoff(FIRST_OUTAGE_PAUSE, self._options.poll_interval)
        while True:
            try:
                async with self._queue.watch(self._kinds) as watch:
                    # After an outage longer than a lease, before we would claim our own running jobs.
                    await self._renew_leases()
                    while True:
                        await self._fill_hands(watch, jobs)
                        failures = 0
            except Exception as error:
                failures += 1
                pause = backoff.after(failures).total_seconds()
                logger.warning("no jobs can be claimed, next try in %.2f s: %s", pause, describe(error))
                await anyio.sleep(pause)

    async def _fill_hands(self, watch: Watch, jobs: TaskGroup) -> None:
        """Claim jobs for free slots; wait for more jobs, or for a free slot."""
        ended = self._ended  # looked up before what is free: an attempt may end while jobs are claimed for other lanes
        free = {lane: hands for lane in self._lanes if (hands := lane.hands - self._busy(lane)) > 0}
        if not free:
            await ended.wait()
            return
        kinds = [kind for lane in free for kind in lane.kinds]
        # There is a slot for each, whatever kinds they are.
        limit = min(free.values())
        claimed = await self._claim(kinds, limit)
        if claimed:
            CLAIMED.reached()
        for job in claimed:
            held = ClaimedWork(job)
            self._held.add(held)
            jobs.start_soon(self._attempt, held)
        if len(claimed) < limit:
            await self._wait(watch, kinds, ended if len(free) < len(self._lanes) else None)

    def _busy(self, lane: "_Lane") -> int:
        return sum(held.job.kind in lane.kinds for held in self._held)

    async def _wait(self, watch: Watch, kinds: Sequence[str], ended: anyio.Event | None) -> None:
        """Wait until a job of these kinds may be due or an attempt has ``ended``, so that a slot for others is free."""
        async with anyio.create_task_group() as tasks:
            if ended is not None:
                tasks.start_soon(_cancel_after, ended, tasks.cancel_scope)
            await watch.wait(kinds, timeout=self._options.poll_interval)
            tasks.cancel_scope.cancel()

    async def _claim(self, kinds: Sequence[str], limit: int) -> list[ClaimedJob]:
        # Shielded: jobs of a claim whose result is never read would wait until their leases expire.
        with anyio.fail_after(CLAIM_TIME, shield=True):
            return await self._queue.claim(kinds, limit=limit, lease=self._options.lease)

    async def _attempt(self, held: ClaimedWork) -> None:
        try:
            await self._attempts.run(held)
        finally:
            self._held.discard(held)
            self._ended.set()
            self._ended = anyio.Event()

    # --- leases --------------------------------------------------------------------------------------------

    async def _keep_leases(self) -> None:
        interval = self._options.lease.total_seconds() / 3
        while True:
            await anyio.sleep(interval)
            try:
                with anyio.fail_after(interval):
                    await self._renew_leases()
            except Exception as error:
                logger.warning("leases cannot be renewed, next try in %.2f s: %s", interval, describe(error))

    async def _renew_leases(self) -> None:
        held = {one.job.lease_token: one for one in self._held}
        if not held:
            return
        kept = await self._queue.extend([one.job for one in held.values()], lease=self._options.lease)
        for token in held.keys() - {job.lease_token for job in kept}:
            held[token].lose()

    # --- the end -------------------------------------------------------------------------------------------

    async def _finish_or_hand_back(self) -> None:
        grace = self._options.shutdown_grace.total_seconds()
        logger.info("stopping: %d jobs have %.0f s to finish", len(self._held), grace)
        with anyio.move_on_after(grace):
            while self._held:
                await self._ended.wait()
        for held in self._held:
            held.scope.cancel()


def _lanes(kinds: Sequence[str], concurrency: int, apart: Mapping[str, int]) -> Sequence[_Lane]:
    own = [_Lane((kind,), hands) for kind, hands in apart.items() if kind in kinds]
    together = tuple(kind for kind in kinds if kind not in apart)
    return [_Lane(together, concurrency), *own] if together else own


async def _cancel_after(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
