"""Visits as cookies, and where a link with another name is."""

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from tests.support.clock import START

from imagegallery.sharing.link import Visit
from imagegallery_asgi.framework.links import make_private, visit_cookies


def request(**said: Any) -> Request:
    scope = {"type": "http", "method": "GET", "headers": [], "query_string": b"", "path_params": {"link": "kT3v"}}
    return Request({**scope, "server": ("pictures.example", 443), "path": "/api/v1/s/kT3v", **said})


def test_a_browser_sends_a_visit_with_its_link_and_page_alone_and_shows_it_to_no_script() -> None:
    visit = Visit("69f0a1b2.9c1f", START + timedelta(hours=1))
    below, page = (set(each.split("; ")) for each in visit_cookies(request(scheme="http"), visit, START))
    assert below == {
        "imagegallery_visit=69f0a1b2.9c1f",
        "Path=/api/v1/s/kT3v",
        "Max-Age=3600",
        "HttpOnly",
        "SameSite=Lax",
    }
    assert page == (below - {"Path=/api/v1/s/kT3v"}) | {"Path=/s/kT3v"}
    safe = visit_cookies(request(scheme="https", root_path="/shop"), visit, START)
    paths = ("Path=/shop/api/v1/s/kT3v", "Path=/shop/s/kT3v")
    assert [set(each.split("; ")) for each in safe] == [(page - {"Path=/s/kT3v"}) | {"Secure", each} for each in paths]
    late = visit_cookies(request(scheme="http"), visit, START + timedelta(days=1))
    assert all("Max-Age=0" in each for each in late)


def test_what_nobody_may_store_stays_so() -> None:
    for given, kept in (
        ("public, max-age=60", "private, no-cache"),
        ("private, no-store", "private, no-store"),
        (None, "private, no-cache"),
    ):
        response = Response(headers={"Cache-Control": given} if given else {})
        make_private(response)
        assert response.headers["Cache-Control"] == kept
        assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
