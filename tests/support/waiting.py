"""Waiting for something that another process does, without guessing how long it takes."""

import time
from collections.abc import Callable

DEADLINE_SECONDS = 120.0
INTERVAL_SECONDS = 0.05


def until(condition: Callable[[], bool]) -> None:
    """Return once ``condition`` is true. Raises `TimeoutError` after two minutes: something hangs."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not happen")
        time.sleep(INTERVAL_SECONDS)
