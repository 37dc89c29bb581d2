"""A network that fails: a TCP proxy on loopback that cuts connections where it is told to."""

import random
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream
from attrs import define, field, frozen


@frozen
class Cut:
    """Where a connection ends: after so many bytes from the client; or, with ``answers``, to it."""

    after: int
    answers: bool = False


# Where each new connection is cut; ``None``: nowhere.
Cuts = Callable[[], Cut | None]

# Whether the answer to a request, named by its method and path, is lost: the server has done as it was asked.
Loses = Callable[[str], bool]

_CHUNK = 64 * 1024
_REQUEST = re.compile(rb"([A-Z]{3,7} [^ ?]{1,2000}+)(?:\?[^ ]{0,8000}+)? HTTP/1\.1\r\n")
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: what is under way is lost, and both sides are told


def never() -> Cut | None:
    """A network that works."""
    return None


def by_chance(seed: int, *, share: float, longest: int) -> Cuts:
    """About this ``share`` of connections, each after up to ``longest`` bytes, mostly few; one in four of these loses
    answers instead. A ``seed``, a sequence."""
    chance = random.Random(seed)

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


def never_lost(_: str) -> bool:
    """A network that brings every answer."""
    return False


def each_once(*kinds: str) -> Loses:
    """The first answer to each kind of request, each a pattern of method and path (`re.fullmatch`)."""
    left = set(kinds)

    def loses(request: str) -> bool:
        found = next((kind for kind in left if re.fullmatch(kind, request)), None)
        left.discard(found or "")
        return found is not None

    return loses


@define
class FailingNetwork:
    """A proxy that runs. ``url`` stands for the server's. ``cuts`` and ``loses`` may be replaced meanwhile; ``was_cut``
    counts connections, ``carried`` bytes from clients, and ``lost`` names the requests whose answers were lost."""

    url: str
    cuts: Cuts
    _host: str
    _port: int
    was_cut: int = 0
    carried: int = 0
    loses: Loses = never_lost
    lost: list[str] = field(factory=list)

    @classmethod
    @asynccontextmanager
    async def before(cls, server_url: str, cuts: Cuts = never) -> AsyncIterator["FailingNetwork"]:
        """A network between clients and the server at ``server_url``, while this is open."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port_here: int = listener.extra(SocketAttribute.local_port)
        network = cls(f"http://127.0.0.1:{port_here}{urlsplit(server_url).path}", cuts, *_address(server_url))
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, network._carry)
            yield network
            tasks.cancel_scope.cancel()

    async def _carry(self, client: SocketStream) -> None:
        """One connection, both ways, until one side is through with it or it is cut."""
        cut = self.cuts()
        up, down = (None, cut.after) if cut and cut.answers else (cut.after if cut else None, None)
        asked = _Asked(self)
        try:
            async with (
                client,
                await anyio.connect_tcp(self._host, self._port) as server,
                anyio.create_task_group() as tasks,
            ):
                tasks.start_soon(self._pump, client, server, up, asked.hear, tasks.cancel_scope)
                tasks.start_soon(self._pump, server, client, down, asked.answer, tasks.cancel_scope)
        except* OSError:
            pass  # from one of its two directions, or from connecting: this connection is over, the network is not

    async def _pump(
        self,
        source: SocketStream,
        target: SocketStream,
        limit: int | None,
        look: Callable[[bytes], bool],
        scope: anyio.CancelScope,
    ) -> None:
        if await _copy(source, target, limit, look):
            self.was_cut += 1
            _reset(source)
            _reset(target)
        scope.cancel()


@define
class _Asked:
    """What one connection carries. Clients do not send a request before the answer to the last has come."""

    network: FailingNetwork
    _lost: str | None = None

    def hear(self, chunk: bytes) -> bool:
        self.network.carried += len(chunk)
        if request := _REQUEST.match(chunk):
            name = request[1].decode("latin-1")
            self._lost = name if self.network.loses(name) else None
        return True

    def answer(self, _: bytes) -> bool:
        """Whether it may pass."""
        if self._lost is not None:
            self.network.lost.append(self._lost)
        return self._lost is None


async def _copy(source: SocketStream, target: SocketStream, limit: int | None, look: Callable[[bytes], bool]) -> bool:
    """Copy until the end; or until ``limit`` bytes are through, or ``look`` lets no more pass: then ``True``."""
    left = limit
    try:
        while left is None or left > 0:
            chunk = await source.receive(_CHUNK if left is None else min(_CHUNK, left))
            if not look(chunk):
                return True
            await target.send(chunk)
            if left is not None:
                left -= len(chunk)
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return False
    return True


def _reset(stream: SocketStream) -> None:
    with suppress(OSError):  # its peer was quicker
        stream.extra(SocketAttribute.raw_socket).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _address(url: str) -> tuple[str, int]:
    parsed = urlsplit(url)
    assert parsed.hostname is not None
    assert parsed.port is not None
    return parsed.hostname, parsed.port
