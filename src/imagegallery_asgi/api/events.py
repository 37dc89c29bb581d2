"""Server-sent events (HTML standard, section 9.2) about the user's images and galleries, live.

A client that was away comes back with ``Last-Event-ID``, as browsers do, and misses nothing. A stream lasts no longer
than its authorization: it ends with its token, and access is checked regularly.
"""

import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import anyio
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from imagegallery import Event, ImageGalleryError, Permission, Subscription, Unavailable
from imagegallery.errors import EventsGone, SlowReader
from imagegallery.events.event import DomainEvent
from imagegallery_asgi.api.requests import EventsQuery
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


MEDIA_TYPE = "text/event-stream"
# Proxies close silent connections.
HEARTBEAT_SECONDS = 15.0
# A client that receives nothing for this long has practically gone.
SEND_SECONDS = 30.0
# How often to ask the host whether the listener still has access.
ASK_SECONDS = 15.0
# How long browsers wait before they reconnect.
RETRY_MILLISECONDS = 3000
# Nothing in between may store, alter or buffer the stream (``X-Accel-Buffering``: nginx).
_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
_STREAM = Content(
    MEDIA_TYPE,
    example=(
        "retry: 3000\n: alive\nid: 41\n\n"
        'id: 42\nevent: image.ready\ndata: {"id":"42","type":"image.ready","timestamp":"2026-06-01T12:30:00+00:00",'
        '"data":{"owner_id":"ana","image_id":"01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"}}\n\n'
    ),
)


@operation(
    "GET",
    "/events",
    "What happens to one's images and galleries, as server-sent events; does not end",
    raises=(EventsGone,),
    needs_user=True,
    answers={200: DeclaredAnswer("Events, from now on or after an earlier one.", (_STREAM,))},
    permission=Permission.NONE,
)
async def stream_events(call: Call, query: EventsQuery) -> Response:
    """``Last-Event-ID`` is newer than the address."""
    call.principal.require_user()
    if call.request.method == "HEAD":
        return Response(headers=_HEADERS, media_type=MEDIA_TYPE)
    after = call.request.headers.get("Last-Event-ID") or query.after
    return EventResponse(call, call.gallery.events.subscribe(call.principal, after=after))


class EventResponse(Response):
    """Subscribes before the response begins, so that errors can still be reported; ends when either side does."""

    def __init__(self, call: Call, subscribing: AbstractAsyncContextManager[Subscription]) -> None:
        super().__init__(headers=_HEADERS, media_type=MEDIA_TYPE)
        del self.headers["Content-Length"]
        self._call = call
        self._subscribing = subscribing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._subscribing as events:
            start: Message = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            await send(start)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_end_with_client, receive, tasks.cancel_scope)
                tasks.start_soon(_end_with_access, self._call, events)
                await _send_all(events, send)
                tasks.cancel_scope.cancel()


async def _end_with_client(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _end_with_access(call: Call, events: Subscription) -> None:
    """Return when the token expires, or the host no longer accepts the same request: signed out, removed, or
    unavailable."""
    while (left := _seconds_left(call)) > 0:
        with anyio.move_on_after(left):
            await anyio.sleep(ASK_SECONDS)
            if not await _is_let_in(call):
                break
    events.close()


def _seconds_left(call: Call) -> float:
    expires_at = call.principal.expires_at
    return math.inf if expires_at is None else (expires_at - call.host.clock()).total_seconds()


async def _is_let_in(call: Call) -> bool:
    try:
        return await call.host.ask(call.request) == call.principal
    except ImageGalleryError:
        return False


async def _send_all(events: Subscription, send: Send) -> None:
    """Send until the client is too slow, or the database unavailable: it will reconnect with its last id."""
    try:
        await _send(send, f"retry: {RETRY_MILLISECONDS}\n{beat(events.last_id)}")
        async for block in _blocks(events):
            await _send(send, block)
        last_words = ": the gallery is closing, or who listens has to sign in again\n\n"
    except SlowReader:
        last_words = ": too slow, come back\n\n"
    except (TimeoutError, Unavailable):
        last_words = ""
    with anyio.move_on_after(SEND_SECONDS):
        await send({"type": "http.response.body", "body": last_words.encode()})


async def _blocks(events: Subscription) -> AsyncIterator[str]:
    while True:
        with anyio.move_on_after(HEARTBEAT_SECONDS) as waiting:
            try:
                event = await anext(events)
            except StopAsyncIteration:
                return
        yield beat(events.last_id) if waiting.cancelled_caught else block_of(event)


async def _send(send: Send, block: str) -> None:
    """Send. Raises `TimeoutError`."""
    with anyio.fail_after(SEND_SECONDS):
        await send({"type": "http.response.body", "body": block.encode(), "more_body": True})


def block_of(event: Event[DomainEvent]) -> str:
    """One event. Its JSON has no line ends."""
    return f"id: {event.id}\nevent: {event.type}\ndata: {event.to_json()}\n\n"


def beat(last_id: str) -> str:
    """A block without data is no event for clients, but they remember its id: that of their last event."""
    return f": alive\nid: {last_id}\n\n"
