"""What blocks the event loop raises, where this project's own code does it; and nothing else raises."""

import os
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from blockbuster import BlockingError

import imagegallery
import imagegallery.testing
import imagegallery_asgi

FILE = Path(__file__)
HELD = threading.Lock()

CALLS: dict[str, Callable[[], object]] = {
    "sleep": lambda: time.sleep(0),
    "read a file": FILE.read_bytes,
    "look for a file": FILE.stat,
    "list a directory": lambda: list(FILE.parent.iterdir()),
    "wait for a lock": lambda: HELD.acquire(timeout=0.01),
    "read a pipe": lambda: read_a_pipe(),  # as whoever starts a program does, to hear that it runs
}


def read_a_pipe() -> None:
    ours, theirs = os.pipe()
    os.close(theirs)
    try:
        assert os.read(ours, 1) == b""
    finally:
        os.close(ours)


def made_in(package: str | None, call: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    """A coroutine function, as if it were in a file of this package, that makes the call."""
    code = compile("async def made() -> None:\n    call()", str(Path(str(package)).with_name("made.py")), "exec")
    made: dict[str, Callable[[], Awaitable[None]]] = {}
    exec(code, {"call": call}, made)
    return made["made"]


@pytest.mark.parametrize("package", [imagegallery, imagegallery_asgi], ids=lambda package: package.__name__)
@pytest.mark.parametrize("name", CALLS)
async def test_a_call_that_blocks_raises(name: str, package: object) -> None:
    made = made_in(getattr(package, "__file__", None), CALLS[name])
    with HELD:
        for _ in range(2):  # also where the code is known already
            with pytest.raises(BlockingError):
                await made()


@pytest.mark.parametrize("name", CALLS)
async def test_what_tests_and_their_helpers_do_is_let_through(name: str) -> None:
    for package in (__file__, imagegallery.testing.__file__):
        await made_in(package, CALLS[name])()
        if HELD.locked():
            HELD.release()


async def test_a_lock_that_is_free_holds_nobody_up() -> None:
    await made_in(imagegallery.__file__, lambda: HELD.acquire())()
    HELD.release()
