"""The line that each request leaves: what it tells, and what it must not."""

import logging

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from imagegallery_asgi.middleware.access_log import AccessLog, logger, shown_path


async def answer(_: Request) -> Response:
    return Response(b"hello", 201, {"X-Request-ID": "r1"})


async def ask(path: str) -> None:
    app = Starlette(routes=[Route("/{rest:path}", answer)], middleware=[Middleware(AccessLog)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gallery") as client:
        await client.get(path)


async def test_a_request_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger.name)
    await ask("/api/v1/galleries?token=secret")
    (line,) = (record.getMessage() for record in caplog.records if record.name == logger.name)
    assert line.startswith("127.0.0.1 GET /api/v1/galleries 201 5 B ")
    assert line.endswith(" ms r1")


async def test_nothing_is_logged_unless_somebody_wants_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger.name)
    await ask("/api/v1/galleries")
    assert not caplog.records


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/v1/objects/token.of-somebody", "/api/v1/objects/…"),
        ("/api/v1/s/kT3v0c2mQy7rZ9xL4bWn8sHd", "/api/v1/s/…"),
        ("/shop/api/v1/s/kT3v/galleries/1", "/shop/api/v1/s/…/galleries/1"),
        ("/s/kT3v", "/s/…"),
        ("/a\n127.0.0.1 GET /forged", "/a%0A127.0.0.1%20GET%20/forged"),
        ("/\x1b[2J", "/%1B%5B2J"),
        ("/é", "/%C3%A9"),
        ("/" + "a" * 199, "/" + "a" * 199),
        ("/" + "a" * 30_000, "/" + "a" * 199 + "…"),
    ],
)
def test_no_token_and_no_second_line_gets_into_the_log(path: str, shown: str) -> None:
    assert shown_path(path) == shown
