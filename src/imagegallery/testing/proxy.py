"""A network that fails: a TCP proxy on loopback that cuts connections where it is told to."""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream
from attrs import define

# After how many bytes from the client each new connection is cut; ``None``: never.
Cuts = Callable[[], int | None]

_CHUNK = 64 * 1024


def never() -> int | None:
    """A network that works."""
    return None


def by_chance(seed: int, *, share: float, longest: int) -> Cuts:
    """About this ``share`` of connections, each after up to ``longest`` bytes, mostly few. A ``seed``, a sequence."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets

    def cut() -> int | None:
        if chance.random() >= share:
            return None
        return int(longest ** chance.random())

    return cut


def in_turn(offsets: Iterator[int]) -> Cuts:
    """The first connection after the first of ``offsets`` and so on; when they are used up, none any more."""
    return lambda: next(offsets, None)


@define
class FailingNetwork:
    """A proxy that runs. ``url`` stands for the server's; ``cuts`` may be replaced meanwhile; ``was_cut`` counts."""

    url: str
    cuts: Cuts = never
    was_cut: int = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, server_url: str, cuts: Cuts = never) -> AsyncIterator["FailingNetwork"]:
        """A network between clients and the server at ``server_url``, while this is open."""
        server = urlsplit(server_url)
        assert server.hostname is not None
        assert server.port is not None
        host, port = server.hostname, server.port
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port_here: int = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no SQL here
        network = cls(f"http://127.0.0.1:{port_here}{server.path}", cuts)
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, lambda client: network._carry(client, host, port))
            yield network
            tasks.cancel_scope.cancel()

    async def _carry(self, client: SocketStream, host: str, port: int) -> None:
        """One connection, both ways, until one side is through with it or it is cut."""
        left = self.cuts()
        try:
            async with client, await anyio.connect_tcp(host, port) as server, anyio.create_task_group() as tasks:
                tasks.start_soon(_pump, server, client, tasks.cancel_scope)
                # Hard, in both directions: what is under way is lost.
                self.was_cut += await _pump_up_to(client, server, left)
                tasks.cancel_scope.cancel()
        except OSError:
            pass


async def _pump(source: SocketStream, target: SocketStream, scope: anyio.CancelScope) -> None:
    await _pump_up_to(source, target, None)
    scope.cancel()


async def _pump_up_to(source: SocketStream, target: SocketStream, limit: int | None) -> bool:
    """Copy until the end, or until ``limit`` bytes are through: then ``True``."""
    left = limit
    try:
        while left is None or left > 0:
            chunk = await source.receive(_CHUNK if left is None else min(_CHUNK, left))
            await target.send(chunk)
            if left is not None:
                left -= len(chunk)
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return False
    return True
