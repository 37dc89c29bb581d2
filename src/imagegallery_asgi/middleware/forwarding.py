"""A reverse proxy's headers about the request, trusted only from configured addresses.

Only the ``X-Forwarded-*`` headers, which proxies set by default: with ``Forwarded`` (RFC 7239), clients could lie
through a proxy that sets the former and passes the latter on.
"""

import ipaddress
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from imagegallery.http_options import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_FOR, _HOST, _PROTO, _PREFIX = (f"x-forwarded-{name}" for name in ("for", "host", "proto", "prefix"))
# RFC 3986 section 3.2.2: a name, an IPv4 address or an IPv6 one in brackets; and a port.
_HOST_AND_PORT = re.compile(r"([A-Za-z0-9._-]++|\[[0-9A-Fa-f:.]++\])(:[0-9]{1,5})?")
# Segments of unreserved characters (RFC 3986 section 2.3), none of which is "." or "..".
_PATH_PREFIX = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]++){1,10}")
# No address is longer than 45 characters.
_ADDRESS_AND_PORT = re.compile(r"\[?([0-9A-Fa-f:.]{1,45}?)\]?(?::[0-9]{1,5})?")
# Proxies that a request may come through one after the other: strangers can write such lists too.
_MAX_HOPS = 20


class TrustedProxies:
    """Puts requests that come through trusted proxies back as the client sent them."""

    def __init__(self, app: ASGIApp, networks: tuple[Network, ...]) -> None:
        self._app = app
        self._networks = networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = restored(scope, self._networks)
        await self._app(scope, receive, send)


def restored(scope: Scope, trusted: tuple[Network, ...]) -> Scope:
    """The scope with client, scheme, host and path as the client saw them. Pure.

    It is the same scope if the request does not come from a trusted proxy. What a proxy says that makes no sense
    counts as not said. ``X-Forwarded-Prefix`` is the part of the path that the proxy has cut off.
    """
    client = scope.get("client")
    address = _address(client[0]) if client else None
    if address is None or not _is_trusted(address, trusted):
        return scope
    said = Headers(scope=scope)
    scope = {**scope, "headers": list(scope["headers"])}
    _restore_client(scope, said, trusted)
    _restore_origin(scope, said)
    _restore_path(scope, said)
    _forget(scope)
    return scope


def _restore_client(scope: Scope, said: Headers, trusted: tuple[Network, ...]) -> None:
    """From the right, where the nearest proxy wrote: the first address that is not a proxy of ours."""
    hops = [hop.strip() for hop in ",".join(said.getlist(_FOR)).split(",") if hop.strip()]
    for hop in hops[: -_MAX_HOPS - 1 : -1]:
        address = _address(hop)
        scope["client"] = (str(address), 0) if address else None
        if address is None or not _is_trusted(address, trusted):
            return


def _restore_origin(scope: Scope, said: Headers) -> None:
    scheme = _last(said, _PROTO).lower()
    if scheme in ("http", "https"):
        scope["scheme"] = scheme
    host = _last(said, _HOST)
    if _HOST_AND_PORT.fullmatch(host):
        MutableHeaders(scope=scope)["host"] = host


def _restore_path(scope: Scope, said: Headers) -> None:
    """``path`` includes ``root_path`` (ASGI's HTTP specification), so that both begin with the prefix."""
    prefix = _last(said, _PREFIX).rstrip("/")
    if not _PATH_PREFIX.fullmatch(prefix):
        return
    scope["root_path"] = prefix + scope.get("root_path", "")
    scope["path"] = prefix + scope["path"]
    if scope.get("raw_path") is not None:
        scope["raw_path"] = prefix.encode() + scope["raw_path"]


def _forget(scope: Scope) -> None:
    """What has been taken into account is not there to be judged again."""
    headers = MutableHeaders(scope=scope)
    for name in (_FOR, _HOST, _PROTO, _PREFIX):
        del headers[name]


def _last(said: Headers, name: str) -> str:
    """The value that the nearest proxy set."""
    values = said.getlist(name)
    return values[-1].rpartition(",")[2].strip() if values else ""


def _is_trusted(address: Address, trusted: tuple[Network, ...]) -> bool:
    return any(address in network for network in trusted)


def _address(text: str) -> Address | None:
    """An address, without the port that some proxies add; IPv4 as such when it comes inside IPv6."""
    for candidate in (text, *(match.group(1) for match in [_ADDRESS_AND_PORT.fullmatch(text)] if match)):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        return getattr(address, "ipv4_mapped", None) or address
    return None
