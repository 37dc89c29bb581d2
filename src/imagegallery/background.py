"""Tasks that nobody waits for, but somebody owns: they end with the context that runs them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup, TaskStatus

from imagegallery.errors import Unavailable

logger = logging.getLogger(__name__)


class Background:
    """Runs tasks until its context ends, then cancels them and waits for their end.

    Unlike in a bare task group, the failure of one is logged and ends neither the others nor the owner; and the context
    may be entered in one task and left in another, as test fixtures and web frameworks do.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["Background"]:
        host = _Host()
        # A task group belongs to the task that opened it, so it gets one. It is waited for below, whatever happens.
        task = asyncio.create_task(host.run(), name="imagegallery background")
        try:
            yield cls(await host.tasks())
        finally:
            host.close()
            with anyio.CancelScope(shield=True):
                await task

    async def start(self, run: Callable[..., Awaitable[None]], name: str) -> None:
        """Start a task and return once it says that it has: ``task_status.started()``."""
        await self._tasks.start(_logged_start, run, name, name=name)

    def start_soon(self, run: Callable[[], Awaitable[None]], name: str) -> None:
        """Raises `Unavailable` when the context has ended."""
        if self._tasks.cancel_scope.cancel_called:
            raise Unavailable("The gallery is closing.")
        self._tasks.start_soon(_logged, run, name, name=name)


class _Host:
    """The task that a `Background`'s tasks belong to."""

    def __init__(self) -> None:
        self._opened = anyio.Event()
        self._closed = anyio.Event()
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            self._opened.set()
            await self._closed.wait()
            tasks.cancel_scope.cancel()

    async def tasks(self) -> TaskGroup:
        await self._opened.wait()
        assert self._tasks is not None
        return self._tasks

    def close(self) -> None:
        self._closed.set()
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()


async def _logged(run: Callable[[], Awaitable[None]], name: str) -> None:
    try:
        await run()
    except Exception:
        logger.exception("%s failed", name)


async def _logged_start(run: Callable[..., Awaitable[None]], name: str, *, task_status: TaskStatus[None]) -> None:
    await _logged(lambda: run(task_status=task_status), name)
