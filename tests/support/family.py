"""A small service of one program, for tests of how it ends: ``python -m tests.support.family FOLDER``.

The program is this module, too. It writes its id to ``FOLDER/started``, and the signal that ends it to
``FOLDER/ended``. The first line on stdin cancels the service.
"""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from types import FrameType

import anyio

from imagegallery.cli.nursery import Nursery, Program
from imagegallery.cli.supervisor import run_together

GRACE = timedelta(seconds=30)


def main() -> None:
    """The program."""
    folder = Path(sys.argv[1])

    def end(number: int, _frame: FrameType | None) -> None:
        (folder / "ended").write_text(signal.Signals(number).name)
        sys.exit()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    (folder / "draft").write_text(str(os.getpid()))
    (folder / "draft").rename(folder / "started")
    if (folder / "fails").exists():
        sys.exit(3)
    while True:
        signal.pause()


async def serve(nursery: Nursery, folder: str) -> None:
    program = Program("lasting", "tests.support.family", (folder,), essential=True)
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_together, nursery, [program], {}, signals, GRACE)
            await anyio.wait_readable(sys.stdin)
            tasks.cancel_scope.cancel()


if __name__ == "__main__":
    with Nursery.open(("tests.support.family",)) as nursery:
        anyio.run(serve, nursery, sys.argv[1])
