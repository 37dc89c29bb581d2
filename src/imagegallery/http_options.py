"""How the HTTP service recognises clients, and how patient it is. Pure.

`imagegallery_asgi` uses these options; they are here so that all settings are read, checked and described in one place.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network

import typed_settings
from attrs import field, fields, frozen
from attrs.validators import and_, ge, gt, le

from imagegallery.errors import ConfigurationError

Network = IPv4Network | IPv6Network

ANY_ORIGIN = "*"
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]++|\[[0-9a-f:.]++\])(?::[0-9]{1,5})?")
_COUNT = and_(ge(1), le(10**9 - 1))


def _text(given: str | None) -> str | None:
    return None if given is None else given.strip()


def _stripped_text(given: str) -> str:
    return given.strip()


def _secret(given: str | None) -> typed_settings.SecretStr | None:
    return None if given is None else typed_settings.SecretStr(given.strip())


def _stripped(given: str | Iterable[str]) -> tuple[str, ...]:
    """Texts, from one text with commas."""
    return tuple(each.strip() for each in (given.split(",") if isinstance(given, str) else given))


def stripped_names(given: str | Iterable[str]) -> tuple[str, ...]:
    """The same without empty ones, such as between two commas."""
    return tuple(filter(None, _stripped(given)))


def parse_origins(origins: Iterable[str]) -> tuple[str, ...]:
    """Each as a browser sends it: scheme, host, port. Raises `ConfigurationError` for anything else."""
    for origin in origins:
        if origin != ANY_ORIGIN and not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(f"Not an origin of pages (https://photos.example): {origin!r}")
    return tuple(origins)


def parse_networks(names: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks in CIDR notation. Raises `ConfigurationError` for anything else."""
    try:
        return tuple(ip_network(name) for name in names)
    except ValueError as error:
        raise ConfigurationError(f"A trusted proxy is an address or a network: {error}.") from error


@frozen
class ClientLimits:
    """Limits for slow clients.

    A client stalls if it sends nothing of a body, or takes nothing of a response, for ``stall``; a body that comes with
    less than ``least_rate`` bytes a second on average stalls, too. At most ``bodies`` are received at once, and of them
    ``bodies_per_address`` from one address (of IPv6, one network of 64 bits).
    """

    stall: timedelta = field(default=timedelta(seconds=30), validator=and_(gt(timedelta(0)), le(timedelta(days=365))))
    least_rate: int = field(default=500, validator=_COUNT)
    bodies: int = field(default=4_000, validator=_COUNT)
    bodies_per_address: int = field(default=250, validator=_COUNT)


@frozen
class JwtOptions:
    """Bearer tokens identify the users of `imagegallery serve`. Without a ``key`` it only serves this machine.

    ``key`` verifies them: a secret as long as the hash (32 bytes for HS256), or a public key (PEM). ``algorithms`` are
    the accepted ones, of one kind (``RS256,PS256``, ``ES256``, ``EdDSA``, … with a public key). A token must have the
    ``audience`` and the ``issuer``, if they are set. ``role_claim`` is the claim with the user's role, or several:
    ``member``, ``moderator`` or ``admin``; anything else is a member, as everybody is without it. ``groups_claim`` is
    that with the groups that shares may name. An ``email`` counts if ``email_verified`` says so. ``sign_in_url`` is
    where people get a token, for the page: it has a link to it beside the field; ``{next}`` in it stands for the page's
    address.
    """

    key: typed_settings.SecretStr | None = field(default=None, converter=_secret)
    algorithms: tuple[str, ...] = field(default=("HS256",), converter=_stripped)
    audience: str | None = field(default=None, converter=_text)
    issuer: str | None = field(default=None, converter=_text)
    role_claim: str | None = field(default=None, converter=_text)
    groups_claim: str = field(default="groups", converter=_stripped_text)
    sign_in_url: str | None = field(default=None, converter=_text)

    def __attrs_post_init__(self) -> None:
        """An orchestrator that lost a secret must not leave the service without sign-in."""
        given = {
            f"IMAGEGALLERY_JWT_{each.name.upper()}": getattr(self, each.name)
            for each in fields(JwtOptions)
            if getattr(self, each.name) != each.default
        }
        if empty := [name for name, value in given.items() if not value or value == ("",)]:
            raise ConfigurationError(f"{', '.join(empty)}: set but empty. Give it a value, or unset it.")
        if given and self.key is None:
            raise ConfigurationError(
                f"{', '.join(given)} without IMAGEGALLERY_JWT_KEY: there is no sign-in without a key."
            )
