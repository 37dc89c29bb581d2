"""Tasks that nobody waits for, owned by the context that runs them: they end with it.

A task that should run as long as the context is restarted when it fails, and `TaskHealth` knows of it.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import Final

import anyio
from anyio.abc import TaskGroup, TaskStatus

from imagegallery.common.backoff import Backoff
from imagegallery.common.task_context import TaskContext
from imagegallery.errors import Unavailable

logger = logging.getLogger(__name__)


FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(seconds=30)
# A task with this number of failures in quick succession is broken.
FAILURES_ALLOWED: Final = 2
STEADY: Final = timedelta(minutes=1)


class TaskHealth:
    """Counts the failures of permanent tasks. ``now`` is in seconds, from any point in time."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self.failures: Counter[str] = Counter()
        self._now = now
        self._in_a_row: Counter[str] = Counter()
        self._running_since: dict[str, float] = {}

    @property
    def failing(self) -> tuple[str, ...]:
        """The names of tasks that keep failing."""
        return tuple(sorted(name for name, count in self._in_a_row.items() if self._is_failing(name, count)))

    def began(self, name: str) -> None:
        self._running_since[name] = self._now()

    def failed(self, name: str) -> int:
        """Return the number of consecutive failures so far."""
        if self._is_steady(name):
            del self._in_a_row[name]
        self._running_since.pop(name, None)
        self.failures[name] += 1
        self._in_a_row[name] += 1
        return self._in_a_row[name]

    def _is_failing(self, name: str, count: int) -> bool:
        return count > FAILURES_ALLOWED and not self._is_steady(name)

    def _is_steady(self, name: str) -> bool:
        since = self._running_since.get(name)
        return since is not None and self._now() - since >= STEADY.total_seconds()


class Background:
    """Runs tasks until its context ends, then cancels them and waits for their end.

    Unlike in a plain task group, a failure is logged and ends neither the other tasks nor the owner. The context may be
    entered in one task and left in another, as test fixtures and web frameworks do.
    """

    def __init__(self, tasks: TaskGroup, health: TaskHealth, first_pause: timedelta) -> None:
        self._tasks = tasks
        self._health = health
        self._first_pause = first_pause

    @classmethod
    @asynccontextmanager
    async def running(
        cls, health: TaskHealth | None = None, *, first_pause: timedelta = FIRST_PAUSE
    ) -> AsyncIterator["Background"]:
        async with TaskContext(_group(), "imagegallery background") as tasks:
            yield cls(tasks, health or TaskHealth(), first_pause)

    async def start(self, run: Callable[..., Awaitable[None]], name: str) -> None:
        """Keep a task running. Returns once it has begun, or failed to: ``task_status.started()``."""
        await self._tasks.start(self._kept_start, run, name, name=name)

    def keep(self, run: Callable[[], Awaitable[None]], name: str) -> None:
        """Keep a task running: restart it after a failure, with growing pauses, until it returns."""
        self._tasks.start_soon(self._kept, run, name, name=name)

    def start_soon(self, run: Callable[[], Awaitable[None]], name: str) -> None:
        """Run something once. Raises `Unavailable` if the context has ended."""
        if self._tasks.cancel_scope.cancel_called:
            raise Unavailable("The gallery is closing.")
        self._tasks.start_soon(_logged, run, name, name=name)

    async def _kept_start(
        self, run: Callable[..., Awaitable[None]], name: str, *, task_status: TaskStatus[None]
    ) -> None:
        status = _Once(task_status)
        await self._kept(lambda: run(task_status=status), name, status.started)

    async def _kept(
        self, run: Callable[[], Awaitable[None]], name: str, has_failed: Callable[[], None] = lambda: None
    ) -> None:
        while True:
            self._health.began(name)
            try:
                await run()
            except Exception:
                times = self._health.failed(name)
                pause = Backoff(self._first_pause, LONGEST_PAUSE).after(times)
                logger.exception("%s failed, and begins again in %.0f s", name, pause.total_seconds())
                has_failed()
            else:
                return
            await anyio.sleep(pause.total_seconds())


class _Once(TaskStatus[None]):
    """Reports the first start of a task."""

    def __init__(self, status: TaskStatus[None]) -> None:
        self._status: TaskStatus[None] | None = status

    def started(self, value: None = None) -> None:
        status, self._status = self._status, None
        if status is not None:
            status.started()


@asynccontextmanager
async def _group() -> AsyncIterator[TaskGroup]:
    async with anyio.create_task_group() as tasks:
        yield tasks
        tasks.cancel_scope.cancel()


async def _logged(run: Callable[[], Awaitable[None]], name: str) -> None:
    try:
        await run()
    except Exception:
        logger.exception("%s failed", name)
