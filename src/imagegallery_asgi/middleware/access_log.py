"""One line a request, for operators: ``imagegallery_asgi.access`` at the level INFO.

Without queries, and without the tokens of signed URLs and of links: readers of logs must not get them.
"""

import logging
import re
import time
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegallery_asgi.framework.context import REQUEST_ID

logger = logging.getLogger("imagegallery_asgi.access")

_OBJECTS = "/objects/"
# A link's address, and that of its page.
_LINK = re.compile(r"(/s/)[^/]++")
# Ours are shorter; requests for other addresses must not fill the log.
_MAX_PATH = 200


class AccessLog:
    """The outermost ASGI middleware; costs nothing while nobody listens."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not logger.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status, request_id, size = 0, "-", 0

        async def send_noted(message: Message) -> None:
            nonlocal status, request_id, size
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = Headers(raw=message["headers"]).get(REQUEST_ID, "-")
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            milliseconds = (time.perf_counter() - started) * 1_000
            asked = f"{scope['method'][:20]} {shown_path(scope['path'])}"
            client = (scope.get("client") or ("-",))[0]
            logger.info("%s %s %d %d B %.1f ms %s", client, asked, status, size, milliseconds, request_id)


def shown_path(path: str) -> str:
    """The path on one line, as far as it is of use, without the token of a signed URL or of a link."""
    before, objects, _ = path.partition(_OBJECTS)
    shown = f"{before}{objects}"[:_MAX_PATH]
    written = quote(shown, safe="/:@!$&'()*+,;=~")
    return _LINK.sub(r"\1…", written) + ("" if shown == path else "…")
