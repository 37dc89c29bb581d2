"""What a browser loads to show a view at first: scripts and styles, compressed as they are sent."""

import gzip
import re
from collections.abc import Iterator

import pytest

from imagegallery_asgi.page.assets import STYLES, page_assets

BUDGET = 60_000
_ROUTE = re.compile(r'path: "([^"]+)".*?import\("\./([^"]+)"\)')
_STYLE = re.compile(r'style\(import\.meta\.url, "\./([^"]+)"\)')
ROUTES = dict(_ROUTE.findall(page_assets().by_name["routes.js"].content.decode()))


def first_load(view: str) -> Iterator[str]:
    """The names of all modules and styles of a view, where it is the first that is opened."""
    assets = page_assets()
    modules = dict.fromkeys((*assets.modules(), *assets.modules(view)))
    yield from modules
    styles = {
        f"{module.rpartition('/')[0]}/{style}"
        for module in modules
        for style in _STYLE.findall(assets.by_name[module].content.decode())
    }
    yield from styles | set(STYLES)


@pytest.mark.parametrize("path", ROUTES)
def test_the_first_view_takes_at_most_sixty_kilobytes(path: str) -> None:
    files = list(first_load(ROUTES[path]))
    sizes = {name: len(gzip.compress(page_assets().by_name[name].content)) for name in files}
    assert ROUTES[path] in files
    assert sum(sizes.values()) <= BUDGET, sizes
