"""The API as a host application serves it, for the tests: ``python served.py PORT``, settings from the environment.

It is there twice over one open gallery with a worker: by itself, and mounted at ``/pictures`` of another
application. The header ``X-User`` says who asks: this host trusts its tests.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from imagegallery import ImageGallery, NewImage, Principal, Refused, Settings
from imagegallery_asgi import EVERYTHING, create_app
from imagegallery_asgi.server import closing_on_signals, serve

MOUNT = "/pictures"


def who(request: Request) -> Principal | None:
    user = request.headers.get("X-User")
    return Principal.user(user) if user else None


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, ImageGallery]]:
    async with ImageGallery.open(Settings.from_env()) as gallery, gallery.worker(), closing_on_signals(gallery):
        gallery.policy("listing")(accept)
        yield {"imagegallery": gallery}


def accept(new: NewImage) -> None:
    if new.filename.startswith("face"):
        raise Refused("Your listing may show no faces.", faces=1)
    if new.filename.startswith("bug"):
        raise ZeroDivisionError


def app() -> ASGIApp:
    alone = create_app(
        authenticate=who, lifespan=lifespan, client_limits=Settings.from_env().client, operations=EVERYTHING
    )
    host = Starlette(routes=[Mount(MOUNT, create_app(authenticate=who, operations=EVERYTHING))])

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        mounted = scope["type"] == "http" and scope["path"].startswith(MOUNT)
        await (host if mounted else alone)(scope, receive, send)

    return either


if __name__ == "__main__":
    serve("served:app", port=int(sys.argv[1]))
