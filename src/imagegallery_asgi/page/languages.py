"""The languages of the page, and which of them a reader wants."""

from typing import Final

from imagegallery_asgi.framework.headers import preferred

COOKIE: Final = "imagegallery_language"
LANGUAGES: Final = ("en", "de", "ar")
_RIGHT_TO_LEFT: Final = frozenset({"ar"})


def language_of(cookie: str | None, accept_language: str | None) -> str:
    """The one that was chosen, or else the first of those that the browser asks for (RFC 9110 section 12.5.4)."""
    if cookie in LANGUAGES:
        return cookie
    wanted = (tag.partition("-")[0] for tag in preferred(accept_language))
    return next((tag for tag in wanted if tag in LANGUAGES), LANGUAGES[0])


def direction_of(language: str) -> str:
    """``rtl`` where it is written from right to left."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"
