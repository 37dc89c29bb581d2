"""Request bodies: bounded while they stream, with or without a ``Content-Length``."""

from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request

from imagegallery import TooLarge
from imagegallery_asgi.errors import MalformedRequest, UnsupportedBody
from imagegallery_asgi.headers import media_type

MAX_JSON_BYTES = 1_000_000
_MAX_LENGTH_DIGITS = 18


def content_length(request: Request) -> int | None:
    """The announced size in bytes; ``None`` for a chunked body."""
    text = request.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS else None


async def is_empty(request: Request) -> bool:
    """Whether the body has no byte, however it is sent. What has been read for it is gone."""
    async for chunk in request.stream():
        if chunk:
            return False
    return True


def check_not_encoded(request: Request) -> None:
    """We take bytes as they are. Raises `UnsupportedBody` for a ``Content-Encoding``."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedBody("Send the body without a Content-Encoding.")


async def bounded(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body in chunks. Raises `TooLarge` before reading if too much is announced, else once it has come."""
    announced = content_length(request)
    if announced is not None and announced > limit:
        raise _too_large(limit)
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise _too_large(limit)
        yield chunk


async def read_json(request: Request) -> object:
    """The decoded body. Raises `UnsupportedBody`, `TooLarge` and `MalformedRequest`."""
    _check_json(request)
    return _decoded(await _whole(request))


async def read_json_if_any(request: Request) -> object:
    """The same where the body may be left out, which is an object without members: also in chunks without a byte."""
    body = await _whole(request)
    if not body:
        return {}
    _check_json(request)
    return _decoded(body)


def _check_json(request: Request) -> None:
    if media_type(request.headers.get("Content-Type")) != "application/json":
        raise UnsupportedBody("Send a JSON body with Content-Type: application/json.")
    check_not_encoded(request)


async def _whole(request: Request) -> bytes:
    return b"".join([chunk async for chunk in bounded(request, MAX_JSON_BYTES)])


def _decoded(body: bytes) -> object:
    try:
        decoded: object = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest("The body is not valid JSON.") from error
    return decoded


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body may have at most {limit:,} bytes.", limit=limit)
