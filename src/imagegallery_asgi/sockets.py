"""End connections whose client receives nothing, by the kernel: the server would wait for them forever.

A listening socket can have the option: accepted ones inherit it. Linux only; elsewhere nothing is done.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

_OPEN_FILES: Final = Path("/proc/self/fd")
# A server opens its sockets soon after its application has started.
_POLL_SECONDS: Final = 0.1
_POLLS: Final = 100


@asynccontextmanager
async def bounding_silence(limit: timedelta) -> AsyncIterator[None]:
    """End connections of this process that receive nothing for ``limit``, from when the server listens."""
    task = asyncio.create_task(_bound_when_listening(limit))
    try:
        yield
    finally:
        task.cancel()


async def _bound_when_listening(limit: timedelta) -> None:
    for _ in range(_POLLS):
        await asyncio.to_thread(bound_silence, limit)
        await asyncio.sleep(_POLL_SECONDS)


def bound_silence(limit: timedelta) -> None:
    """Set it (RFC 5482) for all sockets of this process that listen for TCP."""
    milliseconds = round(limit.total_seconds() * 1000)
    for listening in _listening():
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


def _listening() -> Iterator[socket.socket]:
    if not hasattr(socket, "TCP_USER_TIMEOUT") or not _OPEN_FILES.is_dir():
        return
    for file in _OPEN_FILES.iterdir():
        # Other tasks of this process close theirs meanwhile.
        with suppress(OSError):
            if str(file.readlink()).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(file.name))) as found:
                    is_tcp = found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM
                    if is_tcp and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                        yield found
