"""Objects of the store as HTTP responses: conditional requests, ranges, HEAD (RFC 9110 sections 13 and 14)."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from http import HTTPStatus

from attrs import frozen
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from imagegallery import Unavailable
from imagegallery.common.disposition import attachment
from imagegallery.storage.protocol import ByteRange, ObjectInfo
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

# Pages under cross-origin isolation may show our images; the response can run no code.
_FILE_HEADERS = {"Accept-Ranges": "bytes", "Cross-Origin-Resource-Policy": "cross-origin"}


@frozen
class Representation:
    """What will be served, before it is opened. ``size`` is in bytes, ``etag`` quoted."""

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
        return cls(content_type, info.size, tag, info.modified_at, cache_control, download_as)

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
    """The object when it was opened, and the bytes asked for."""

    info: ObjectInfo
    chunks: AsyncIterator[bytes]


OpenRange = Callable[[ByteRange | None], AbstractAsyncContextManager[OpenedObject]]


class PlannedResponse(Response):
    """Carries out a plan. It opens the object before the response begins, so that errors can still be reported."""

    def __init__(self, decided: Plan, it: Representation, open_object: OpenRange) -> None:
        super().__init__(status_code=decided.status, headers=decided.headers)
        if "Content-Length" not in decided.headers:
            del self.headers["Content-Length"]
        self._plan = decided
        self._representation = it
        self._open = open_object

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        if not self._plan.has_body:
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        async with self._open(self._plan.byte_range) as opened:
            if quote_etag(opened.info.etag) != self._representation.etag:
                raise Unavailable("The object has just been replaced; ask again.")
            await send(start)
            async for chunk in opened.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
