"""An SQS server: moto's, in this process, on a free port of this machine. It needs moto, and Flask for moto."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from moto.server import ThreadedMotoServer

ACCOUNT = "123456789012"


class SqsServer:
    """Made by `running`. ``url`` is its endpoint."""

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """Serve until the block ends."""
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it logs every request
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield cls(f"http://{host}:{port}")
        finally:
            server.stop()

    def queue_url(self, name: str) -> str:
        return f"{self.url}/{ACCOUNT}/{name}"
