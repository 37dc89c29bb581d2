"""From where the current call comes. A server says it once for each request; what is recorded meanwhile has it."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from imagegallery.audit.entry import Origin
from imagegallery.audit.options import AddressForm, AuditOptions

MAX_USER_AGENT: Final = 200
MAX_REQUEST_ID: Final = 100
_current: Final[ContextVar[Callable[[], Origin]]] = ContextVar("imagegallery.audit.origin", default=Origin)


def current_origin() -> Origin:
    """That of the request being answered; an empty one outside of any."""
    return _current.get()()


@contextmanager
def coming_from(origin: Callable[[], Origin]) -> Iterator[None]:
    """While the context is open, what this task and those that it starts record comes from there. ``origin`` is called
    for what is recorded only: most requests record nothing."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def origin_of(
    options: AuditOptions, address: str | None, request_id: str | None = None, user_agent: str | None = None
) -> Origin:
    """What may be kept of where a request comes from."""
    return Origin(_kept(options, address), _short(request_id, MAX_REQUEST_ID), _short(user_agent, MAX_USER_AGENT))


def _kept(options: AuditOptions, address: str | None) -> str | None:
    """An address that is none, such as a socket's name, is not kept in any form."""
    if address is None or options.addresses is AddressForm.NONE:
        return None
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if options.addresses is AddressForm.HASH:
        salt = b"" if options.salt is None else options.salt.encode()
        return hmac.new(salt, parsed.packed, hashlib.sha256).hexdigest()[:32]
    return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


def _short(text: str | None, most: int) -> str | None:
    """Text that PostgreSQL can hold, without what is not printable."""
    return None if text is None else "".join(filter(str.isprintable, text[:most]))
