"""A store that has bad days: an HTTP proxy on loopback that refuses requests, or stops in the middle of answers.

It understands as much of HTTP as that takes, and passes on one request a connection; what a client signed stays valid,
its ``Host`` included.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream
from attrs import define, field, frozen

_CHUNK = 64 * 1024
_END_OF_HEAD = b"\r\n\r\n"


@frozen
class Asked:
    """``copies``: it is a copy of another object, or of a part of one."""

    method: str
    path: str
    copies: bool


@frozen
class Refuse:
    """Answer so, in S3's form, instead of the store (API reference, "Error responses")."""

    status: int = 503
    code: str = "SlowDown"


@frozen
class Stall:
    """Pass on ``after`` bytes of the answer, and the rest once ``until`` is set."""

    after: int
    until: anyio.Event


Mood = Callable[[Asked], Refuse | Stall | None]


def well(_: Asked) -> None:
    """A good day."""


def for_the_first(count: int, mood: Mood) -> Mood:
    """``mood``, for the first ``count`` requests that it would have treated badly."""
    left = count

    def decide(asked: Asked) -> Refuse | Stall | None:
        nonlocal left
        decided = mood(asked)
        if decided is None or left == 0:
            return None
        left -= 1
        return decided

    return decide


@define
class BadStore:
    """A proxy that runs. ``url`` stands for the store's; ``mood`` may be replaced meanwhile; ``spoilt`` lists the
    requests that were not just passed on."""

    url: str
    mood: Mood = well
    spoilt: list[Asked] = field(factory=list)

    @classmethod
    @asynccontextmanager
    async def before(cls, store_url: str) -> AsyncIterator["BadStore"]:
        """Between clients and the store at ``store_url``, while this is open."""
        store = urlsplit(store_url)
        assert store.hostname is not None
        assert store.port is not None
        host, port = store.hostname, store.port
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port_here: int = listener.extra(SocketAttribute.local_port)
        bad = cls(f"http://127.0.0.1:{port_here}")
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, lambda client: bad._serve(client, host, port))
            yield bad
            tasks.cancel_scope.cancel()

    async def _serve(self, client: SocketStream, host: str, port: int) -> None:
        try:
            async with client:
                head, rest = await _head(client)
                asked = _parsed(head)
                decided = self.mood(asked)
                if decided is not None:
                    self.spoilt.append(asked)
                if isinstance(decided, Refuse):
                    await _refuse(client, head, rest, decided)
                else:
                    await _pass_on(client, head, rest, host, port, decided)
        except* (OSError, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # whoever went away knows


async def _head(client: SocketStream) -> tuple[bytes, bytes]:
    """The head of a request, and what came of its body with it."""
    read = b""
    while _END_OF_HEAD not in read:
        read += await client.receive(_CHUNK)
    head, _, rest = read.partition(_END_OF_HEAD)
    return head, rest


def _parsed(head: bytes) -> Asked:
    method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    return Asked(method, path, _header(head, b"x-amz-copy-source") is not None)


def _header(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip()
    return None


async def _refuse(client: SocketStream, head: bytes, rest: bytes, how: Refuse) -> None:
    """Once the body is read: who still sends would take the end of the connection for a broken one."""
    if _header(head, b"expect") is None:
        left = int(_header(head, b"content-length") or 0) - len(rest)
        while left > 0:
            left -= len(await client.receive(_CHUNK))
    body = b"" if head.startswith(b"HEAD ") else f"<Error><Code>{how.code}</Code></Error>".encode()
    await client.send(
        f"HTTP/1.1 {how.status} Refused\r\nContent-Type: application/xml\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )


async def _pass_on(client: SocketStream, head: bytes, rest: bytes, host: str, port: int, stall: Stall | None) -> None:
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    async with await anyio.connect_tcp(host, port) as store, anyio.create_task_group() as tasks:
        await store.send(b"\r\n".join([*kept, b"Connection: close"]) + _END_OF_HEAD + rest)
        tasks.start_soon(_pump, client, store)
        await _answer(store, client, stall)
        tasks.cancel_scope.cancel()


async def _answer(store: SocketStream, client: SocketStream, stall: Stall | None) -> None:
    passed = 0
    async for chunk in store:
        if stall is not None and passed + len(chunk) > stall.after:
            await client.send(chunk[: max(stall.after - passed, 0)])
            await stall.until.wait()
            await client.send(chunk[max(stall.after - passed, 0) :])
            stall = None
        else:
            await client.send(chunk)
        passed += len(chunk)


async def _pump(source: SocketStream, target: SocketStream) -> None:
    try:
        async for chunk in source:
            await target.send(chunk)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        pass
