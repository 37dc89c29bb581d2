"""Objects of the store as HTTP responses: conditional requests, ranges, HEAD (RFC 9110 sections 13 and 14)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from attrs import frozen
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from imagegallery import Unavailable
from imagegallery.common.disposition import attachment
from imagegallery.storage.protocol import ByteRange, ObjectInfo
from imagegallery_asgi.framework.context import error_headers_of
from imagegallery_asgi.framework.errors import RangeNotSatisfiable, StaleCondition
from imagegallery_asgi.framework.headers import (
    Unsatisfiable,
    http_date,
    is_current,
    is_not_modified,
    listed,
    parse_range,
    quote_etag,
    range_applies,
)

# Headers of requests (RFC 9110 sections 13.1 and 14.2) that decide whether, or which part of, an object is sent.
_DECIDING = frozenset(("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range"))
# Pages under cross-origin isolation may show our images; the response can run no code.
_FILE_HEADERS = {"Accept-Ranges": "bytes", "Cross-Origin-Resource-Policy": "cross-origin"}


@frozen
class Representation:
    """What will be served, before it is opened. ``size`` is in bytes, ``etag`` quoted."""

    key: str
    content_type: str
    size: int
    etag: str
    modified_at: datetime
    cache_control: str
    download_as: str | None = None

    @classmethod
    def of(
        cls, info: ObjectInfo, content_type: str, cache_control: str, download_as: str | None = None
    ) -> "Representation":
        tag = quote_etag(info.etag)
        return cls(info.key, content_type, info.size, tag, info.modified_at, cache_control, download_as)

    def headers(self) -> dict[str, str]:
        """The headers of every response about it, including 304."""
        common = {"ETag": self.etag, "Last-Modified": http_date(self.modified_at), "Cache-Control": self.cache_control}
        disposition = {"Content-Disposition": attachment(self.download_as)} if self.download_as else {}
        return {**_FILE_HEADERS, **common, **disposition}


@frozen
class Plan:
    """The decision: a status, its headers and, if anything is sent, which bytes."""

    status: HTTPStatus
    headers: Mapping[str, str]
    byte_range: ByteRange | None = None
    has_body: bool = True


def plan(method: str, asked: Headers, it: Representation) -> Plan:
    """How to respond to ``method`` (GET or HEAD) with the request headers ``asked``, in the order of section 13.2.2.
    Pure.

    Raises `StaleCondition` and `RangeNotSatisfiable`.
    """
    headers = it.headers()
    if not is_current(
        listed(asked, "if-match"), asked.get("if-unmodified-since"), etag=it.etag, modified_at=it.modified_at
    ):
        raise StaleCondition("The object is not the one that was asked about.")
    if is_not_modified(
        listed(asked, "if-none-match"), asked.get("if-modified-since"), etag=it.etag, modified_at=it.modified_at
    ):
        return Plan(HTTPStatus.NOT_MODIFIED, headers, has_body=False)
    headers["Content-Type"] = it.content_type
    wanted = _wanted_range(method, asked, it)
    if isinstance(wanted, Unsatisfiable):
        raise RangeNotSatisfiable(f"The object has {it.size:,} bytes.", size=it.size)
    if wanted is None:
        headers["Content-Length"] = str(it.size)
        return Plan(HTTPStatus.OK, headers, has_body=method == "GET")
    headers["Content-Length"] = str(wanted.stop - wanted.start)
    headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{it.size}"
    return Plan(HTTPStatus.PARTIAL_CONTENT, headers, wanted)


def _wanted_range(method: str, asked: Headers, it: Representation) -> ByteRange | Unsatisfiable | None:
    """A Range only matters for GET (section 14.2), and only while the object is the one it refers to."""
    if method != "GET" or not range_applies(asked.get("if-range"), etag=it.etag, modified_at=it.modified_at):
        return None
    return parse_range(asked.get("range"), it.size)


@frozen
class OpenedObject:
    """The object as it was when it was opened, and the bytes asked for."""

    it: Representation
    chunks: AsyncIterator[bytes]


class ServedObject(Protocol):
    """An object that a request may read."""

    async def describe(self) -> Representation:
        """Describe it without opening it."""

    def open(self, byte_range: ByteRange | None) -> AbstractAsyncContextManager[OpenedObject]:
        """Open all of it, or a part."""


class ObjectResponse(Response):
    """Serves an object. It is opened before the response begins, so that errors can still be reported.

    Most requests ask for all of it, on no condition, and cost one visit to the store. About others is decided before
    it is opened.
    """

    def __init__(self, served: ServedObject) -> None:
        super().__init__()
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope)
        if scope["method"] == "GET" and _DECIDING.isdisjoint(asked):
            async with self._served.open(None) as opened:
                await _send(plan("GET", asked, opened.it), opened.chunks, send)
            return
        it = await self._served.describe()
        try:
            decided = plan(scope["method"], asked, it)
        except RangeNotSatisfiable:
            error_headers_of(scope)["Content-Range"] = f"bytes */{it.size}"
            raise
        if not decided.has_body:
            await _send(decided, None, send)
            return
        async with self._served.open(decided.byte_range) as opened:
            if opened.it.etag != it.etag:
                raise Unavailable("The object has just been replaced; ask again.")
            await _send(decided, opened.chunks, send)


async def _send(decided: Plan, chunks: AsyncIterator[bytes] | None, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in decided.headers.items()]
    await send({"type": "http.response.start", "status": int(decided.status), "headers": headers})
    if chunks is not None:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
