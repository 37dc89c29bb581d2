"""Tasks that end with their owner, in whichever task it opens and closes."""

import asyncio
from datetime import timedelta

import anyio
import pytest
from anyio.abc import TaskStatus

from imagegallery.common.background import STEADY, Background, TaskHealth
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


async def test_what_goes_on_is_begun_again_when_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    health, sleeper, attempts = TaskHealth(), Sleeper(), 0

    async def run(*, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= 2:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no message of ours")
        await sleeper(task_status=task_status)

    async with Background.running(health, first_pause=timedelta(0)) as background:
        await background.start(run, "listening")
        with anyio.fail_after(30):
            await sleeper.began.wait()
    assert health.failures == {"listening": 2}
    assert "listening failed" in caplog.text


async def test_what_fails_before_it_has_begun_keeps_nobody_waiting() -> None:
    async def fail(*, task_status: TaskStatus[None]) -> None:
        raise RuntimeError("never works")

    health = TaskHealth()
    async with Background.running(health) as background:
        with anyio.fail_after(30):
            await background.start(fail, "broken")
    assert health.failures == {"broken": 1}


async def test_what_returns_has_ended_and_did_not_fail() -> None:
    health, calls = TaskHealth(), list[int]()

    async def once() -> None:
        calls.append(1)

    async with Background.running(health, first_pause=timedelta(0)) as background:
        background.keep(once, "once")
        await anyio.wait_all_tasks_blocked()
    assert (calls, health.failures) == ([1], {})


def test_a_task_that_keeps_failing_is_told_apart_from_bad_luck() -> None:
    seconds = 0.0
    health = TaskHealth(lambda: seconds)
    for count in (1, 2):
        health.began("listening")
        assert health.failed("listening") == count
        assert health.failing == ()
    health.began("listening")
    assert health.failed("listening") == 3
    assert "listening" in health.failing
    health.began("listening")
    assert "listening" in health.failing, "it may fail at once"
    seconds = STEADY.total_seconds()
    assert "listening" not in health.failing
    assert health.failed("listening") == 1, "the row was broken"
    assert health.failures["listening"] == 4


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
