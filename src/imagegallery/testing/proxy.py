"""A network that fails: a TCP proxy on loopback that cuts connections where it is told to."""

import random
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream
from attrs import define, frozen


@frozen
class Cut:
    """Where a connection ends: after so many bytes from the client; or, with ``answers``, to it."""

    after: int
    answers: bool = False


# Where each new connection is cut; ``None``: nowhere.
Cuts = Callable[[], Cut | None]

_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: what is under way is lost, and both sides are told


def never() -> Cut | None:
    """A network that works."""
    return None


def by_chance(seed: int, *, share: float, longest: int) -> Cuts:
    """About this ``share`` of connections, each after up to ``longest`` bytes, mostly few; one in four of these loses
    answers instead. A ``seed``, a sequence."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets

    def cut() -> Cut | None:
        if chance.random() >= share:
            return None
        answers = chance.random() < 0.25
        return Cut(int(min(longest, 500 if answers else longest) ** chance.random()), answers)

    return cut


def in_turn(cuts: Iterable[Cut | None]) -> Cuts:
    """The first connection at the first of ``cuts`` and so on; when they are used up, none any more."""
    left = iter(cuts)
    return lambda: next(left, None)


@define
class FailingNetwork:
    """A proxy that runs. ``url`` stands for the server's. ``cuts`` may be replaced meanwhile; ``was_cut`` counts
    connections, and ``carried`` bytes from clients."""

    url: str
    cuts: Cuts
    _host: str
    _port: int
    was_cut: int = 0
    carried: int = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, server_url: str, cuts: Cuts = never) -> AsyncIterator["FailingNetwork"]:
        """A network between clients and the server at ``server_url``, while this is open."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port_here: int = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no SQL here
        network = cls(f"http://127.0.0.1:{port_here}{urlsplit(server_url).path}", cuts, *_address(server_url))
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, network._carry)
            yield network
            tasks.cancel_scope.cancel()

    async def _carry(self, client: SocketStream) -> None:
        """One connection, both ways, until one side is through with it or it is cut."""
        cut = self.cuts()
        up, down = (None, cut.after) if cut and cut.answers else (cut.after if cut else None, None)
        try:
            async with (
                client,
                await anyio.connect_tcp(self._host, self._port) as server,
                anyio.create_task_group() as tasks,
            ):
                tasks.start_soon(self._pump, client, server, up, self._count, tasks.cancel_scope)
                tasks.start_soon(self._pump, server, client, down, _uncounted, tasks.cancel_scope)
        except OSError:
            pass

    async def _pump(
        self,
        source: SocketStream,
        target: SocketStream,
        limit: int | None,
        count: Callable[[int], None],
        scope: anyio.CancelScope,
    ) -> None:
        if await _copy(source, target, limit, count):
            self.was_cut += 1
            _reset(source)
            _reset(target)
        scope.cancel()

    def _count(self, size: int) -> None:
        self.carried += size


async def _copy(source: SocketStream, target: SocketStream, limit: int | None, count: Callable[[int], None]) -> bool:
    """Copy until the end, or until ``limit`` bytes are through: then ``True``."""
    left = limit
    try:
        while left is None or left > 0:
            chunk = await source.receive(_CHUNK if left is None else min(_CHUNK, left))
            await target.send(chunk)
            count(len(chunk))
            if left is not None:
                left -= len(chunk)
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return False
    return True


def _reset(stream: SocketStream) -> None:
    stream.extra(SocketAttribute.raw_socket).setsockopt(  # noqa: S610 - no SQL here
        socket.SOL_SOCKET, socket.SO_LINGER, _RESET
    )


def _uncounted(_: int) -> None:
    """Answers are not counted."""


def _address(url: str) -> tuple[str, int]:
    parsed = urlsplit(url)
    assert parsed.hostname is not None
    assert parsed.port is not None
    return parsed.hostname, parsed.port
