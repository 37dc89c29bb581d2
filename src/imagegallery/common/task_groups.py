"""Task groups around what a caller does in an ``async with``: what goes wrong there comes out as it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from imagegallery.errors import only_cause


@asynccontextmanager
async def surrounding_tasks() -> AsyncIterator[TaskGroup]:
    """A task group to yield inside of: the caller's ``except NotFound`` is to see a `NotFound`, not a group of one.

    When the block raises, the tasks are left to whoever ends them in a ``finally`` (by cancelling the group, or
    otherwise), and are waited for. The failure of a single task comes out as it is, too.
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
