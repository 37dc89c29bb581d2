"""The whole service as a user starts it: ``imagegallery serve`` in a process of its own, on a free port."""

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

START_DEADLINE_SECONDS = 90
STOP_DEADLINE_SECONDS = 60
# Ports from here up are those that systems choose for connections, by themselves.
EPHEMERAL_PORTS = 32_768
_LOWEST_PORT = 10_240
_reservations: dict[int, int] = {}  # by process, as a fork keeps no locks


@frozen
class RunningService:
    """A service that answers. ``url`` is its root, without a trailing slash; ``log`` holds all it printed."""

    url: str
    data_dir: Path
    process: "subprocess.Popen[bytes]"
    log: Path

    def interrupt(self) -> int:
        """Ctrl-C: SIGINT to the process. Answers the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_DEADLINE_SECONDS)

    def kill(self) -> None:
        """``kill -9``: nothing gets a chance to tidy up."""
        self.process.kill()
        self.process.wait(STOP_DEADLINE_SECONDS)


@contextmanager
def running_service(
    data_dir: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[RunningService]:
    """Serve ``data_dir`` until the block ends.

    Raises `RuntimeError` with the log when the service ends, or does not answer within a minute and a half.
    """
    port = free_port()
    with tempfile.NamedTemporaryFile(suffix=".log", delete=False) as log:
        process = subprocess.Popen(
            _command(data_dir, port, *options),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
    service = RunningService(f"http://127.0.0.1:{port}", data_dir, process, Path(log.name))
    try:
        _wait_until_ready(service)
        yield service
    finally:
        if process.poll() is None:
            service.interrupt()
        service.log.unlink()


def free_port(count: int = 1) -> int:
    """A port that nobody listens on, or the first of ``count`` in a row; kept for this process among all that ask here.

    None of `EPHEMERAL_PORTS`, so that no connection takes it by chance before a server has it.
    """
    while True:  # not by `random`, which tests seed
        port = _LOWEST_PORT + secrets.randbelow(EPHEMERAL_PORTS - _LOWEST_PORT - count)
        if all(_reserve(each) and _is_free(each) for each in range(port, port + count)):
            return port


def _reserve(port: int) -> bool:
    """Lock the byte of that number in a file that all processes of this user share, for as long as this one lives."""
    if (file := _reservations.get(os.getpid())) is None:
        path = Path(tempfile.gettempdir(), f"imagegallery-ports-{os.geteuid()}")
        file = _reservations[os.getpid()] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def _command(data_dir: Path, port: int, *options: str) -> list[str]:
    start = [sys.executable, "-m", "imagegallery.cli", "serve"]
    return [*start, "--data-dir", str(data_dir), "--port", str(port), *options]


def _wait_until_ready(service: RunningService) -> None:
    deadline = time.monotonic() + START_DEADLINE_SECONDS
    while not _is_ready(service.url):
        if service.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the service did not start:\n{service.log.read_text()}")
        time.sleep(0.05)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310 - loopback http
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
