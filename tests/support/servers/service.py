"""The whole service as a user starts it: ``imagegallery serve`` in a process of its own, on a free port."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from imagegallery.dev_stack.ports import free_port

START_DEADLINE_SECONDS = 90
STOP_DEADLINE_SECONDS = 60


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
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
