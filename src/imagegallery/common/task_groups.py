"""Task groups around a caller's ``async with`` block whose errors come out unwrapped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from imagegallery.errors import only_cause


@asynccontextmanager
async def surrounding_tasks() -> AsyncIterator[TaskGroup]:
    """Open a task group to yield inside of: the caller's ``except NotFound`` must see a `NotFound`, not a group of one.

    If the block raises, the caller ends the tasks in a ``finally``, for example by cancelling the group, and they are
    waited for. The failure of a single task comes out unwrapped, too.
    """
    failure: BaseException | None = None
    try:
        async with anyio.create_task_group() as tasks:
            try:
                yield tasks
            except Exception as error:
                failure = error
    except ExceptionGroup as errors:
        failure = failure or only_cause(errors)
    if failure is not None:
        raise failure
