"""``src``, ``srcSet``, ``sources`` and ``sizes`` of an image. Pure.

Rules of the HTML standard that matter here (section 4.8.4.2.1, srcset attributes): candidates are separated by
commas and a URL ends at white space, so neither may stand in a URL; and no two candidates may have the same
width descriptor.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
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


def describe(variants: Sequence[Candidate], *, width: int, height: int) -> Responsive:
    """How to show an image of ``width`` x ``height`` pixels with these variants.

    ``src`` is the `medium` variant, else the one nearest to it, in the most widely shown format that has it.
    Sets of candidates leave out renderings that were cropped: the browser must not see the frame change. Where some
    move, those that stand still are left out, too: a picture must not stop when the window becomes smaller.
    """
    alike = _moving(variants) or variants
    whole = [variant for variant in alike if _shows_all_of(variant, width, height)]
    shown = min(whole or alike, key=_distance_from_src, default=None)
    base = shown.format if shown else ""
    return Responsive(
        src=_quote(shown.url) if shown else None,
        src_set=_src_set(each for each in whole if each.format == base),
        sources=tuple(_sources(whole, base)),
    )


def _moving(variants: Iterable[Candidate]) -> list[Candidate]:
    return [variant for variant in variants if variant.frames > 1]


def _shows_all_of(variant: Candidate, width: int, height: int) -> bool:
    """Whether the aspect ratio is the image's, with each side rounded to whole pixels, at least 1."""
    return abs(variant.width * height - variant.height * width) <= width + height


def _distance_from_src(variant: Candidate) -> tuple[bool, bool, int, int]:
    """The lowest is the best ``src``: a format for all, then the right variant, then its size."""
    off_size = abs(max(variant.width, variant.height) - _SRC_PIXELS)
    return variant.format in _NOT_FOR_ALL, variant.variant_type != _SRC_VARIANT, off_size, rank(variant.format)


def rank(image_format: str) -> int:
    """The place of a format in `FORMATS`; an unknown one is last."""
    return _RANKS.get(image_format, len(FORMATS))


def _sources(variants: Sequence[Candidate], base: str) -> Iterable[Source]:
    """The formats better than ``base``, best first, each as a source if it is useful."""
    better = {variant.format for variant in variants if rank(variant.format) > rank(base)}
    for image_format in sorted(better, key=rank, reverse=True):
        smallest = _smallest(each for each in variants if rank(base) <= rank(each.format) <= rank(image_format))
        if any(each.format == image_format for each in smallest):
            yield Source(f"image/{image_format}", _src_set(smallest))


def _smallest(variants: Iterable[Candidate]) -> list[Candidate]:
    """The smallest file of each width; of equal ones the more widely shown format."""
    in_order = sorted(variants, key=lambda each: (each.file_size, rank(each.format)), reverse=True)
    return list({each.width: each for each in in_order}.values())


def _src_set(variants: Iterable[Candidate]) -> str:
    by_width = {variant.width: variant for variant in variants}
    return ", ".join(f"{_quote(by_width[width].url)} {width}w" for width in sorted(by_width))


def _quote(url: str) -> str:
    """The URL with what would end it early percent-encoded (RFC 3986 section 2.1)."""
    return _ENDS_A_URL.sub(lambda found: f"%{ord(found[0]):02X}", url)
