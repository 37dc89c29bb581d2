"""Whom to believe about where a request comes from, and what to believe."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Scope

from imagegallery import ConfigurationError
from imagegallery.http_options import parse_networks
from imagegallery_asgi import create_app
from imagegallery_asgi.middleware.forwarding import restored

TRUSTED = parse_networks(["10.0.0.0/8", "::1"])
anything = st.text(st.characters(codec="latin-1"), max_size=40)


def scope(client: str | None = "10.0.0.1", root_path: str = "", **said: str) -> Scope:
    """A request for ``/photo`` below ``root_path``, with ``X-Forwarded-*`` headers."""
    headers = [(b"host", b"inside:8000")]
    headers += [(f"x-forwarded-{name.strip('_')}".encode(), value.encode("latin-1")) for name, value in said.items()]
    path = f"{root_path}/photo"
    return {
        "type": "http",
        "client": (client, 1234) if client else None,
        "scheme": "http",
        "root_path": root_path,
        "path": path,
        "raw_path": path.encode(),
        "headers": headers,
    }


@pytest.mark.parametrize("client", ["192.0.2.1", "11.0.0.1", "::2", "unix", "", None])
def test_others_are_not_believed(client: str | None) -> None:
    asked = scope(client, for_="203.0.113.7", proto="https", host="example.org", prefix="/photos")
    assert restored(asked, TRUSTED) is asked


@pytest.mark.parametrize("client", ["10.0.0.1", "::1", "::ffff:10.1.2.3"])
def test_a_trusted_proxy_is_believed(client: str) -> None:
    seen = restored(scope(client, for_="203.0.113.7", proto="https", host="example.org", prefix="/photos"), TRUSTED)
    assert seen["client"] == ("203.0.113.7", 0)
    assert seen["scheme"] == "https"
    assert Headers(scope=seen)["host"] == "example.org"
    assert (seen["root_path"], seen["path"], seen["raw_path"]) == ("/photos", "/photos/photo", b"/photos/photo")
    assert [name for name, _ in seen["headers"]] == [b"host"]


def test_the_scope_that_came_is_left_as_it_was() -> None:
    asked = scope(host="example.org", prefix="/photos")
    before = {**asked, "headers": list(asked["headers"])}
    restored(asked, TRUSTED)
    assert asked == before


def test_a_prefix_goes_before_the_mount() -> None:
    seen = restored(scope(root_path="/gallery", prefix="/photos/"), TRUSTED)
    assert (seen["root_path"], seen["path"]) == ("/photos/gallery", "/photos/gallery/photo")


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.9, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.9.9.9", "203.0.113.7"),
        ("10.3.3.3, 10.9.9.9", "10.3.3.3"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("203.0.113.7, unknown", None),
        ("127.0.0.1, nonsense, 10.9.9.9", None),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(hops: str, client: str | None) -> None:
    assert restored(scope(for_=hops), TRUSTED)["client"] == ((client, 0) if client else None)


@pytest.mark.parametrize("prefix", ["photos", "//evil.example", "/../x", "/a/..", "/a b", "/a?b", "/%2e", "", "/"])
def test_a_prefix_that_is_no_path_is_not_said(prefix: str) -> None:
    seen = restored(scope(prefix=prefix), TRUSTED)
    assert (seen["root_path"], seen["path"]) == ("", "/photo")


@pytest.mark.parametrize("host", ["a b", "a/b", "user@host", "a,", "[::1", "host:port", ""])
def test_a_host_that_is_none_is_not_said(host: str) -> None:
    assert Headers(scope=restored(scope(host=host), TRUSTED))["host"] == "inside:8000"


def test_of_several_values_the_nearest_proxy_s_counts() -> None:
    seen = restored(scope(host="evil.example, example.org:8443", proto="gopher, HTTPS"), TRUSTED)
    assert (Headers(scope=seen)["host"], seen["scheme"]) == ("example.org:8443", "https")


@given(for_=anything, host=anything, proto=anything, prefix=anything)
def test_whatever_is_said_the_request_stays_one(for_: str, host: str, proto: str, prefix: str) -> None:
    seen = restored(scope(for_=for_, host=host, proto=proto, prefix=prefix), TRUSTED)
    assert seen["scheme"] in ("http", "https")
    assert seen["path"].startswith(f"{seen['root_path']}/")
    assert not seen["path"].startswith("//")
    if seen["client"] is not None:
        ipaddress.ip_address(seen["client"][0])


@pytest.mark.parametrize("name", ["everybody", "10.0.0.1/8", "*", ""])
def test_a_proxy_is_an_address_or_a_network(name: str) -> None:
    with pytest.raises(ConfigurationError, match="trusted proxy"):
        create_app(trusted_proxies=[name])
