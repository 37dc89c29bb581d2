"""Ready-made authentication; a host application usually brings its own."""

import ipaddress
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import jwt as pyjwt
from attrs import frozen
from starlette.requests import Request

from imagegallery import ConfigurationError, Forbidden, Principal, Role
from imagegallery.common.loopback import is_loopback
from imagegallery.http_options import ANY_ORIGIN, parse_origins
from imagegallery_asgi.framework.context import Authenticate, RequestCheck
from imagegallery_asgi.framework.errors import InvalidToken
from imagegallery_asgi.framework.json_schema import JsonSchema
from imagegallery_asgi.framework.openapi import BEARER
from imagegallery_asgi.framework.operations import SAFE_METHODS
from imagegallery_asgi.token_keys import check_key

_OWN_SITES = frozenset({"same-origin", "same-site", "none"})
# In seconds: a `datetime` cannot represent later ones.
_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


@frozen
class SingleUser(RequestCheck):
    """`single_user`."""

    principal: Principal
    origins: frozenset[str]

    def __call__(self, request: Request) -> Principal:
        client = request.client.host if request.client else ""
        if not is_loopback(client) or any(name in request.headers for name in _FORWARDING):
            raise Forbidden("Without sign-in this service answers only on its own machine.")
        if not is_loopback(_requested_host(request)):
            raise Forbidden("Without sign-in this service answers only to localhost and loopback addresses.")
        self.check(request, is_safe=request.method in SAFE_METHODS)
        return self.principal

    def check(self, request: Request, *, is_safe: bool) -> None:
        """Raise `Forbidden` for a name that may be another site's, and for changes by pages of another site."""
        host = _requested_host(request)
        if not (is_loopback(host) or _is_address(host)):
            raise Forbidden("Without sign-in this service answers only to localhost and to addresses.")
        if not (is_safe or self._is_trusted(request.headers)):
            raise Forbidden("Without sign-in this service takes no changes from pages of other sites.")

    def _is_trusted(self, headers: Mapping[str, str]) -> bool:
        """Whether no browser sent it, or a page from this machine or a named origin did."""
        origin = headers.get("origin")
        if origin in self.origins:
            return True
        if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
            return False
        return origin is None or is_loopback(_hostname(origin))


def single_user(owner_id: str = "owner", *, cors_origins: Sequence[str] = ()) -> SingleUser:
    """The user of this machine is ``owner_id``, who is also the administrator; nobody else is served.

    Three things are refused with `Forbidden`: other machines (the client's address), names that other sites point at
    this machine (the ``Host`` header: DNS rebinding), and changes by pages of other sites (``Origin``,
    ``Sec-Fetch-Site``: any page may post to 127.0.0.1), except for the ``cors_origins``. Raises `ConfigurationError` at
    once for an invalid origin, and for ``*``.
    """
    if ANY_ORIGIN in cors_origins:
        raise ConfigurationError("Without sign-in name the origins of pages: * would open this gallery to every site.")
    return SingleUser(Principal.user(owner_id, role=Role.ADMIN), frozenset(parse_origins(cors_origins)))


def security_schemes_of(authenticate: Authenticate) -> Mapping[str, JsonSchema]:
    """How it knows users, for the description: one alone does not sign in; for all others it is a bearer token."""
    return {} if isinstance(authenticate, SingleUser) else BEARER


def _is_address(host: str) -> bool:
    """No name leads to an address, so no other site's does. Probes of old protocols send no host at all."""
    try:
        return not host or bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _requested_host(request: Request) -> str:
    header = request.headers.get("Host")
    return _hostname(f"//{header}") or "unnamed" if header else ""


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def jwt(
    key: str,
    algorithms: Sequence[str] = ("HS256",),
    *,
    audience: str | None = None,
    issuer: str | None = None,
    leeway_seconds: float = 10,
    role_claim: str | None = None,
    groups_claim: str = "groups",
) -> Authenticate:
    """Bearer tokens (RFC 6750, RFC 7519): the subject is the user; without a token it is a visitor.

    ``role_claim`` names the claim with the user's role, or with a list of roles of which the greatest that we know
    counts (``member``, ``moderator``, ``admin``); without it, and for anything else, they are a member. The claim
    ``email`` is theirs if ``email_verified`` is true (OpenID Connect Core section 5.1).

    Every token must expire. ``key`` is the shared secret or a public key (PEM). Raises `InvalidToken` for a token that
    is not valid now, and `ConfigurationError` at once for a key that is weak or does not fit the algorithms.
    """
    check_key(key, algorithms)
    if audience == "" or issuer == "":
        raise ConfigurationError("The audience and the issuer of tokens must not be empty: leave them out.")

    def authenticate(request: Request) -> Principal | None:
        token = _bearer_token(request.headers.get("Authorization"))
        if token is None:
            return None
        try:
            claims = pyjwt.decode(
                token,
                key,
                algorithms=list(algorithms),
                audience=audience,
                issuer=issuer,
                leeway=leeway_seconds,
                options={"require": ["exp", "sub"]},
            )
        except (pyjwt.InvalidTokenError, OverflowError) as error:  # the latter for an ``exp`` of Infinity
            raise InvalidToken("The token is not valid, or not any more.") from error
        expires_at = datetime.fromtimestamp(min(int(claims["exp"]), _LATEST), UTC)
        role = Role.MEMBER if role_claim is None else _role(claims.get(role_claim))
        return _user(claims["sub"], expires_at, role, _emails(claims), _texts(claims.get(groups_claim)))

    return authenticate


_ROLES: Mapping[str, Role] = {each.name.lower(): each for each in Role}


def _role(claim: object) -> Role:
    """The greatest role that the claim names."""
    return max((_ROLES.get(each, Role.MEMBER) for each in _texts(claim)), default=Role.MEMBER)


def _emails(claims: Mapping[str, object]) -> Sequence[str]:
    """The verified address, if there is one. Some issuers write the truth as text."""
    return _texts(claims.get("email"))[:1] if claims.get("email_verified") in (True, "true") else ()


def _texts(claim: object) -> Sequence[str]:
    """A text, or the texts of a list."""
    each = claim if isinstance(claim, list) else [claim]
    return [text for text in each if isinstance(text, str) and text]


def _bearer_token(header: str | None) -> str | None:
    """The token, or ``None`` without a header. Raises `InvalidToken` for another scheme."""
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken("Send Authorization: Bearer followed by a token.")
    return token.strip()


def _user(subject: object, expires_at: datetime, role: Role, emails: Sequence[str], groups: Sequence[str]) -> Principal:
    """Raise `InvalidToken` for an impossible user id: the token's sender or issuer has chosen it."""
    if not isinstance(subject, str):
        raise InvalidToken("The token names no user.")
    try:
        return Principal.user(subject, expires_at=expires_at, role=role, emails=emails, groups=groups)
    except ValueError as error:
        raise InvalidToken("The token names no user.") from error
