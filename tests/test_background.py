"""Tasks that end with their owner, in whichever task it opens and closes."""

import asyncio

import anyio
import pytest
from anyio.abc import TaskStatus

from imagegallery.background import Background
from imagegallery.errors import Unavailable


class Sleeper:
    def __init__(self) -> None:
        self.began, self.ended = anyio.Event(), anyio.Event()

    async def __call__(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        self.began.set()
        task_status.started()
        try:
            await anyio.sleep_forever()
        finally:
            self.ended.set()


async def test_tasks_end_with_the_context() -> None:
    first, second = Sleeper(), Sleeper()
    async with Background.running() as background:
        await background.start(first, "first")
        assert first.began.is_set()
        background.start_soon(second, "second")
        await second.began.wait()
    assert first.ended.is_set()
    assert second.ended.is_set()
    with pytest.raises(Unavailable):
        background.start_soon(Sleeper(), "third")


async def test_a_failure_is_logged_and_ends_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("did not work")

    sleeper = Sleeper()
    async with Background.running() as background:
        await background.start(sleeper, "sleeper")
        background.start_soon(fail, "this one")
        await anyio.wait_all_tasks_blocked()
        assert not sleeper.ended.is_set()
    assert "this one failed" in caplog.text


async def test_it_may_be_opened_in_one_task_and_closed_in_another() -> None:
    context, sleeper = Background.running(), Sleeper()
    background = await asyncio.create_task(context.__aenter__())
    await background.start(sleeper, "sleeper")
    await asyncio.create_task(context.__aexit__(None, None, None))
    assert sleeper.ended.is_set()


async def test_an_error_of_the_owner_passes_unchanged() -> None:
    sleeper = Sleeper()

    async def own() -> None:
        async with Background.running() as background:
            await background.start(sleeper, "sleeper")
            raise RuntimeError("this very one")

    with pytest.raises(RuntimeError, match="this very one"):
        await own()
    assert sleeper.ended.is_set()


async def test_cancelling_the_owner_ends_the_tasks() -> None:
    sleeper = Sleeper()
    with anyio.CancelScope() as scope:
        async with Background.running() as background:
            await background.start(sleeper, "sleeper")
            scope.cancel()
            await anyio.sleep_forever()
    assert sleeper.ended.is_set()
