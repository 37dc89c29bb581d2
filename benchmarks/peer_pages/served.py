"""The service with its page, and beside it the pages of others: ``python served.py PORT``.

Settings are in the environment, and in ``PEER_PAGES`` the folder of the others' pages. One process, one address, the
same compression for all.
"""

import os
import sys

from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from imagegallery import ImageGallery, Settings
from imagegallery_asgi import create_app
from imagegallery_asgi.server import serve


def app() -> ASGIApp:
    gallery = ImageGallery.open(Settings.from_env(), worker=True)
    ours = create_app(gallery, page=True)
    files = GZipMiddleware(StaticFiles(directory=os.environ["PEER_PAGES"], check_dir=False))

    async def others(scope: Scope, receive: Receive, send: Send) -> None:
        # The server would send files by itself, and nothing would compress them.
        await files({**scope, "extensions": {}}, receive, send)

    return Starlette(routes=[Mount("/peers", others), Mount("/", ours)], lifespan=gallery.lifespan)


if __name__ == "__main__":
    serve("served:app", port=int(sys.argv[1]))
