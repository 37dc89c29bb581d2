"""Ports: whether one is free, and whether the API responds at one."""

import socket

import anyio

from imagegallery.errors import ConfigurationError


def check_free(host: str, port: int) -> None:
    """Raise `ConfigurationError` if nobody can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error


async def answers(host: str, port: int) -> bool:
    """Whether a ready API listens there."""
    try:
        async with await anyio.connect_tcp(host, port) as stream:
            await stream.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return (await stream.receive()).startswith(b"HTTP/1.1 200")
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
        return False
