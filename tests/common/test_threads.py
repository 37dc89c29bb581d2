"""Threads for functions that may never return: they are in nobody's way."""

import asyncio
import threading
from contextvars import ContextVar
from functools import partial

import anyio
import pytest

from imagegallery.common.threads import Threads, is_async

LANGUAGE: ContextVar[str] = ContextVar("LANGUAGE", default="en")


async def test_a_function_returns_and_raises_as_if_it_were_called_here() -> None:
    LANGUAGE.set("pt")
    threads = Threads(1)
    assert await threads.run(LANGUAGE.get) == "pt"
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    assert await threads.run(threading.current_thread) is not threading.current_thread()


async def test_one_that_hangs_is_left_behind_and_counts_until_it_ends() -> None:
    threads, go, began = Threads(1), threading.Event(), anyio.Event()
    loop = asyncio.get_running_loop()

    def hang() -> None:
        loop.call_soon_threadsafe(began.set)
        go.wait()

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(threads.run, hang)
            await began.wait()
            scope.cancel()
    second = asyncio.create_task(threads.run(lambda: "second"))
    await anyio.wait_all_tasks_blocked()
    assert not second.done()
    go.set()
    assert await second == "second"


async def test_nobody_waits_for_them_at_the_end_of_the_process() -> None:
    assert await Threads(1).run(lambda: threading.current_thread().daemon)


async def test_what_is_awaited() -> None:
    async def function() -> None: ...

    class Callable:
        async def __call__(self) -> None: ...

    assert all(is_async(each) for each in (function, partial(function), Callable(), partial(Callable())))
    assert not any(is_async(each) for each in (print, partial(print), Callable))
