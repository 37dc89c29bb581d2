"""The how-to that has a CDN forget: its program, a real delivery, and a cache that is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import httpx
import pytest
from starlette.types import ASGIApp
from tests.support.servers.webhooks import Received, Receiver
from tests.support.waiting import until

from code_blocks import blocks_of

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "purge.md"


@contextmanager
def cache(forgotten: list[str]) -> Iterator[str]:
    """Takes ``PURGE`` and remembers what it was to forget; answers its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_PURGE(self) -> None:
            forgotten.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name where it is from
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def program() -> ASGIApp:
    """The application on the page."""
    (code,) = [block.code for block in blocks_of(PAGE.read_text()) if block.runner]
    namespace: dict[str, Any] = {}
    exec(compile(code, PAGE, "exec"), namespace)
    app: ASGIApp = namespace["app"]
    return app


async def hand_over(app: ASGIApp, received: Received, body: bytes) -> int:
    """The delivery, or another body in its place, to the program; answers the status."""
    signed = {name: value for name, value in received.headers.items() if name.startswith("webhook-")}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://purge") as client:
        return (await client.post("/purge", content=body, headers=signed)).status_code


def test_what_is_public_no_longer_is_purged(
    owner: httpx.Client, visitor: httpx.Client, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = [each["url"] for each in visitor.get(f"/images/{image}").json()["data"]["variants"]]
    forgotten: list[str] = []
    with Receiver.running() as receiver, cache(forgotten) as cdn:
        made = owner.post("/webhooks", json={"url": receiver.url, "event_types": ["urls.closed"]})
        assert owner.delete(f"/images/{image}").status_code == 204
        until(lambda: bool(receiver.received))
        (received,) = receiver.received
        monkeypatch.setenv("CDN", cdn)
        monkeypatch.setenv("WEBHOOK_SECRET", made.json()["data"]["secret"])
        purge = program()
        assert (anyio.run(hand_over, purge, received, b"{}"), forgotten) == (401, [])
        assert anyio.run(hand_over, purge, received, received.body) == 204
    assert sorted(f"/api/v1{path}" for path in forgotten) == sorted(urls)
