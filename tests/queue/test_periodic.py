"""Upkeep beside the jobs."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio
import pytest
from tests.support.clock import ManualClock

from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable
from imagegallery.queue.periodic import Periodic, keep_up, once_for_all

MINUTE = timedelta(minutes=1)


async def run_until(times: int, run: Callable[[int], Awaitable[None]], every: timedelta) -> None:
    """Keep up a task that calls ``run`` with 1, 2, …, until it was called so often."""
    enough = anyio.Event()
    calls = 0

    async def count() -> None:
        nonlocal calls
        calls += 1
        if calls == times:
            enough.set()
        await run(calls)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep_up, Periodic("sweep", every, count))
            await enough.wait()
            tasks.cancel_scope.cancel()


async def test_it_starts_at_once() -> None:
    async def nothing(call: int) -> None:
        pass

    await run_until(1, nothing, timedelta(days=1))


async def test_it_is_repeated() -> None:
    async def nothing(call: int) -> None:
        pass

    await run_until(3, nothing, timedelta(0))


async def test_a_failure_is_logged_and_the_next_time_is_another_try(caplog: pytest.LogCaptureFixture) -> None:
    async def fail_at_first(call: int) -> None:
        if call == 1:
            raise Unavailable("The store does not answer.")

    with caplog.at_level(logging.WARNING):
        await run_until(2, fail_at_first, timedelta(0))
    (record,) = caplog.records
    assert record.getMessage() == "upkeep sweep failed, next try in 0:00:00: unavailable: The store does not answer."


async def test_of_all_workers_one_does_it_each_time(database: Database, clock: ManualClock) -> None:
    done: list[str] = []

    def by(worker: str) -> Periodic:
        async def run() -> None:
            done.append(worker)

        return once_for_all(Periodic("sweep", MINUTE, run), database, clock)

    async def run(task: Periodic) -> None:
        await task.run()

    one, two = by("one"), by("two")
    async with anyio.create_task_group() as tasks:
        for task in (one, two):
            tasks.start_soon(run, task)
    assert len(done) == 1
    clock.advance(MINUTE - timedelta(seconds=1))
    await two.run()
    assert len(done) == 1
    clock.advance(timedelta(seconds=1))
    await two.run()
    await one.run()
    assert done[1:] == ["two"]
