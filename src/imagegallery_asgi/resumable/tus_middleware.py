"""What tus needs around every request: its version, and overridden methods.

Clients are given this address with or without a slash at its end, and add one to the ``Location``: both lead to the
same place.
"""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegallery_asgi.framework.context import API_PREFIX, error_headers_of
from imagegallery_asgi.framework.errors import UnsupportedVersion
from imagegallery_asgi.framework.headers import media_type
from imagegallery_asgi.resumable.common import TUS_HEADER
from imagegallery_asgi.resumable.tus_wire import MEDIA_TYPE, VERSION

# Where uploads begin, and both addresses of one; also below a share's link.
_OURS = re.compile(re.escape(API_PREFIX) + r"(?:/s/[^/]++)?/uploads/(?:[^/]++/resumable|resumable(?:/[^/]*+)?)/?")
_METHOD = re.compile(r"[A-Za-z]{1,16}")
_TUS_ONLY = ("Upload-Metadata", "Upload-Defer-Length", "Upload-Concat", "Upload-Checksum")
_OVERRIDE = "X-HTTP-Method-Override"


class TusExchange:
    """ASGI middleware inside of the error handling. It only handles requests of tus, at its address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_for_uploads(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        method = _method(scope["method"], headers)
        scope = {**scope, "method": method, "path": scope["path"].rstrip("/")}
        version = headers.get(TUS_HEADER)
        # Section "Tus-Resumable": not for OPTIONS, where the header is ignored.
        if method == "OPTIONS" or (version is None and not _speaks_tus(headers)):
            await self._app(scope, receive, send)
            return
        error_headers = error_headers_of(scope)
        error_headers[TUS_HEADER] = VERSION
        if version != VERSION:
            error_headers["Tus-Version"] = VERSION
            raise UnsupportedVersion(f"This service speaks tus {VERSION}.")

        async def send_versioned(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[TUS_HEADER] = VERSION
            await send(message)

        await self._app(scope, receive, send_versioned)


def _is_for_uploads(scope: Scope) -> bool:
    root: str = scope.get("root_path", "")
    return _OURS.fullmatch(scope["path"].removeprefix(root.rstrip("/"))) is not None


def _speaks_tus(headers: Headers) -> bool:
    """Whether a request without a version is of tus all the same: it has fields that the draft does not, or common
    ones without the one field that the draft always sends."""
    if media_type(headers.get("Content-Type")) == MEDIA_TYPE or any(name in headers for name in _TUS_ONLY):
        return True
    return "Upload-Length" in headers and "Upload-Complete" not in headers


def _method(method: str, headers: Headers) -> str:
    """Section "X-HTTP-Method-Override": that method counts, for clients that cannot send it."""
    override = headers.get(_OVERRIDE, "")
    return override.upper() if _METHOD.fullmatch(override) else method
