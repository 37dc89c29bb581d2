"""Threads for plain functions of the application, which may take long, or never return.

They are not those in which we read files, so that these stay free; and nobody waits for them at the end of the process.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial

from attrs import frozen


def is_async(function: Callable[..., object]) -> bool:
    """Whether its result is awaited: that of a function, of an object that is called, or of a `functools.partial`."""
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


@frozen
class _Outcome:
    """What a function returned, or raised."""

    value: object = None
    error: BaseException | None = None


class Threads:
    """At most ``limit`` at once, those included that were left behind."""

    def __init__(self, limit: int) -> None:
        self._free = asyncio.Semaphore(limit)

    async def run(self, function: Callable[[], object]) -> object:
        """Call it in a thread, with the caller's context variables. If cancelled, leave the thread behind."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        returned: asyncio.Future[_Outcome] = loop.create_future()

        def settle(outcome: _Outcome) -> None:
            self._free.release()
            if not returned.done():
                returned.set_result(outcome)

        def run(call: Callable[[], object]) -> None:
            outcome = _outcome(call)
            with suppress(RuntimeError):  # the loop has ended, and with it who waited
                loop.call_soon_threadsafe(settle, outcome)

        call = partial(copy_context().run, function)
        threading.Thread(target=run, args=(call,), name="imagegallery application", daemon=True).start()
        outcome = await returned
        if outcome.error is not None:
            raise outcome.error
        return outcome.value


def _outcome(call: Callable[[], object]) -> _Outcome:
    try:
        return _Outcome(call())
    except BaseException as error:
        return _Outcome(error=error)
