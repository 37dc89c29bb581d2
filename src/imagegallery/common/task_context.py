"""A context that a task of its own enters and leaves, whichever tasks ask for that.

What a context holds may belong to the task that entered it, as a task group does. Test fixtures, web frameworks and
notebooks enter in one task and leave in another.
"""

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

import anyio

T = TypeVar("T")
# An event loop alone keeps no task from the garbage collector, and who entered may keep nothing.
_HELD: Final[set["asyncio.Task[None]"]] = set()


class TaskContext(AbstractAsyncContextManager[T], Generic[T]):
    """The same context, in a task of its own. It is entered once, in the event loop that it is left in.

    It hears nothing of an error of the block, which passes unchanged. If the loop ends before it is left, it is left
    then: `asyncio.run` cancels the task.
    """

    def __init__(self, context: AbstractAsyncContextManager[T], name: str) -> None:
        self._context = context
        self._name = name

    @property
    def is_held(self) -> bool:
        """Whether it was entered, in this process and a loop that still is one, and not left since."""
        return os.getpid() == self._process and not self._loop.is_closed() and not self._task.done()

    async def __aenter__(self) -> T:
        self._process, self._loop = os.getpid(), asyncio.get_running_loop()
        self._leaving = asyncio.Event()
        entered = self._loop.create_future()
        self._task = asyncio.create_task(self._hold(entered), name=self._name)
        _HELD.add(self._task)
        self._task.add_done_callback(_HELD.discard)
        await self._wait_for(entered)
        if not entered.done():
            await self._task
        value: T = entered.result()
        return value

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises what leaving raises, and `RuntimeError` if the loop was closed without cancelling its tasks."""
        if os.getpid() != self._process or self._task.cancelled():  # it is the parent's, or left with its loop
            return
        if self._loop.is_closed() and not self._task.done():
            raise RuntimeError("The event loop that this was opened in was closed before it: it cannot be closed now.")
        self._leaving.set()
        await self._wait_for(self._task)
        await self._task

    async def _hold(self, entered: "asyncio.Future[T]") -> None:
        async with self._context as value:
            entered.set_result(value)
            await self._leaving.wait()

    async def _wait_for(self, outcome: "asyncio.Future[Any]") -> None:
        """Wait for it, or for the end of the task. If the caller is cancelled meanwhile, cancel the task, and wait for
        that."""
        either: set[asyncio.Future[Any]] = {outcome, self._task}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.exception()  # the cancellation is what is raised
            raise
