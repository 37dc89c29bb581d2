"""A context that may be entered in one task and left in another: it knows of only one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.lowlevel import checkpoint

from imagegallery.common.task_context import TaskContext


class Opening:
    """What is done where it is entered and left, in which task."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.tasks: set[asyncio.Task[object] | None] = set()

    @asynccontextmanager
    async def context(self, fault: BaseException | None = None) -> AsyncIterator[str]:
        self._note("enters")
        if fault is not None:
            raise fault
        await checkpoint()
        async with anyio.create_task_group():  # whoever else leaves it is told off
            try:
                yield "opened"
            finally:
                await checkpoint()
                self._note("leaves")

    def _note(self, step: str) -> None:
        self.steps.append(step)
        self.tasks.add(asyncio.current_task())


async def test_any_task_enters_and_another_leaves() -> None:
    opening = Opening()
    held = TaskContext(opening.context(), "held")
    assert await asyncio.create_task(held.__aenter__()) == "opened"
    assert held.is_held
    await asyncio.create_task(held.__aexit__(None, None, None))
    assert not held.is_held
    assert (opening.steps, len(opening.tasks)) == (["enters", "leaves"], 1)


async def test_what_the_block_raises_passes_as_it_is() -> None:
    opening, error = Opening(), LookupError("of the host")
    with pytest.raises(LookupError) as raised:
        async with TaskContext(opening.context(), "held"):
            raise error
    assert raised.value is error
    assert opening.steps == ["enters", "leaves"]


async def test_what_entering_raises_is_raised() -> None:
    with pytest.raises(LookupError, match="nowhere"):
        await TaskContext(Opening().context(LookupError("nowhere")), "held").__aenter__()


async def test_who_is_cancelled_while_it_is_entered_leaves_nothing_open() -> None:
    opening = Opening()
    with anyio.CancelScope() as scope:
        asyncio.get_running_loop().call_soon(scope.cancel)
        await TaskContext(opening.context(), "held").__aenter__()
    assert scope.cancelled_caught
    assert opening.steps in (["enters"], ["enters", "leaves"])
    assert all(task is None or task.done() for task in opening.tasks)


def test_it_is_left_at_the_end_of_the_loop() -> None:
    opening = Opening()
    held = TaskContext(opening.context(), "held")
    asyncio.run(held.__aenter__())
    assert opening.steps == ["enters", "leaves"]
    asyncio.run(held.__aexit__(None, None, None))


def test_a_loop_that_was_closed_under_it_is_told() -> None:
    held = TaskContext(Opening().context(), "held")
    loop = asyncio.new_event_loop()
    loop.run_until_complete(held.__aenter__())
    loop.close()
    assert not held.is_held
    with pytest.raises(RuntimeError, match="was closed before it"):
        asyncio.run(held.__aexit__(None, None, None))
