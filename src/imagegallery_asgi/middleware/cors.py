"""Pages of other origins that may use the API from a browser: the Fetch standard's CORS protocol, by Starlette."""

from collections.abc import Callable, Sequence

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imagegallery.http_options import ANY_ORIGIN, parse_origins

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MAX_AGE = 7200  # seconds; browsers keep a preflight's answer no longer

# What scripts may read of an answer beyond the few fields that they always may.
EXPOSED = (
    "Location",
    "ETag",
    "Retry-After",
    "X-Request-ID",
    "Content-Disposition",
    "Deprecation",
    "Link",
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Checksum-Algorithm",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Expires",
    "Upload-Concat",
    "Upload-Complete",
    "Upload-Limit",
    "Repr-Digest",
)


class VaryingCors(CORSMiddleware):
    """Starlette's says ``Vary: Origin`` only to pages that it lets in. But a cache that got an answer without it would
    serve that to every page (Fetch, "CORS protocol and HTTP caches"), so here every answer says it.

    A preflight is answered here, so what every answer is to have is put ``around`` it here."""

    def __init__(self, app: ASGIApp, origins: Sequence[str], around: Callable[[ASGIApp], ASGIApp]) -> None:
        super().__init__(
            app,
            allow_origins=parse_origins(origins),
            allow_methods=_METHODS,
            allow_headers=["*"],
            allow_credentials=ANY_ORIGIN not in origins,
            expose_headers=EXPOSED,
            max_age=_MAX_AGE,
        )
        self._preflight = around(self._varying)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_preflight = scope["type"] == "http" and scope["method"] == "OPTIONS" and _asks_first(scope)
        await (self._preflight if is_preflight else self._varying)(scope, receive, send)

    async def _varying(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def varying(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "origin" not in headers.get("Vary", "").lower():
                    headers.add_vary_header("Origin")
            await send(message)

        await super().__call__(scope, receive, varying)


def _asks_first(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return names >= {b"origin", b"access-control-request-method"}


def cors(origins: Sequence[str], around: Callable[[ASGIApp], ASGIApp]) -> list[Middleware]:
    """Nothing without origins. Those that are named may send credentials (cookies); with ``*`` nobody may."""
    return [Middleware(VaryingCors, origins=origins, around=around)] if origins else []
