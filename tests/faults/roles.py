"""The processes of a gallery, for the tests here: ``roles.py api PORT``, ``roles.py worker`` or ``roles.py relay``.

Settings come from the environment, and the time: from the file ``TESTS_CLOCK``, or as in real life, on a machine whose
clock is ``TESTS_SKEW`` seconds off.
"""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

import anyio
from granian.constants import Interfaces
from granian.server.embed import Server
from tests.faults import host
from tests.support.clock import SharedClock

from imagegallery import ImageGallery, OpenGallery, Settings, utc_now
from imagegallery_asgi import create_app


def gallery() -> OpenGallery:
    if "TESTS_CLOCK" in os.environ:
        return ImageGallery.open(Settings.from_env(), clock=SharedClock(Path(os.environ["TESTS_CLOCK"])))
    skew = timedelta(seconds=float(os.environ.get("TESTS_SKEW", "0")))
    return ImageGallery.open(Settings.from_env(), local_clock=lambda: utc_now() + skew)


async def api(port: str) -> None:
    app = create_app(gallery(), operations=host.OPERATIONS)
    await Server(app, address="127.0.0.1", port=int(port), interface=Interfaces.ASGI, websockets=False).serve()


async def worker() -> None:
    async with gallery() as opened:
        await opened.server.make_worker().run()


async def relay() -> None:
    async with gallery() as opened:
        await opened.server.relay()


ROLES: Mapping[str, Callable[..., Awaitable[None]]] = {"api": api, "worker": worker, "relay": relay}

if __name__ == "__main__":
    anyio.run(ROLES[sys.argv[1]], *sys.argv[2:])
