"""Pages of other origins that may use the API from a browser: the Fetch standard's CORS protocol, by Starlette."""

import re
from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from imagegallery import ConfigurationError

ANY = "*"
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MAX_AGE = 7200  # seconds; browsers keep a preflight's answer no longer

# What scripts may read of an answer beyond the few fields that they always may.
EXPOSED = (
    "Location",
    "ETag",
    "Retry-After",
    "X-Request-ID",
    "Content-Disposition",
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


def parse_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Each as a browser sends it: scheme, host, port. Raises `ConfigurationError` for what is no origin."""
    for origin in origins:
        if origin != ANY and not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(f"Not an origin of pages (https://photos.example): {origin!r}")
    return tuple(origins)


def cors(origins: Sequence[str]) -> list[Middleware]:
    """Nothing without origins. Those that are named may send credentials (cookies); with ``*`` nobody may."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=parse_origins(origins),
            allow_methods=_METHODS,
            allow_headers=["*"],
            allow_credentials=ANY not in origins,
            expose_headers=EXPOSED,
            max_age=_MAX_AGE,
        )
    ]
