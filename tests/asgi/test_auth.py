"""Who is let in: the one user of this machine, or the bearer of a token."""

from datetime import UTC, datetime, timedelta

import jwt as pyjwt
import pytest
from starlette.requests import Request

from imagegallery import ConfigurationError, Forbidden, Principal
from imagegallery_asgi import jwt, single_user
from imagegallery_asgi.call import Authenticate
from imagegallery_asgi.errors import InvalidToken

KEY = "a secret of at least thirty-two bytes"
LOCAL = {"Host": "127.0.0.1:8000"}


def request(method: str = "GET", client: str | None = "127.0.0.1", **headers: str) -> Request:
    named = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": method, "headers": named, "client": (client, 1) if client else None, "path": "/"}
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:80", "[::1]:8000", "127.9.9.9"])
@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_the_user(host: str, client: str) -> None:
    assert single_user("ada")(request(client=client, Host=host)) == Principal.user("ada")


@pytest.mark.parametrize(
    "asked",
    [
        request(client="192.168.0.7", **LOCAL),
        request(client=None, **LOCAL),
        request(client="unix", **LOCAL),
        request(Host="evil.example:8000"),
        request(Host="localhost.evil.example"),
        request(Host="127.0.0.1.evil.example"),
        request(Host="[::1"),
        request(),
        request(X_Forwarded_For="10.0.0.1", **LOCAL),
        request(Forwarded="for=10.0.0.1", **LOCAL),
        request("POST", Origin="https://evil.example", **LOCAL),
        request("POST", Origin="null", **LOCAL),
        request("POST", Origin="http://localhost.evil.example", **LOCAL),
        request("DELETE", Sec_Fetch_Site="cross-site", **LOCAL),
        request("PATCH", Sec_Fetch_Site="cross-site", Origin="http://localhost:8000", **LOCAL),
    ],
)
def test_nobody_else_is(asked: Request) -> None:
    with pytest.raises(Forbidden):
        single_user()(asked)


@pytest.mark.parametrize(
    "asked",
    [
        request("POST", **LOCAL),
        request("POST", Origin="http://127.0.0.1:8000", Sec_Fetch_Site="same-origin", **LOCAL),
        request("POST", Origin="http://localhost:5173", Sec_Fetch_Site="same-site", **LOCAL),
        request("GET", Sec_Fetch_Site="cross-site", **LOCAL),  # an <img>; the page cannot read it
    ],
)
def test_its_own_pages_and_programs_are(asked: Request) -> None:
    assert single_user()(asked) == Principal.user("owner")


def bearing(**claims: object) -> Request:
    token = pyjwt.encode({"exp": datetime.now(UTC) + timedelta(minutes=1), **claims}, KEY, "HS256")
    return request(Authorization=f"Bearer {token}")


def test_a_valid_token_names_its_user() -> None:
    assert jwt(KEY)(bearing(sub="ada")) == Principal.user("ada")
    assert jwt(KEY, audience="photos")(bearing(sub="ada", aud="photos")) == Principal.user("ada")
    assert jwt(KEY)(bearing(sub="a" * 255)) == Principal.user("a" * 255)
    assert jwt(KEY)(request()) is None


@pytest.mark.parametrize(
    ("authenticate", "asked"),
    [
        (jwt(KEY), bearing(sub="ada", exp=datetime.now(UTC) - timedelta(hours=1))),
        (jwt(KEY), bearing()),
        (jwt(KEY), bearing(sub="")),
        (jwt(KEY), bearing(sub="a\0")),
        (jwt(KEY), bearing(sub="a" * 256)),
        (jwt(KEY), bearing(sub="a\nb")),
        (jwt(KEY), bearing(sub="a\u200bb")),
        (jwt(KEY + "!"), bearing(sub="ada")),
        (jwt(KEY, audience="photos"), bearing(sub="ada")),
        (jwt(KEY, audience="photos"), bearing(sub="ada", aud="bank")),
        (jwt(KEY, issuer="us"), bearing(sub="ada", iss="them")),
        (jwt(KEY, ["HS512"]), bearing(sub="ada")),
        (jwt(KEY), request(Authorization="Bearer nonsense")),
        (jwt(KEY), request(Authorization="Bearer")),
        (jwt(KEY), request(Authorization="Basic YTpi")),
        (jwt(KEY), request(Authorization=f"Bearer {pyjwt.encode({'sub': 'ada'}, KEY, 'HS256')}")),
        (jwt(KEY), request(Authorization=f"Bearer {pyjwt.encode({'sub': 'ada', 'exp': 9e9}, '', 'none')}")),
    ],
)
def test_any_other_token_is_refused(authenticate: Authenticate, asked: Request) -> None:
    with pytest.raises(InvalidToken):
        authenticate(asked)


@pytest.mark.parametrize(("key", "algorithms"), [("", ["HS256"]), (KEY, []), (KEY, ["HS256", "None"])])
def test_what_verifies_nothing_is_refused_at_once(key: str, algorithms: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        jwt(key, algorithms)
