"""How people sign in to the page, as its document tells its programs."""

import pytest

from imagegallery import ConfigurationError
from imagegallery_asgi.framework.json_schema import JsonSchema
from imagegallery_asgi.framework.openapi import BEARER
from imagegallery_asgi.framework.sign_in import SignIn
from imagegallery_asgi.page.document import page_document
from imagegallery_asgi.page.themes import told_theme

COOKIE: dict[str, JsonSchema] = {"session": {"type": "apiKey", "in": "cookie", "name": "session"}}


@pytest.mark.parametrize(
    ("known_by", "said", "url", "told"),
    [
        (BEARER, None, None, {"tokens": ""}),
        ({}, None, None, {}),
        (BEARER, COOKIE, None, {}),
        (BEARER, None, "/login?a=1&b", {"sign-in": "/login?a=1&b"}),
        (BEARER, BEARER, "https://a.example/", {"tokens": "", "sign-in": "https://a.example/"}),
    ],
)
def test_a_host_says_how(
    known_by: dict[str, JsonSchema], said: dict[str, JsonSchema] | None, url: str | None, told: dict[str, str]
) -> None:
    assert SignIn.of(known_by, said, url).told == told


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "/\\evil.example", "login", "", "data:,x"])
def test_what_is_no_address_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError, match="A page for signing in"):
        SignIn(url=url)


def test_the_document_comes_in_the_theme_that_was_chosen_and_no_attribute_breaks_out() -> None:
    told = {**SignIn(url='/login?a="><script>').told, **told_theme("dark")}
    root = page_document("/photos", "en", told).partition("<html")[2].partition(">\n")[0]
    assert root == (
        ' lang="en" dir="ltr" data-root="/photos" data-sign-in="/login?a=&quot;&gt;&lt;script&gt;" data-theme="dark"'
    )
    assert told_theme("pink") == told_theme(None) == {}
