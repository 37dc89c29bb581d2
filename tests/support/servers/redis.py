"""A real Redis server on loopback, which a test may kill, pause and start again, by itself or as a cluster's node."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagegallery.dev_stack import redis
from imagegallery.dev_stack.ports import EPHEMERAL_PORTS, free_port

_SLOTS = 16_384
# The nodes of a cluster talk on a second port, so far above the first.
_BUS = 10_000


class RedisServer(redis.RedisServer):
    """A server that can be paused."""

    @property
    def dump(self) -> Path:
        """Where ``SAVE`` writes, and what a start reads."""
        return self.directory / "dump.rdb"

    def pause(self) -> None:
        """It takes connections and answers nothing until `resume`: what a network that went silent looks like."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class ClusterNode(RedisServer):
    """The one node of a cluster. It has every slot, and refuses commands that touch two."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        while self.port + _BUS >= EPHEMERAL_PORTS:  # its bus must be able to listen, too
            self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.port}"

    def options(self) -> dict[str, object]:
        return {**super().options(), "cluster-enabled": "yes"}

    def start(self) -> None:
        super().start()
        for first in range(0, _SLOTS, _SLOTS // 16):
            self.command("CLUSTER ADDSLOTS " + " ".join(str(first + each) for each in range(_SLOTS // 16)))
        redis.wait_until(lambda: b"cluster_state:ok" in self.command("CLUSTER INFO"))


@contextmanager
def running_redis(*, cluster: bool = False) -> Iterator[RedisServer]:
    """A server while this is open; ``cluster``: the one node of a cluster."""
    directory = Path(tempfile.mkdtemp(prefix="imagegallery-redis-"))
    server = ClusterNode(directory) if cluster else RedisServer(directory)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(directory, ignore_errors=True)
