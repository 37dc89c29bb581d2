"""What a browser loads to show a view at first: scripts and styles, compressed as they are sent."""

import gzip
import re

import pytest

from imagegallery_asgi.page.assets import MAIN, page_assets
from imagegallery_asgi.page.document import page_document
from imagegallery_asgi.page.views import ROUTES, view_of

BUDGET = 60_000
_PATH = re.compile(r'path: "([^"]+)", view: \(\)')
_LOADED = re.compile(r'"(?:stylesheet|modulepreload)" href="/page/\w+/([^"]+)"')
PATHS = _PATH.findall(page_assets().by_name[ROUTES].content.decode())


@pytest.mark.parametrize("path", PATHS)
def test_the_first_view_takes_at_most_sixty_kilobytes(path: str) -> None:
    names = _LOADED.findall(page_document("", "en", path=path.replace(":", "any-")))
    sizes = {name: len(gzip.compress(page_assets().by_name[name].content)) for name in names}
    assert {MAIN, view_of(path)} <= sizes.keys()
    assert sum(sizes.values()) <= BUDGET, sizes


def test_the_document_names_the_texts_and_styles_of_its_view() -> None:
    named = page_document("", "de", path="/galleries/018f")
    assert "/messages/de/galleries.json" in named
    assert "/galleries/gallery.css" in named
    assert "/galleries/gallery.css" not in page_document("", "de", path="/trash")
    assert view_of("/images/018f") is None
