"""The page as a whole: it starts, and knows who uses it."""

import re

import httpx
from playwright.sync_api import expect
from tests.page.conftest import OpenPage, ServedPage


def test_a_user_finds_the_ways_to_all_views(open_page: OpenPage, user: str) -> None:
    page = open_page("/trash", user=user)
    ways = page.get_by_role("navigation", name="Main").get_by_role("link")
    expect(ways.first).to_be_visible()
    assert "Galleries" in ways.all_inner_texts()


def test_what_the_first_view_needs_is_told_at_once_and_kept_for_ever(served_page: ServedPage) -> None:
    with httpx.Client(base_url=served_page.url) as client:
        document = client.get("/")
        loads = re.findall(r'(?:href|src)="(/page/[^"]+)"', document.text)
        answers = [client.get(address) for address in loads]
    assert len(loads) > 5
    assert any(address.endswith("/library/library.js") for address in loads)
    assert {answer.status_code for answer in answers} == {200}
    assert all("immutable" in answer.headers["Cache-Control"] for answer in answers)
    assert "trusted-types" in document.headers["Content-Security-Policy"]
    assert "unsafe" not in document.headers["Content-Security-Policy"]
