"""Light or dark, where the reader has chosen one: the document comes in it, and nothing changes while they look."""

from collections.abc import Mapping
from typing import Final

THEME_COOKIE: Final = "imagegallery_theme"
_THEMES: Final = ("light", "dark")


def told_theme(cookie: str | None) -> Mapping[str, str]:
    """What the document tells its styles; nothing where the system decides."""
    return {"theme": cookie} if cookie in _THEMES else {}
