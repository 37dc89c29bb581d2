"""Answers by gzip: who gets them, under which tag, and what is kept of them."""

import gzip
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from imagegallery_asgi.middleware import compression
from imagegallery_asgi.middleware.compression import ENTRY_OVERHEAD, SMALLEST, Compression, KeptBytes

ETAG = '"abc"'
LONG = {"text": "all work and no play " * 1_000}
Ask = Callable[..., httpx.Response]


async def page(request: Request) -> Response:
    if request.headers.get("If-None-Match") == ETAG:
        return Response(status_code=304, headers={"ETag": ETAG})
    return JSONResponse(LONG, headers={"ETag": ETAG, "Vary": "Cookie"})


async def short(_: Request) -> Response:
    return JSONResponse({})


async def picture(_: Request) -> Response:
    return Response(b"x" * 5_000, media_type="image/webp")


async def stream(_: Request) -> Response:
    return StreamingResponse(iter([b"[1,", b"2]"]), media_type="application/json", headers={"Content-Length": "5000"})


async def condition(request: Request) -> Response:
    return JSONResponse(request.headers.get("If-Match"))


@pytest.fixture
async def client() -> httpx.AsyncClient:
    routes = [Route(f"/{each.__name__}", each) for each in (page, short, picture, stream, condition)]
    app = Starlette(routes=routes, middleware=[Middleware(Compression)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gallery")


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "*", "identity;q=0.1, *;q=0.2"])
async def test_who_accepts_gzip_gets_the_same_in_fewer_bytes(client: httpx.AsyncClient, accepted: str) -> None:
    async with client.stream("GET", "/page", headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join([each async for each in answer.aiter_raw()])
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(raw) < 1_000
    assert gzip.decompress(raw) == JSONResponse(LONG).body
    assert answer.headers["Vary"] == "Cookie, Accept-Encoding"


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "*, gzip;q=0", "gzip;q=much"])
async def test_who_does_not_gets_it_as_it_is(client: httpx.AsyncClient, accepted: str) -> None:
    answer = await client.get("/page", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert (answer.json(), answer.headers["ETag"]) == (LONG, ETAG)
    assert answer.headers["Vary"] == "Cookie, Accept-Encoding"


@pytest.mark.parametrize("path", ["/short", "/picture", "/stream"])
async def test_what_is_small_no_text_or_comes_in_pieces_passes_as_it_is(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert "Content-Encoding" not in answer.headers
    assert answer.content in (b"{}", b"x" * 5_000, b"[1,2]")


async def test_a_compressed_answer_has_a_tag_of_its_own_that_is_known_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/page")
    assert first.headers["ETag"] == '"abc-gzip"'
    again = await client.get("/page", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["ETag"]) == (304, first.headers["ETag"])
    assert "Accept-Encoding" in again.headers["Vary"]
    plain = await client.get("/page", headers={"If-None-Match": ETAG})
    assert (plain.status_code, plain.headers["ETag"]) == (304, ETAG)
    assert (await client.get("/condition", headers={"If-Match": '"abc-gzip", "b"'})).json() == '"abc", "b"'


async def test_equal_answers_are_compressed_once_and_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    compressed: list[bytes] = []

    def pretend(body: bytes) -> bytes:
        compressed.append(body)
        return body[:100]

    monkeypatch.setattr(compression, "gzip", pretend)
    kept = KeptBytes(250 + 2 * ENTRY_OVERHEAD)
    first, second, third = (bytes([number]) * SMALLEST for number in range(3))
    for body in (first, second, first, third, first, second):
        assert await kept.compressed(body) == body[:100]
    assert compressed == [first, second, third, second]
