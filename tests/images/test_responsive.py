import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.images.image import Variant
from imagegallery.images.responsive import Placeholder, Source, describe


def variant(name: str, image_format: str, width: int, height: int, url: str | None = None, frames: int = 1) -> Variant:
    address = f"/files/{name}.{image_format}" if url is None else url
    return Variant(name, image_format, f"key/{name}.{image_format}", width, height, 1, "f", frames, address)


FULL = [
    variant("thumbnail", "webp", 80, 80),
    variant("small", "webp", 300, 200),
    variant("large", "webp", 1920, 1280),
    variant("medium", "webp", 800, 533),
    variant("large", "avif", 1920, 1280),
    variant("medium", "avif", 800, 533),
]


def test_every_variant_finds_its_place() -> None:
    shown = describe(FULL, width=3000, height=2000, blurhash="LEHV6n")
    assert shown.src == "/files/medium.webp"
    assert shown.src_set == "/files/small.webp 300w, /files/medium.webp 800w, /files/large.webp 1920w"
    assert shown.sources == (Source("image/avif", "/files/medium.avif 800w, /files/large.avif 1920w"),)
    assert shown.placeholder == Placeholder("LEHV6n", 1.5)


def test_sizes_are_those_of_the_layouts() -> None:
    assert describe([], width=3, height=2, blurhash=None).sizes == {
        "slideshow": "100vw",
        "masonry": "(max-width: 640px) 100vw, (max-width: 1024px) 50vw, 25vw",
        "tiles": "(max-width: 640px) 50vw, (max-width: 1024px) 33vw, 20vw",
    }


def test_an_image_without_variants_has_a_placeholder_only() -> None:
    shown = describe([], width=3000, height=2000, blurhash=None)
    assert (shown.src, shown.src_set, shown.sources) == (None, "", ())
    assert shown.placeholder == Placeholder(None, 1.5)


@pytest.mark.parametrize(
    ("names", "src"),
    [
        (["thumbnail", "small", "large"], "small"),  # 500 px off, and 1120
        (["thumbnail", "large"], "large"),
        (["thumbnail"], "thumbnail"),  # cropped, but all there is
    ],
)
def test_without_medium_the_nearest_stands_in(names: list[str], src: str) -> None:
    there = [each for each in FULL if each.format == "webp" and each.variant_type in names]
    assert describe(there, width=3000, height=2000, blurhash=None).src == f"/files/{src}.webp"


def test_a_square_thumbnail_of_a_square_image_is_a_candidate() -> None:
    square = [variant("thumbnail", "webp", 80, 80), variant("medium", "webp", 800, 800)]
    shown = describe(square, width=2000, height=2000, blurhash=None)
    assert shown.src_set == "/files/thumbnail.webp 80w, /files/medium.webp 800w"


def test_src_is_a_format_for_all_even_when_medium_is_there_in_avif_only() -> None:
    """As for an image of 200 x 100 pixels, which is `small` in WebP and `medium` in AVIF."""
    tiny = [variant("small", "webp", 200, 100), variant("medium", "avif", 200, 100)]
    shown = describe(tiny, width=200, height=100, blurhash=None)
    assert (shown.src, shown.src_set) == ("/files/small.webp", "/files/small.webp 200w")
    assert shown.sources == (Source("image/avif", "/files/medium.avif 200w"),)


def test_avif_alone_is_shown_rather_than_nothing() -> None:
    shown = describe([variant("medium", "avif", 800, 533)], width=3000, height=2000, blurhash=None)
    assert (shown.src, shown.sources) == ("/files/medium.avif", ())


def test_a_jpeg_fallback_becomes_the_base_and_the_better_formats_come_best_first() -> None:
    shown = describe([*FULL, variant("medium", "jpeg", 800, 533)], width=3000, height=2000, blurhash=None)
    assert shown.src == "/files/medium.jpeg"
    assert shown.src_set == "/files/medium.jpeg 800w"
    assert [source.type for source in shown.sources] == ["image/avif", "image/webp"]


def test_where_some_move_none_is_offered_that_stands_still() -> None:
    there = [
        variant("thumbnail", "webp", 80, 80),
        variant("small", "webp", 300, 200),
        variant("medium", "webp", 800, 533, frames=3),
        variant("medium", "avif", 800, 533),
        variant("large", "webp", 1920, 1280, frames=3),
        variant("large", "jpeg", 1920, 1280),
    ]
    shown = describe(there, width=3000, height=2000, blurhash=None)
    assert (shown.src, shown.sources) == ("/files/medium.webp", ())
    assert shown.src_set == "/files/medium.webp 800w, /files/large.webp 1920w"


def test_widths_are_unique() -> None:
    twice = [variant("small", "webp", 300, 200), variant("email", "webp", 300, 200)]
    assert describe(twice, width=3000, height=2000, blurhash=None).src_set.count("300w") == 1


def test_extremely_long_images_keep_their_candidates() -> None:
    long = [variant("small", "webp", 300, 1), variant("medium", "webp", 800, 1)]
    shown = describe(long, width=50_000, height=1, blurhash=None)
    assert shown.src_set == "/files/small.webp 300w, /files/medium.webp 800w"


def test_commas_and_blanks_in_urls_do_not_end_a_candidate() -> None:
    odd = [variant("medium", "webp", 800, 533, url="https://cdn/a b,c\td?x=1,2")]
    shown = describe(odd, width=3000, height=2000, blurhash=None)
    assert shown.src_set == "https://cdn/a%20b%2Cc%09d?x=1%2C2 800w"
    assert shown.src == "https://cdn/a%20b%2Cc%09d?x=1%2C2"


sides = st.integers(1, 20_000)
urls = st.text(st.characters(codec="ascii"), min_size=1).map(lambda text: f"/{text}")
variants = st.builds(
    lambda name, image_format, width, height, url: variant(name, image_format, width, height, url),
    st.sampled_from(["thumbnail", "small", "medium", "large"]),
    st.sampled_from(["webp", "avif", "jpeg"]),
    sides,
    sides,
    urls,
)


@given(st.lists(variants), sides, sides)
def test_every_set_is_well_formed(there: list[Variant], width: int, height: int) -> None:
    shown = describe(there, width=width, height=height, blurhash=None)
    assert (shown.src is None) == (not there)
    for src_set in [shown.src_set, *(source.src_set for source in shown.sources)]:
        candidates = [part.rsplit(" ", 1) for part in src_set.split(", ")] if src_set else []
        assert all(re.fullmatch(r"[^\s,]+", url) and re.fullmatch(r"[1-9]\d*w", size) for url, size in candidates)
        assert all(int(low[1][:-1]) < int(high[1][:-1]) for low, high in pairwise(candidates))
    assert all(source.src_set for source in shown.sources)
