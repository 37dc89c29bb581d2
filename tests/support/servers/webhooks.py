"""A receiver of webhooks on this machine: a real HTTP server that remembers what it got."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from attrs import define, field


@define
class Received:
    """One POST. ``headers`` by lower-case name."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@define
class Receiver:
    """``url`` is where it listens. It answers each of ``statuses`` once, in turn, and 204 after that."""

    url: str = ""
    statuses: list[int] = field(factory=list)
    received: list[Received] = field(factory=list)

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Receiver"]:
        """On a free port of the loopback interface, in a thread."""
        receiver = cls()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook?from=gallery"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name where it is from
            pass

    return Handler
