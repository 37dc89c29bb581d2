import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.images.image.image import Variant
from imagegallery.images.presentation.responsive import Source, describe

BYTES_PER_COLUMN = {"jpeg": 5, "webp": 3, "avif": 2}


def variant(
    name: str,
    image_format: str,
    width: int,
    height: int,
    url: str | None = None,
    frames: int = 1,
    file_size: int | None = None,
) -> Variant:
    address = f"/files/{name}.{image_format}" if url is None else url
    size = BYTES_PER_COLUMN[image_format] * width if file_size is None else file_size
    return Variant(name, image_format, f"key/{name}.{image_format}", width, height, size, "f", frames, address)


FULL = [
    variant("thumbnail", "webp", 80, 80),
    variant("small", "webp", 300, 200),
    variant("large", "webp", 1920, 1280),
    variant("medium", "webp", 800, 533),
    variant("large", "avif", 1920, 1280),
    variant("medium", "avif", 800, 533),
]


def test_every_variant_finds_its_place() -> None:
    shown = describe(FULL, width=3000, height=2000)
    assert shown.src == "/files/medium.webp"
    assert shown.src_set == "/files/small.webp 300w, /files/medium.webp 800w, /files/large.webp 1920w"
    avif = "/files/small.webp 300w, /files/medium.avif 800w, /files/large.avif 1920w"
    assert shown.sources == (Source("image/avif", avif),)


def test_sizes_are_those_of_the_layouts() -> None:
    assert describe([], width=3, height=2).sizes == {
        "slideshow": "100vw",
        "masonry": "(max-width: 640px) 100vw, (max-width: 1024px) 50vw, 25vw",
        "tiles": "(max-width: 640px) 50vw, (max-width: 1024px) 33vw, 20vw",
    }


def test_an_image_without_variants_has_nothing_to_show() -> None:
    shown = describe([], width=3000, height=2000)
    assert (shown.src, shown.src_set, shown.sources) == (None, "", ())


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
    assert describe(there, width=3000, height=2000).src == f"/files/{src}.webp"


def test_a_square_thumbnail_of_a_square_image_is_a_candidate() -> None:
    square = [variant("thumbnail", "webp", 80, 80), variant("medium", "webp", 800, 800)]
    shown = describe(square, width=2000, height=2000)
    assert shown.src_set == "/files/thumbnail.webp 80w, /files/medium.webp 800w"


def test_src_is_a_format_for_all_even_when_medium_is_there_in_avif_only() -> None:
    """As for an image of 200 x 100 pixels, which is `small` in WebP and `medium` in AVIF."""
    tiny = [variant("small", "webp", 200, 100), variant("medium", "avif", 200, 100)]
    shown = describe(tiny, width=200, height=100)
    assert (shown.src, shown.src_set) == ("/files/small.webp", "/files/small.webp 200w")
    assert shown.sources == (Source("image/avif", "/files/medium.avif 200w"),)


def test_avif_alone_is_shown_rather_than_nothing() -> None:
    shown = describe([variant("medium", "avif", 800, 533)], width=3000, height=2000)
    assert (shown.src, shown.sources) == ("/files/medium.avif", ())


def test_a_jpeg_fallback_becomes_the_base_and_the_better_formats_come_best_first() -> None:
    shown = describe([*FULL, variant("medium", "jpeg", 800, 533)], width=3000, height=2000)
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
    shown = describe(there, width=3000, height=2000)
    assert (shown.src, shown.sources) == ("/files/medium.webp", ())
    assert shown.src_set == "/files/medium.webp 800w, /files/large.webp 1920w"


def test_widths_are_unique() -> None:
    twice = [variant("small", "webp", 300, 200), variant("email", "webp", 300, 200)]
    assert describe(twice, width=3000, height=2000).src_set.count("300w") == 1


def test_extremely_long_images_keep_their_candidates() -> None:
    long = [variant("small", "webp", 300, 1), variant("medium", "webp", 800, 1)]
    shown = describe(long, width=50_000, height=1)
    assert shown.src_set == "/files/small.webp 300w, /files/medium.webp 800w"


def test_commas_and_blanks_in_urls_do_not_end_a_candidate() -> None:
    odd = [variant("medium", "webp", 800, 533, url="https://cdn/a b,c\td?x=1,2")]
    shown = describe(odd, width=3000, height=2000)
    assert shown.src_set == "https://cdn/a%20b%2Cc%09d?x=1%2C2 800w"
    assert shown.src == "https://cdn/a%20b%2Cc%09d?x=1%2C2"


@pytest.mark.parametrize(("avif", "sources"), [(899, 1), (900, 0), (901, 0)])
def test_an_avif_that_is_no_smaller_is_not_offered(avif: int, sources: int) -> None:
    webp = variant("small", "webp", 300, 200, file_size=900)
    shown = describe([webp, variant("small", "avif", 300, 200, file_size=avif)], width=300, height=200)
    assert shown.src_set == "/files/small.webp 300w"
    assert len(shown.sources) == sources


sides = st.integers(1, 20_000)
urls = st.text(st.characters(codec="ascii"), min_size=1).map(lambda text: f"/{text}")
variants = st.builds(
    lambda name, image_format, width, height, url, size: variant(
        name, image_format, width, height, url, file_size=size
    ),
    st.sampled_from(["thumbnail", "small", "medium", "large"]),
    st.sampled_from(["webp", "avif", "jpeg"]),
    sides,
    sides,
    urls,
    st.integers(1, 9),
)


@given(st.lists(variants), sides, sides)
def test_every_set_is_well_formed(there: list[Variant], width: int, height: int) -> None:
    shown = describe(there, width=width, height=height)
    assert (shown.src is None) == (not there)
    for src_set in [shown.src_set, *(source.src_set for source in shown.sources)]:
        candidates = [part.rsplit(" ", 1) for part in src_set.split(", ")] if src_set else []
        assert all(re.fullmatch(r"[^\s,]+", url) and re.fullmatch(r"[1-9]\d*w", size) for url, size in candidates)
        assert all(int(low[1][:-1]) < int(high[1][:-1]) for low, high in pairwise(candidates))
    assert all(source.src_set for source in shown.sources)


@given(
    st.lists(st.tuples(st.sampled_from([300, 800, 1920]), st.sampled_from(["jpeg", "webp", "avif"]), st.integers(1, 9)))
)
def test_a_picture_never_costs_more_than_an_img_at_any_width(there: list[tuple[int, str, int]]) -> None:
    unique = {(width, image_format): size for width, image_format, size in there}
    made = [
        variant(f"{width}", image_format, width, width, url=f"/{size}", file_size=size)
        for (width, image_format), size in unique.items()
    ]
    shown = describe(made, width=2000, height=2000)
    img = costs(shown.src_set)
    for source in shown.sources:
        offered = costs(source.src_set)
        assert all(offered[width] <= bytes_of_img for width, bytes_of_img in img.items())


def costs(src_set: str) -> dict[str, int]:
    """The bytes of each candidate, which its URL tells, by its width."""
    candidates = [part.split(" ") for part in src_set.split(", ")] if src_set else []
    return {width: int(url.removeprefix("/")) for url, width in candidates}
