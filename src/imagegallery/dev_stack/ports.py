"""Free TCP ports on loopback."""

import fcntl
import os
import secrets
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

# Systems choose the ports of outgoing connections from here up.
EPHEMERAL_PORTS = 32_768
_LOWEST_PORT = 10_240
_reservations: dict[int, int] = {}  # by process, as a fork keeps no locks


def free_port(count: int = 1) -> int:
    """Reserve a free port, or the first of ``count`` in a row, for this process.

    It is none of `EPHEMERAL_PORTS`, so that no connection takes it before a server does.
    """
    while True:  # not by `random`, which tests seed
        port = _LOWEST_PORT + secrets.randbelow(EPHEMERAL_PORTS - _LOWEST_PORT - count)
        if all(_reserve(each) and _is_free(each) for each in range(port, port + count)):
            return port


def _reserve(port: int) -> bool:
    """Lock the byte of that number in a file that all processes of this user share, until this process ends."""
    if (file := _reservations.get(os.getpid())) is None:
        path = Path(tempfile.gettempdir(), f"imagegallery-ports-{os.geteuid()}")
        file = _reservations[os.getpid()] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False
