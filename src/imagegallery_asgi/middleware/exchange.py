"""What surrounds every request, as plain ASGI: its id, its measure, its safety headers, and a net for errors."""

import logging
import time
from contextlib import suppress
from http import HTTPStatus

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegallery import ConfigurationError, ImageGalleryError, Unavailable, new_id
from imagegallery.errors import Overloaded
from imagegallery_asgi.framework.context import EXCHANGE, REQUEST_ID, Exchange
from imagegallery_asgi.framework.errors import BodyStalled, HeadTooLarge, InternalError, problem_response, row_of
from imagegallery_asgi.framework.headers import request_id
from imagegallery_asgi.framework.metrics import Metrics

logger = logging.getLogger("imagegallery_asgi")

MAX_HEAD_BYTES = 32 * 1024
_DISCARD_BYTES = 8_000_000
_DISCARD_SECONDS = 2.0
# Nothing we answer is a page: not HTML by accident, not framed, no address handed on (signed URLs are secrets).
SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}


class AnswerStalled(Exception):
    """Nobody takes the rest of the answer."""


class Exchanges:
    """The outermost: gives the request its id, which every answer carries, and measures it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        exchange = Exchange(request_id(headers.get(REQUEST_ID)) or str(new_id()), unread=_has_body(headers))
        scope[EXCHANGE] = exchange

        async def receive_watched() -> Message:
            message = await receive()
            exchange.unread = message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                answered = MutableHeaders(scope=message)
                answered[REQUEST_ID] = exchange.request_id
                if exchange.unread and scope["http_version"] == "1.1":
                    # What is left of the body would be taken for the next request (RFC 9112 section 9.3).
                    answered["Connection"] = "close"
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive_watched, send_marked)
        finally:
            # A server ends a connection with an unread body when nothing holds its request any more. The traceback of
            # an error holds all that it passed, until the garbage collector comes: these two must not be in there.
            receive, send = _nothing_more, _to_nobody
            seconds = time.perf_counter() - started
            self._metrics.answered(_method(scope), exchange.route, exchange.status, seconds)


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}


async def _to_nobody(_message: Message) -> None:
    """An exchange that has ended takes no messages."""


class SafetyHeaders:
    """Headers for every answer, unless the answer has its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFETY.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely)


class HeadLimit:
    """Refuses requests whose head has more than `MAX_HEAD_BYTES`, before anything in it is looked at closely."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _head_bytes(scope) > MAX_HEAD_BYTES:
            raise HeadTooLarge(f"Address and headers together may have at most {MAX_HEAD_BYTES:,} bytes.")
        await self._app(scope, receive, send)


def _head_bytes(scope: Scope) -> int:
    """As on the wire, but for a few bytes: a colon, a blank and a line end with each field."""
    fields = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    return len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) + fields


class ErrorNet:
    """Every error becomes a problem document; one we did not raise on purpose is logged and told as little.

    When the answer has begun it is too late for that: the error goes on, so that the server breaks the
    connection and the client sees that its copy is not whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange: Exchange = scope[EXCHANGE]
        try:
            await self._app(scope, receive, send)
        except Exception as raised:
            error = _root(raised)
            if isinstance(error, AnswerStalled):
                logger.info("request %s (%s): its client does not take the answer", exchange.request_id, exchange.route)
                return
            if exchange.status:
                raise
            if isinstance(error, ClientDisconnect):
                await _answer_nobody(exchange, scope, receive, send)
                return
            # A client that expects a word sends nothing until we read; one that stalled, nothing at all.
            if "Expect" not in Headers(scope=scope) and not isinstance(error, BodyStalled):
                await _discard_rest(exchange, receive)
            response = problem_response(
                _presentable(error, exchange),
                exchange.request_id,
                exchange.error_headers,
                tells_message=exchange.tells_message,
            )
            await response(scope, receive, send)


class StartFailure:
    """Reports a known reason of a failed start in one line, instead of a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                held.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, hold)
        except Exception as raised:
            error = _root(raised)
            for message in held:
                if isinstance(error, ImageGalleryError):
                    await send({**message, "message": error.full_message})
                    return
                await send(message)
            raise


def _root(error: Exception) -> Exception:
    """The error inside task groups that only one task failed in."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _presentable(error: Exception, exchange: Exchange) -> ImageGalleryError:
    """The error itself if it is one of ours for clients; anything else is logged and becomes one that tells little.

    Settings that stopped working (credentials that expired, a bucket that is gone) are put right by those who run the
    service: until then, clients had better try again.
    """
    if isinstance(error, ConfigurationError):
        logger.error("request %s (%s) failed: %s", exchange.request_id, exchange.route, error.full_message)
        return Unavailable("A part of this service cannot be used at the moment; try again later.")
    if isinstance(error, Unavailable):
        # Who is refused because too much comes at once must not fill the log.
        level = logging.INFO if isinstance(error, Overloaded) else logging.WARNING
        logger.log(level, "request %s (%s) failed: %s", exchange.request_id, exchange.route, error.full_message)
    if isinstance(error, ImageGalleryError) and row_of(type(error)).status != HTTPStatus.INTERNAL_SERVER_ERROR:
        return error
    logger.error("request %s (%s) failed", exchange.request_id, exchange.route, exc_info=error)
    return InternalError("internal error")


async def _discard_rest(exchange: Exchange, receive: Receive) -> None:
    """Read on for a moment: clients that still send would see a broken connection in place of the answer."""
    discarded = 0
    with anyio.move_on_after(_DISCARD_SECONDS):
        while exchange.unread and discarded < _DISCARD_BYTES:
            message = await receive()
            discarded += len(message.get("body", b""))


async def _answer_nobody(exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
    """The client went away in the middle of its request. Servers want some answer all the same."""
    logger.info("request %s (%s) was broken off by the client", exchange.request_id, exchange.route)
    with suppress(OSError):
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def _has_body(headers: Headers) -> bool:
    return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers


def _method(scope: Scope) -> str:
    """Known methods only: the label must not be the client's to choose."""
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"
