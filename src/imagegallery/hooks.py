"""Functions of an application that are asked before something is done: they answer, or refuse with one of our errors.

Whatever else comes of them is a fault of the application: it is logged, and answered by `HookFailed` in words of our
own. What waits for a hook has changed nothing yet, so that nothing is left behind.
"""

import inspect
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final, ParamSpec, TypeVar, overload

import anyio
from anyio.lowlevel import RunVar

from imagegallery.common.threads import Threads, is_async
from imagegallery.errors import HookFailed, ImageGalleryError

HOOK_TIME: Final = timedelta(seconds=10)
"""How long a hook may take."""
PLAIN_AT_ONCE: Final = 40
"""How many that are not ``async`` run at once, those included that were cut off and go on."""

P = ParamSpec("P")
T = TypeVar("T")

_THREADS: RunVar[Threads] = RunVar("threads of hooks")
_log = logging.getLogger(__name__)


@overload
async def run_hook(name: str, hook: Callable[P, Awaitable[T]], *given: P.args, **named: P.kwargs) -> T: ...
@overload
async def run_hook(name: str, hook: Callable[P, T], *given: P.args, **named: P.kwargs) -> T: ...
async def run_hook(name: str, hook: Callable[P, object], *given: P.args, **named: P.kwargs) -> object:
    """Call the hook of this name for at most `HOOK_TIME`, one that is not ``async`` in a thread, and return its answer.

    Raises our errors as the hook raises them, and `HookFailed` for any other error and for one that takes longer.
    """
    return await run_within(HOOK_TIME, name, partial(hook, *given, **named))


async def run_within(limit: timedelta, name: str, hook: Callable[[], object]) -> object:
    """`run_hook` with another ``limit``."""
    try:
        with anyio.move_on_after(limit.total_seconds()) as scope:
            return await _call(hook)
    except ImageGalleryError:
        raise
    except Exception as error:
        _log.exception("the hook %s failed", name)
        raise HookFailed(f"The application's own check ({name}) failed, so nothing was done.") from error
    assert scope.cancelled_caught
    _log.error("the hook %s did not answer within %s", name, limit)
    raise HookFailed(f"The application's own check ({name}) did not answer in time, so nothing was done.")


async def _call(hook: Callable[[], object]) -> object:
    answered = hook() if is_async(hook) else await _threads().run(hook)
    return await answered if inspect.isawaitable(answered) else answered


def _threads() -> Threads:
    """Those of this event loop. They are not the ones that read files: a hook that hangs keeps none of these."""
    try:
        return _THREADS.get()
    except LookupError:
        threads = Threads(PLAIN_AT_ONCE)
        _THREADS.set(threads)
        return threads
