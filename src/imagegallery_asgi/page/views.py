"""Which program shows what is at an address: the table of routes of the page, read by the service."""

import re
from functools import cache
from typing import Final

from imagegallery_asgi.page.assets import page_assets

ROUTES: Final = "routes.js"
_ROUTE: Final = re.compile(r'path: "([^"]{1,200})", view: \(\) => import\("\./([^"]{1,200})"\)')


def view_of(path: str) -> str | None:
    """The module of the view of a path below the mount; ``None`` for one that lies over another, or is not there."""
    segments = _segments(path)
    return next((module for pattern, module in _views() if _fits(pattern, segments)), None)


@cache
def _views() -> tuple[tuple[tuple[str, ...], str], ...]:
    routes = page_assets().by_name[ROUTES].content.decode()
    return tuple((_segments(path), module) for path, module in _ROUTE.findall(routes))


def _segments(path: str) -> tuple[str, ...]:
    return tuple(filter(None, path.split("/")))


def _fits(pattern: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    pairs = zip(pattern, segments, strict=False)
    return len(pattern) == len(segments) and all(part.startswith(":") or part == each for part, each in pairs)
