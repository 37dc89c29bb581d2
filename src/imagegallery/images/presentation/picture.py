"""An image as HTML: ``<picture>`` with its sources, or a box of its shape until there is something to show. Pure.

What holds the place is the mean colour of the picture (four characters of its BlurHash): some 30 bytes of a ``style``
attribute, where a blurred preview is a kilobyte of ``data:`` URL and ten milliseconds of decoding for each picture of
a page, and needs two exceptions from a Content-Security-Policy instead of one. ``styled=False`` is for pages whose
policy allows no ``style`` attribute. A box without a picture is an inline SVG, whose attributes no policy forbids.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final, Literal, Protocol, Self
from uuid import UUID

from imagegallery.images.presentation.responsive import SIZES, Candidate, describe
from imagegallery.imaging.blurhash import mean_colour

Layout = Literal["slideshow", "masonry", "tiles"]

GREY: Final = "#dddddd"
_OPAQUE: Final = ("image/jpeg", "image/heic")
"""A colour behind a picture of another type could shine through."""
_THIN: Final = "non-scaling-stroke"


class Html(str):
    """Safe HTML: Jinja, Django and everything else that knows ``__html__`` puts it on a page as it is."""

    __slots__ = ()

    def __html__(self) -> Self:
        return self


class Depicted(Protocol):
    """What of an image matters here (`imagegallery.images.image.image.Image` has it)."""

    @property
    def id(self) -> UUID: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def mime_type(self) -> str: ...
    @property
    def caption(self) -> str: ...
    @property
    def blurhash(self) -> str | None: ...
    @property
    def status(self) -> str: ...
    @property
    def variants(self) -> Iterable[Candidate]: ...


def picture(
    image: Depicted,
    *,
    layout: Layout = "tiles",
    sizes: str | None = None,
    alt: str | None = None,
    width: int | None = None,
    ratio: float | None = None,
    lazy: bool = True,
    class_: str | None = None,
    styled: bool = True,
    root: str = "",
) -> Html:
    """Return the HTML that shows an image, in every format that it has, at the size that fits.

    Without a variant yet it is a box of the same shape, whose ``data-state`` is ``pending``, or ``failed`` with a cross
    through it, and whose ``data-image`` is the image's id.

    Args:
        image: One with URLs, as services return it.
        layout: How wide a page shows it: a name of `imagegallery.Responsive.sizes`.
        sizes: The same in HTML's own words, for a layout of your own.
        alt: What it shows, for who does not see it. ``None`` for the image's ``alt_text``, else its title, else
            its file's name; ``""`` for decoration.
        width: How wide it is shown, in pixels of CSS, where that is the same on every screen: instead of a layout.
        ratio: The width of the box divided by its height, which it is cropped to. ``None`` for its own.
        lazy: Whether browsers may wait until it is nearly in view. Not for what a page begins with.
        class_: The classes of the ``<img>`` or the box.
        styled: Whether it may have a ``style``. Without it, it has no placeholder, and the page's style sheet crops.
        root: The address of the API, which is put before URLs that are relative to it (``/gallery/api/v1``).

    Raises:
        ValueError: For an unknown layout, and a width or a ratio that is not above 0.
    """
    if layout not in SIZES:
        raise ValueError(f"There is no layout {layout!r}: use one of {', '.join(SIZES)}, or give the sizes.")
    if (width is not None and width < 1) or (ratio is not None and not ratio > 0):
        raise ValueError("width and ratio (width divided by height) must be above 0.")
    words = image.caption if alt is None else alt
    colour = mean_colour(image.blurhash) if image.blurhash else None
    across = image.width if width is None else width
    down = across * image.height / image.width if ratio is None else across / ratio
    box = {"class": class_, "width": across, "height": max(round(down), 1)}
    shown = describe(image.variants, width=image.width, height=image.height, root=root)
    if not shown.src:
        return Html(_place(image, box, words, colour or GREY))
    told = sizes or (SIZES[layout] if width is None else f"{width}px")
    sources = [_tag("source", {"type": each.type, "srcset": each.src_set, "sizes": told}) for each in shown.sources]
    candidates = {"src": shown.src, "srcset": shown.src_set or None, "sizes": told if shown.src_set else None}
    loading = {"loading": "lazy" if lazy else None, "decoding": "async"}
    style = _style(colour if image.mime_type in _OPAQUE else None, ratio) if styled else None
    img = _tag("img", {**box, **loading, **candidates, "alt": words, "style": style})
    return Html(f"<picture>{''.join(sources)}{img}</picture>")


def _style(colour: str | None, ratio: float | None) -> str | None:
    crop = f"aspect-ratio:{ratio:g};object-fit:cover" if ratio is not None else None
    background = f"background-color:{colour}" if colour is not None else None
    return ";".join(each for each in (crop, background) if each is not None) or None


def _place(image: Depicted, box: Mapping[str, object], words: str, colour: str) -> str:
    """A box where there is nothing to show, now or ever."""
    width, height = box["width"], box["height"]
    failed = image.status == "failed"
    label = {"role": "img", "aria-label": words} if words else {"aria-hidden": "true"}
    state = {"data-image": image.id, "data-state": "failed" if failed else "pending"}
    cross = {"d": f"M0 0L{width} {height}M{width} 0L0 {height}", "stroke": "#888888", "vector-effect": _THIN}
    svg = _tag("svg", {**box, "viewBox": f"0 0 {width} {height}", **label, **state})
    plane = _tag("rect", {"width": width, "height": height, "fill": colour})
    return f"{svg}{plane}</rect>{_tag('path', cross) + '</path>' if failed else ''}</svg>"


def _tag(name: str, attributes: Mapping[str, object]) -> str:
    """The start tag, without the attributes that are ``None``."""
    given = "".join(f' {key}="{escape(str(value))}"' for key, value in attributes.items() if value is not None)
    return f"<{name}{given}>"
