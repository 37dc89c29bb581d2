"""Connections that take nothing are ended by the kernel, where it can be told so."""

import socket
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from imagegallery_asgi.sockets import bound_silence, bounding_silence

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told so")
LIMIT = timedelta(seconds=7)
OPEN_FILES = Path("/proc/self/fd")


def silence_of(one: socket.socket) -> int:
    return one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_connections_have_it_from_the_socket_that_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as ours:
        before = sorted(OPEN_FILES.iterdir())
        bound_silence(LIMIT)
        assert sorted(OPEN_FILES.iterdir()) == before, "nothing is left open"
        assert silence_of(listening) == 7_000
        with socket.create_connection(listening.getsockname()):
            listening.accept()[0].close()  # from before
            with listening.accept()[0] as theirs:
                assert silence_of(theirs) == 7_000
        assert silence_of(ours) == 0, "connections that we made are not touched"


async def test_a_server_may_begin_to_listen_later() -> None:
    async with bounding_silence(LIMIT):
        await anyio.sleep(0)
        with socket.create_server(("127.0.0.1", 0)) as listening, anyio.fail_after(30):
            while not silence_of(listening):
                await anyio.sleep(0.001)
