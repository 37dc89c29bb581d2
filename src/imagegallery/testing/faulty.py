"""Run a module as a process that dies at a fault point: ``python -m imagegallery.testing.faulty POINT MODULE ARG…``.

It kills itself (SIGKILL: nothing gets a chance to tidy up) when it reaches the point for the first time, or for the
``N``-th with ``POINT:N``. ``IMAGEGALLERY_TESTING_SKEW`` (seconds) sets its clock forward, or back.
"""

import os
import runpy
import signal
import sys
from datetime import timedelta

import imagegallery.clock
from imagegallery.faultpoints import FaultPoint, arm

SKEW = "IMAGEGALLERY_TESTING_SKEW"


class _DyingAt:
    def __init__(self, name: str, times: int) -> None:
        self._name = name
        self._left = times

    def __call__(self, point: FaultPoint) -> None:
        if point.name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _skew(seconds: float) -> None:
    real = imagegallery.clock.utc_now
    imagegallery.clock.utc_now = lambda: real() + timedelta(seconds=seconds)


def _run(point: str, module: str, arguments: list[str]) -> None:
    name, _, times = point.partition(":")
    if name:
        arm(_DyingAt(name, int(times or 1)))
    if SKEW in os.environ:
        _skew(float(os.environ[SKEW]))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2], sys.argv[3:])
