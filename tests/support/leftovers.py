"""No process outlives a test run, whatever becomes of pytest.

What a run starts has the run's mark in its environment, or is at work in the run's folder. Whatever is still there when
the tests are through fails the run. When pytest itself is ended, by a signal or otherwise, a guard notices: a process
of its own, whose input ends with pytest. It ends what is left, and turns off the servers that test runs share if
nobody else uses them.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from uuid import uuid4

from attrs import frozen
from tests.support.database import DatabaseServer
from tests.support.servers.object_store import SharedObjectStore

MARK = "TEST_RUN_OF_GALLERY"
PATIENCE = 10.0  # seconds that what is told to end has for it
_PROCESSES = Path("/proc")


@frozen
class Run:
    """One run of pytest: ``folder`` is where its tests' folders are."""

    mark: str
    folder: Path

    @classmethod
    def begin(cls, folder: Path) -> "Run":
        """Mark everything that this process starts from now on."""
        run = cls(uuid4().hex, folder)
        os.environ[MARK] = run.mark
        return run

    def guard(self) -> "subprocess.Popen[bytes]":
        """Start the guard; it is through when its input ends and nothing is left."""
        command = [sys.executable, "-m", "tests.support.leftovers", self.mark, str(self.folder)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[2], start_new_session=True)

    def left(self, but: Iterable[int] = ()) -> dict[int, str]:
        """The processes of this run, without the one that asks: their ids, and how they were called."""
        spared = {os.getpid(), os.getppid(), *but}  # who started pytest may name the folder to it
        found = {}
        for directory in _PROCESSES.glob("[0-9]*"):
            if int(directory.name) not in spared and (command := self._command_of_ours(directory)):
                found[int(directory.name)] = command
        return found

    def _command_of_ours(self, process: Path) -> str:
        """How it was called; empty if it is none of ours, or has ended."""
        try:
            command = (process / "cmdline").read_bytes()
            marked = f"{MARK}={self.mark}\0".encode() in (process / "environ").read_bytes()
            at_work = (process / "cwd").readlink().is_relative_to(self.folder)
        except OSError:
            return ""
        ours = marked or at_work or os.fsencode(self.folder) in command
        return command.replace(b"\0", b" ").decode(errors="replace").strip() if ours else ""

    def settle(self, but: Iterable[int] = ()) -> dict[int, str]:
        """What is left after a while: what was told to end, or notices that its parent has, is given time."""
        deadline = time.monotonic() + PATIENCE
        while (left := self.left(but)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def end(self) -> None:
        """End what is left: kindly, then by force."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.left():
                with suppress(ProcessLookupError):
                    os.kill(pid, how)
            if not self.settle():
                break


def shared_database() -> AbstractContextManager[DatabaseServer]:
    """The server that all workers share: the wheel's, or what ``TEST_POSTGRES`` (a folder of programs) names."""
    installed = os.environ.get("TEST_POSTGRES")
    return DatabaseServer.shared(installed=Path(installed) if installed else None)


def main(mark: str, folder: str) -> None:
    """The guard."""
    sys.stdin.read()
    run = Run(mark, Path(folder))
    if run.left():
        run.end()
        with shared_database(), SharedObjectStore.shared():
            pass  # whoever is the last one out stops them


if __name__ == "__main__":
    main(*sys.argv[1:])
