"""Text responses by gzip for clients that accept it (RFC 9110 section 8.4), from cached bytes if many get the same.

Only responses that are whole in one message: files and event streams pass unchanged. A compressed response is another
representation with a strong tag of its own (section 8.8.3.3): the original tag with a suffix, which is removed from the
conditions of requests. HEAD describes the uncompressed one.
"""

import zlib
from hashlib import blake2b
from typing import Final

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegallery.common.bounded import BoundedMap
from imagegallery_asgi.framework.headers import accepts_coding

# What is smaller travels in one packet as it is.
SMALLEST: Final = 1_000
# Compressing more than that takes milliseconds: not for the event loop.
_AT_ONCE: Final = 16_000
_KEPT_BYTES: Final = 16_000_000
# What an entry takes besides its bytes, rounded up.
ENTRY_OVERHEAD: Final = 300
_TYPES: Final = ("application/json", "application/problem+json", "text/html", "text/css", "text/javascript")
_SUFFIX: Final = b'-gzip"'
_CONDITIONS: Final = (b"if-none-match", b"if-match")


class Compression:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept = KeptBytes(_KEPT_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        accepted = accepts_coding(Headers(scope=scope).get("Accept-Encoding"), "gzip")
        has_compressed = any(name in _CONDITIONS and _SUFFIX in value for name, value in scope["headers"])
        if has_compressed:
            scope = {**scope, "headers": [_without_suffix(name, value) for name, value in scope["headers"]]}
        answer = _Answer(send, self._kept, accepted=accepted, has_compressed=has_compressed)
        await self._app(scope, receive, answer.send)


class _Answer:
    """One answer on its way: its head waits for its body where that may be compressed."""

    def __init__(self, send: Send, kept: "KeptBytes", *, accepted: bool, has_compressed: bool) -> None:
        self._send = send
        self._kept = kept
        self._accepted = accepted
        self._has_compressed = has_compressed
        self._head: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("Content-Type", "").startswith(_TYPES) and "Content-Encoding" not in headers:
                headers.add_vary_header("Accept-Encoding")
                if self._accepted and int(headers.get("Content-Length", "0")) >= SMALLEST:
                    self._head = message
                    return
            elif message["status"] == 304 and self._has_compressed:
                headers.add_vary_header("Accept-Encoding")
                _add_suffix(headers)
        elif self._head is not None:
            head, self._head = self._head, None
            if message.get("body") and not message.get("more_body"):
                message = await self._compress(head, message)
            await self._send(head)
        await self._send(message)

    async def _compress(self, head: Message, message: Message) -> Message:
        body = await self._kept.compressed(message["body"])
        headers = MutableHeaders(scope=head)
        headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(body))
        _add_suffix(headers)
        return {**message, "body": body}


class KeptBytes:
    """What was compressed last, by the digest of what it was; at most ``max_bytes`` of it."""

    def __init__(self, max_bytes: int) -> None:
        self._kept: BoundedMap[bytes, bytes] = BoundedMap(max_bytes, _size_of)

    async def compressed(self, body: bytes) -> bytes:
        digest = blake2b(body, digest_size=16).digest()
        kept = self._kept.get(digest)
        if kept is not None:
            return kept
        packed = gzip(body) if len(body) <= _AT_ONCE else await anyio.to_thread.run_sync(gzip, body)
        self._kept.put(digest, packed)
        return packed


def _size_of(_: bytes, packed: bytes) -> int:
    return len(packed) + ENTRY_OVERHEAD


def gzip(body: bytes) -> bytes:
    """The same bytes each time: the header tells no time (RFC 1952 section 2.3.1)."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(body) + packer.flush()


def _without_suffix(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return (name, value.replace(_SUFFIX, b'"')) if name in _CONDITIONS else (name, value)


def _add_suffix(headers: MutableHeaders) -> None:
    etag = headers.get("ETag")
    if etag is not None and etag.endswith('"'):
        headers["ETag"] = f"{etag[:-1]}{_SUFFIX.decode()}"
