"""Run a module as a child of `imagegallery serve`: ``python -m imagegallery.cli.supervised MODULE ARG…``.

The parent holds the other end of our stdin and never writes to it: when it closes, the parent is gone,
however it went (also by ``kill -9``), and so must we.
"""

import os
import runpy
import signal
import sys
import threading


def _follow_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGINT)  # not SIGTERM: the database may be gone already, so there is nothing to drain


def _run(module: str, arguments: list[str]) -> None:
    threading.Thread(target=_follow_parent, name="follow-parent", daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the module handles it: no traceback for one that just starts
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2:])
