"""Request bodies, limited while they stream, with or without a ``Content-Length``."""

from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec
from anyio import to_thread
from starlette.requests import Request

from imagegallery import TooLarge
from imagegallery.errors import Fault
from imagegallery_asgi.framework.errors import MalformedRequest, UnsupportedBody
from imagegallery_asgi.framework.headers import media_type
from imagegallery_asgi.framework.parsing import parse_json

T = TypeVar("T")

# Larger ones are parsed in a thread, since they would block the event loop.
_MAX_IN_LOOP = 64 * 1024
_MAX_LENGTH_DIGITS = 18


def content_length(request: Request) -> int | None:
    """The announced size in bytes; ``None`` for a chunked body."""
    text = request.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS else None


async def is_empty(request: Request) -> bool:
    """Whether the body has no byte, however it is sent. Consumes what it reads."""
    async for chunk in request.stream():
        if chunk:
            return False
    return True


def check_not_encoded(request: Request) -> None:
    """Raise `UnsupportedBody` for a ``Content-Encoding``: we take bytes as they are."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedBody("Send the body without a Content-Encoding.")


async def bounded(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body in chunks. Raises `TooLarge` before reading if too much is announced, otherwise once it has
    come."""
    announced = content_length(request)
    if announced is not None and announced > limit:
        raise _too_large(limit)
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise _too_large(limit)
        yield chunk


async def read_json(
    kind: type[T], request: Request, limit: int, faults: list[Fault], *, if_any: bool = False
) -> T | None:
    """Read the body as a ``kind``, or return ``None`` after adding its faults.

    With ``if_any`` it may be missing, also in chunks without a byte, and is then an object without members. Raises
    `UnsupportedBody`, `TooLarge` for more than ``limit`` bytes, and `MalformedRequest`.
    """
    if not if_any:
        _check_json(request)
    body = b"".join([chunk async for chunk in bounded(request, limit)])
    if if_any and not body:
        return _structured(kind, b"{}", faults)
    _check_json(request)
    if len(body) <= _MAX_IN_LOOP:
        return _structured(kind, body, faults)
    return await to_thread.run_sync(_structured, kind, body, faults)


def _check_json(request: Request) -> None:
    if media_type(request.headers.get("Content-Type")) != "application/json":
        raise UnsupportedBody("Send a JSON body with Content-Type: application/json.")
    check_not_encoded(request)


def _structured(kind: type[T], body: bytes, faults: list[Fault]) -> T | None:
    try:
        decoded: object = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest("The body is not valid JSON.") from error
    return parse_json(kind, decoded, ("body",), faults)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body may have at most {limit:,} bytes.", limit=limit)
