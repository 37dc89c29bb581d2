"""The short way to a cached page: no routing, no parsing, one pass over the headers.

It remembers the addresses of cached pages. A request for one is authenticated and authorized as always. Only if the
page is there, fresh and visible to the principal, it is sent from here. In any other case, also after an error, the
request goes the long way, as if nothing had been tried.
"""

import logging
import time

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from imagegallery import ImageGalleryError, new_id
from imagegallery.galleries.pages import CachedPage, PageTicket
from imagegallery_asgi.api.pages import PRIVATE, SHARED, page_tag
from imagegallery_asgi.framework.context import REQUEST_ID, Host, client_address
from imagegallery_asgi.framework.headers import has_tag, request_id
from imagegallery_asgi.middleware.exchange import SAFETY

logger = logging.getLogger("imagegallery_asgi")

_RawHeaders = dict[bytes, bytes]
# Signs of a body, which somebody would have to read, and of a condition that is hardly ever sent with GET.
_NOT_FOR_HERE = frozenset((b"content-length", b"transfer-encoding", b"if-match"))


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_ALWAYS = _raw(SAFETY)
_CACHING = {True: _raw(SHARED), False: _raw(PRIVATE)}
_REQUEST_ID = REQUEST_ID.lower().encode()


class Shortcut:
    """ASGI middleware in front of all that a request goes through otherwise."""

    def __init__(self, app: ASGIApp, host: Host) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = self._host.known.find(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if known is not None:
            started = time.perf_counter()
            headers: _RawHeaders = {}
            for name, value in scope["headers"]:  # several lines of a field are one (RFC 9110 section 5.3)
                headers[name] = headers[name] + b", " + value if name in headers else value
            page = await self._find(scope, headers, known.ticket)
            if page is not None:
                status = await _send(page, page_tag(page, is_record=known.is_record), headers, send)
                self._host.metrics.paged(page.result, began_refresh=False)
                self._host.metrics.answered("GET", known.route, status, time.perf_counter() - started)
                return
        await self._app(scope, receive, send)

    async def _find(self, scope: Scope, headers: _RawHeaders, ticket: PageTicket) -> CachedPage | None:
        if not _NOT_FOR_HERE.isdisjoint(headers):
            return None
        request = Request(scope)
        try:
            principal = await self._host.principal_of(request)
            gallery = self._host.gallery_for(request)
            page = await gallery.server.pages.find(principal, ticket)
            if page is not None:
                await gallery.server.rates.admit_request(principal, client_address(request))
            return page
        except ImageGalleryError:
            return None  # the long way meets the error, too, and reports it properly
        except Exception:
            logger.exception("a kept page could not be sent, and the request goes the long way")
            return None


async def _send(page: CachedPage, etag: str, headers: _RawHeaders, send: Send) -> int:
    """Send the page and return the status."""
    has_it = has_tag(_text(headers.get(b"if-none-match")), etag)
    mark = request_id(_text(headers.get(_REQUEST_ID))) or str(new_id())
    body = b"" if has_it else page.body
    about = [] if has_it else [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    own = [(b"etag", etag.encode()), (_REQUEST_ID, mark.encode())]
    status = 304 if has_it else 200
    start = [*own, *_CACHING[page.is_shared], *about, *_ALWAYS]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
    return status


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
