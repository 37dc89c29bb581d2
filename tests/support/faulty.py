"""Processes that start at once, and die where they are told to.

Each runs a Python script, forked from a server that has imported what it needs already::

    preload("imagegallery.gallery", "imagegallery_asgi.app")
    process = start(Path("worker.py"), "--fast", environment={…}, log=Path("log"), dies_at="processing.stored:2")

It kills itself (SIGKILL: nothing gets a chance to tidy up) when it reaches that fault point for
the first time, or for the ``N``-th with ``POINT:N``. Not for Windows.
"""

import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from imagegallery.common.fault_points import FaultPoint, arm

_FORKING = multiprocessing.get_context("forkserver")


def preload(*modules: str) -> None:
    """Have these imported once for all processes. Call it before the first one is started."""
    _FORKING.set_forkserver_preload(list(modules))


def start(
    script: Path, *arguments: str, environment: Mapping[str, str], log: Path, dies_at: str = ""
) -> ForkServerProcess:
    """Run ``script`` as a process of its own, which ends with this one at the latest; what it prints goes to ``log``.

    ``sentinel`` of the answer is a file descriptor that becomes readable when the process is dead; then ``join`` it.
    """
    process = _FORKING.Process(target=_run, args=(script, arguments, dict(environment), log, dies_at))
    process.start()
    return process


class _DyingAt:
    def __init__(self, point: str) -> None:
        self._name, _, times = point.partition(":")
        self._left = int(times or 1)

    def __call__(self, point: FaultPoint) -> None:
        if point.name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _run(script: Path, arguments: tuple[str, ...], environment: Mapping[str, str], log: Path, dies_at: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if dies_at:
        arm(_DyingAt(dies_at))
    os.environ.update(environment)
    sys.argv = [str(script), *arguments]
    runpy.run_path(str(script), run_name="__main__")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)
