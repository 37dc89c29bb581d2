"""The pages that a browser finds at the root: what this is, and the API, with nothing from elsewhere."""

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from imagegallery_asgi.website import pages


@pytest.fixture
def browser(visitor: httpx.Client) -> Iterator[httpx.Client]:
    """At the root of the application, which is mounted at a path of another one."""
    with httpx.Client(base_url=str(visitor.base_url).replace("/api/v1", "/pictures")) as client:
        yield client


def test_the_first_page_leads_on_below_the_path_of_the_mount(browser: httpx.Client) -> None:
    page = browser.get("")
    assert page.headers["Content-Type"].startswith("text/html")
    addresses = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(addresses) == 4
    assert all(address.startswith("/pictures/") for address in addresses)
    assert [browser.get(browser.base_url.join(address)).status_code for address in addresses] == [200] * 4
    assert f"curl {browser.base_url}api/v1/galleries/$GALLERY" in unescape(page.text)


def test_the_api_is_shown_with_files_of_this_service_alone(browser: httpx.Client) -> None:
    page = browser.get("docs")
    addresses = re.findall(r'(?:href|src|data-document)="([^"]+)"', page.text)
    assert len(addresses) == 6
    assert [browser.get(browser.base_url.join(address)).status_code for address in addresses] == [200] * 6
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "<script>" not in page.text


@pytest.mark.parametrize("name", ["..%2Fpages.py", "index.html", "swagger-editor.js", "x.js"])
def test_no_other_file_is_served(browser: httpx.Client, name: str) -> None:
    assert browser.get(f"docs/{name}").status_code == 404


def test_without_swagger_ui_the_page_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_swagger_folder", lambda: None)
    page = pages.docs_page("/pictures")
    assert "pip install" in page
    assert 'href="/pictures/openapi.json"' in page


def test_what_the_request_says_is_no_markup() -> None:
    assert "<script>" not in pages.index_page("/<script>", "http://localhost<script>")
