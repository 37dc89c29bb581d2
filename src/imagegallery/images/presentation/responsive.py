"""``src``, ``srcSet``, ``sources`` and ``sizes`` of an image. Pure.

Rules of the HTML standard that matter here (section 4.8.4.2.1, srcset attributes): candidates are separated by
commas and a URL ends at white space, so neither may stand in a URL; and no two candidates may have the same
width descriptor.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from attrs import frozen

SIZES: Mapping[str, str] = {
    "slideshow": "100vw",
    "masonry": "(max-width: 640px) 100vw, (max-width: 1024px) 50vw, 25vw",
    "tiles": "(max-width: 640px) 50vw, (max-width: 1024px) 33vw, 20vw",
}

_SRC_VARIANT, _SRC_PIXELS = "medium", 800
FORMATS = ("jpeg", "png", "gif", "webp", "avif")
"""From what every browser shows to what is smallest. Browsers that show one of them show those before it."""
_RANKS = {image_format: place for place, image_format in enumerate(FORMATS)}
_NOT_FOR_ALL = ("avif",)
_ENDS_A_URL = re.compile(r"[\x00-\x20,]")


class Candidate(Protocol):
    """What of a variant matters here (`imagegallery.images.image.image.Variant` has it)."""

    @property
    def variant_type(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def file_size(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def url(self) -> str: ...


@frozen
class Source:
    """One ``<source>`` of a ``<picture>``: a media type and its candidates.

    At a width where this type is no smaller, the candidate is of one that browsers which show this type show as well:
    so a browser that takes the source finds every width, and none that costs more than elsewhere.
    """

    type: str
    src_set: str


@frozen
class Responsive:
    """``src`` and ``src_set`` hold the format every browser shows (WebP); ``sources`` the better ones first.

    ``src`` is ``None`` until a variant is ready.
    """

    src: str | None
    src_set: str
    sources: tuple[Source, ...]

    @property
    def sizes(self) -> Mapping[str, str]:
        """The HTML ``sizes`` attribute of each layout, the same for all images."""
        return SIZES


def absolute(url: str, root: str) -> str:
    """``url`` as it is if it is absolute, else below ``root``."""
    return f"{root}{url}" if url.startswith("/") else url


def describe(variants: Iterable[Candidate], *, width: int, height: int, root: str = "") -> Responsive:
    """How to show an image of ``width`` x ``height`` pixels with these variants; ``root`` comes before relative URLs.

    ``src`` is the `medium` variant, else the one nearest to it, in the most widely shown format that has it.
    Sets of candidates leave out renderings that were cropped: the browser must not see the frame change. Where some
    move, those that stand still are left out, too: a picture must not stop when the window becomes smaller.
    """
    ranked = [(rank(each.format), _quote(absolute(each.url, root)), each) for each in variants]
    alike = [each for each in ranked if each[2].frames > 1] or ranked
    whole = [each for each in alike if _shows_all_of(each[2], width, height)]
    if not alike:
        return Responsive(None, "", ())
    base, src, _ = min(whole or alike, key=_distance_from_src)
    src_set = {each.width: url for place, url, each in whole if place == base}
    better = sorted({place for place, _, _ in whole if place > base}, reverse=True)
    sources = (_source(whole, base, best) for best in better)
    return Responsive(src, _src_set(src_set), tuple(each for each in sources if each is not None))


_Ranked = tuple[int, str, Candidate]  # the rank of the format, and the URL


def _shows_all_of(variant: Candidate, width: int, height: int) -> bool:
    """Whether the aspect ratio is the image's, with each side rounded to whole pixels, at least 1."""
    return abs(variant.width * height - variant.height * width) <= width + height


def _distance_from_src(ranked: _Ranked) -> tuple[bool, bool, int, int]:
    """The lowest is the best ``src``: a format for all, then the right variant, then its size."""
    place, _, variant = ranked
    off_size = abs(max(variant.width, variant.height) - _SRC_PIXELS)
    return variant.format in _NOT_FOR_ALL, variant.variant_type != _SRC_VARIANT, off_size, place


def rank(image_format: str) -> int:
    """The place of a format in `FORMATS`; an unknown one is last."""
    return _RANKS.get(image_format, len(FORMATS))


def _source(variants: Iterable[_Ranked], base: int, best: int) -> Source | None:
    """The smallest file of each width in the formats from ``base`` to ``best``, of equal ones the more widely shown
    format; ``None`` if none of them is in the best."""
    smallest: dict[int, tuple[int, int, str, str]] = {}
    for place, url, each in variants:
        if base <= place <= best:
            told = (each.file_size, place, each.format, url)
            smallest[each.width] = min(smallest.get(each.width, told), told)
    image_format = next((name for _, place, name, _ in smallest.values() if place == best), None)
    if image_format is None:
        return None
    return Source(f"image/{image_format}", _src_set({width: told[3] for width, told in smallest.items()}))


def _src_set(by_width: Mapping[int, str]) -> str:
    return ", ".join(f"{by_width[width]} {width}w" for width in sorted(by_width))


def _quote(url: str) -> str:
    """The URL with what would end it early percent-encoded (RFC 3986 section 2.1)."""
    return _ENDS_A_URL.sub(lambda found: f"%{ord(found[0]):02X}", url)
