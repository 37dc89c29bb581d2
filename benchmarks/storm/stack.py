"""`imagegallery dev-stack` in a process of its own, and its processes to kill. Linux: /proc says who is whose child."""

import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import anyio
import httpx
from anyio.to_thread import run_sync
from attrs import frozen
from benchmarks.storm.tally import Outage

from imagegallery.dev_stack.ports import free_port

START_SECONDS = 120
BACK_SECONDS = 60
STOP_SECONDS = 120
_LOOK = 0.05


@frozen
class Stack:
    """Made by `running`. ``urls`` are those of the two APIs."""

    process: "subprocess.Popen[bytes]"
    directory: Path
    log: Path
    urls: Sequence[httpx.URL]

    @classmethod
    @asynccontextmanager
    async def running(cls, directory: Path) -> AsyncIterator["Stack"]:
        port, log = free_port(2), directory / "stack.log"
        command = [sys.executable, "-m", "imagegallery.cli", "dev-stack"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "--data-dir", str(directory / "stack"), "--port", str(port)], stdout=output, stderr=output
            )
        urls = [httpx.URL(f"http://127.0.0.1:{each}") for each in (port, port + 1)]
        stack = cls(process, directory / "stack", log, urls)
        try:
            await _until(lambda: process.poll() is not None or _is_ready(log), "the stack", START_SECONDS)
            if process.poll() is not None:
                raise RuntimeError(f"the stack did not start:\n{log.read_text()}")
            yield stack
        finally:
            with anyio.CancelScope(shield=True):
                process.send_signal(signal.SIGINT)
                await run_sync(process.wait, STOP_SECONDS)

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings of all its processes."""
        words = shlex.split((self.directory / "stack.env").read_text())
        named = dict(word.split("=", 1) for word in words)
        return {**named, "IMAGEGALLERY_DATA_DIR": str(self.directory / "data")}

    def victims(self) -> Sequence["Victim"]:
        """Who is killed, in this order."""
        ports = [str(url.port) for url in self.urls]
        return (
            Victim(self, f"API {ports[0]}", ("imagegallery_asgi.server", ports[0]), serves=self.urls[0]),
            Victim(self, "worker 1", ("imagegallery.cli\0worker",), index=0),
            Victim(self, "Redis", ("redis-server",)),
            Victim(self, "relay", ("imagegallery.cli\0relay",)),
            Victim(self, f"API {ports[1]}", ("imagegallery_asgi.server", ports[1]), serves=self.urls[1]),
            Victim(self, "worker 2", ("imagegallery.cli\0worker",), index=1),
        )

    def processes(self) -> dict[int, str]:
        """All its Python and Redis processes, parents first, with their command lines."""
        found: dict[int, str] = {}
        waiting = [self.process.pid]
        while waiting:
            parent = waiting.pop(0)
            with suppress(OSError):  # it ended meanwhile
                found[parent] = Path(f"/proc/{parent}/cmdline").read_text()
                for thread in Path(f"/proc/{parent}/task").iterdir():
                    waiting += map(int, (thread / "children").read_text().split())
        return found


@frozen
class Victim:
    """``marks`` are in its command line. Of an API the process that serves is killed, not the one that watches it."""

    stack: Stack
    name: str
    marks: tuple[str, ...]
    index: int = 0
    serves: httpx.URL | None = None

    async def kill(self) -> Outage:
        """``kill -9``; returns when its successor is there, and answers if it can be asked."""
        (*_, last) = self._pids() if self.serves else [self._pids()[self.index]]
        before = set(self._pids())
        os.kill(last, signal.SIGKILL)
        killed_at = time.monotonic()
        await _until(
            lambda: len(set(self._pids()) - {last}) == len(before) and self._is_back(), self.name, BACK_SECONDS
        )
        return Outage(self.name, killed_at, time.monotonic())

    def _pids(self) -> list[int]:
        processes = self.stack.processes()
        return [pid for pid, line in processes.items() if all(mark in line for mark in self.marks)]

    def _is_back(self) -> bool:
        if self.serves is None:
            return True
        with suppress(OSError), closing(urllib.request.urlopen(f"{self.serves}/readyz", timeout=5)) as answer:
            return bool(answer.status == 200)
        return False


def _is_ready(log: Path) -> bool:
    return "Ctrl-C stops" in log.read_text()


async def _until(is_so: Callable[[], bool], what: str, seconds: float) -> None:
    with anyio.move_on_after(seconds):
        while not await run_sync(is_so):
            await anyio.sleep(_LOOK)
        return
    raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
