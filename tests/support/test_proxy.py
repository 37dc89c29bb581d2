"""The networks that fail on purpose do not fail otherwise: whoever hangs up ends a connection, and nothing else."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from tests.support.servers import bad_store, proxy
from tests.support.servers.bad_store import BadStore
from tests.support.servers.proxy import Cut, FailingNetwork

from imagegallery.dev_stack.ports import free_port

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


async def answer(client: SocketStream) -> None:
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        async with client:
            await client.receive()
            await client.send(ANSWER)


@asynccontextmanager
async def networks(port: int | None = None) -> AsyncIterator[tuple[FailingNetwork, BadStore]]:
    """Both, in front of a server that answers whatever it is asked; or of what listens on ``port``."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    server = f"http://127.0.0.1:{port or listener.extra(SocketAttribute.local_port)}"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        with anyio.fail_after(30):
            async with FailingNetwork.before(server) as network, BadStore.before(server) as store:
                yield network, store
        tasks.cancel_scope.cancel()


async def ask(url: str) -> bytes:
    async with await anyio.connect_tcp("127.0.0.1", int(url.rpartition(":")[2])) as stream:
        await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return b"".join([chunk async for chunk in stream])


async def hang_up_on(url: str) -> None:
    """Ask, and reset the connection instead of reading."""
    async with await anyio.connect_tcp("127.0.0.1", int(url.rpartition(":")[2])) as stream:
        await stream.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        stream.extra(SocketAttribute.raw_socket).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, proxy._RESET)


async def failing(*_: object) -> bool:
    raise ConnectionResetError


async def test_who_hangs_up_ends_no_network() -> None:
    async with networks() as (network, store):
        for cut in (None, *(Cut(size, answers) for size in range(0, 40, 3) for answers in (False, True))):
            network.cuts = lambda cut=cut: cut  # type: ignore[misc]
            await hang_up_on(network.url)
            await hang_up_on(store.url)
        network.cuts = proxy.never
        assert await ask(network.url) == await ask(store.url) == ANSWER


async def test_a_direction_that_breaks_ends_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    async with networks() as (network, store):
        with monkeypatch.context() as broken:
            broken.setattr(proxy, "_copy", failing)
            broken.setattr(bad_store, "_answer", failing)
            assert await ask(network.url) == await ask(store.url) == b""
        assert await ask(network.url) == await ask(store.url) == ANSWER


async def test_a_server_that_is_away_ends_no_network() -> None:
    async with networks(free_port()) as (network, store):
        for url in (network.url, store.url) * 2:
            assert await ask(url) == b""


async def test_what_is_closed_already_is_not_reset() -> None:
    async with networks() as (network, _):
        stream = await anyio.connect_tcp("127.0.0.1", int(network.url.rpartition(":")[2]))
        await stream.aclose()
        proxy._reset(stream)
