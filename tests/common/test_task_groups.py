"""What an application catches is what was raised, also inside of contexts that run tasks."""

import anyio
import pytest

from imagegallery.common.task_groups import surrounding_tasks
from imagegallery.errors import Conflict, NotFound


async def fail() -> None:
    raise Conflict("taken")


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    raised = NotFound("gone")

    async def block() -> None:
        async with surrounding_tasks() as tasks:
            tasks.start_soon(anyio.sleep, 0)
            raise raised

    with pytest.raises(NotFound) as caught:
        await block()
    assert caught.value is raised


async def test_what_one_task_raises_comes_out_as_it_is_and_ends_the_block() -> None:
    async def block() -> None:
        async with surrounding_tasks() as tasks:
            tasks.start_soon(fail)
            await anyio.sleep_forever()

    with pytest.raises(Conflict):
        await block()


async def test_what_several_tasks_raise_stays_a_group() -> None:
    async def block() -> None:
        async with surrounding_tasks() as tasks:
            tasks.start_soon(fail)
            tasks.start_soon(fail)

    with pytest.raises(ExceptionGroup):
        await block()


async def test_a_block_that_is_cancelled_stays_cancelled() -> None:
    with anyio.CancelScope() as scope:
        async with surrounding_tasks():
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
