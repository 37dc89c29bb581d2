"""Which variant answers: of the size that was asked for first, then the format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegallery.images.image.image import Variant
from imagegallery.images.presentation.variant_choice import choose_variant, no_newer

LADDER = ("thumbnail", "small", "medium", "large")
FORMATS = ("avif", "webp", "jpeg", "png", "gif")


def variant(name: str) -> Variant:
    variant_type, _, image_format = name.partition(".")
    return Variant(variant_type, image_format, name, 10, 10, 10, "f")


@pytest.mark.parametrize(
    ("there", "wanted", "accepts", "chosen"),
    [
        # The format that the client likes best.
        (["medium.webp", "medium.avif", "medium.jpeg"], "medium", ["avif", "webp", "jpeg"], "medium.avif"),
        (["medium.webp", "medium.avif", "medium.jpeg"], "medium", ["webp", "avif"], "medium.webp"),
        (["medium.webp", "medium.avif", "medium.jpeg"], "medium", ["jpeg"], "medium.jpeg"),
        # The size that was asked for goes before the format.
        (["medium.avif", "small.webp"], "medium", ["webp"], "medium.avif"),
        (["medium.webp", "small.jpeg"], "medium", ["jpeg"], "medium.webp"),
        # It said nothing, or takes nothing of what is there: what most can show.
        (["medium.avif", "medium.webp"], "medium", [], "medium.webp"),
        (["medium.avif", "medium.webp"], "medium", ["jpeg"], "medium.webp"),
        # No size asked for: the largest that it takes, else the largest.
        (["large.avif", "medium.webp", "small.webp"], None, ["webp"], "medium.webp"),
        (["large.avif", "medium.webp"], None, ["jpeg"], "large.avif"),
        # The next larger, else the next smaller.
        (["thumbnail.webp", "large.webp", "medium.webp"], "small", ["webp"], "medium.webp"),
        (["thumbnail.webp", "small.webp"], "large", ["webp"], "small.webp"),
        # No size asked for: the largest.
        (["thumbnail.webp", "large.webp", "medium.webp"], None, ["webp"], "large.webp"),
        # The size goes before the better format.
        (["thumbnail.webp", "medium.avif"], "thumbnail", ["avif", "webp"], "thumbnail.webp"),
        # A type that a former setting made is the last resort.
        (["poster.webp", "thumbnail.webp"], "large", ["webp"], "thumbnail.webp"),
        (["poster.webp"], "large", ["webp"], "poster.webp"),
    ],
)
def test_choices(there: list[str], wanted: str | None, accepts: list[str], chosen: str) -> None:
    found = choose_variant([variant(name) for name in there], wanted, accepts, LADDER)

    assert found is not None
    assert found.key == chosen


@pytest.mark.parametrize(
    ("shows", "also_shows"),
    [
        ("avif", {"avif", "webp", "jpeg", "png", "gif"}),
        ("webp", {"webp", "jpeg", "png", "gif"}),
        ("jpeg", {"jpeg"}),
    ],
)
def test_who_shows_a_format_shows_all_that_are_no_newer(shows: str, also_shows: set[str]) -> None:
    found = no_newer([variant(f"medium.{each}") for each in FORMATS], shows)
    assert {each.format for each in found} == also_shows


def test_nothing_ready_is_nothing() -> None:
    assert choose_variant([], "small", ["webp"], LADDER) is None


names = st.builds("{}.{}".format, st.sampled_from(LADDER), st.sampled_from(FORMATS))


@given(st.sets(names, min_size=1), st.sampled_from([*LADDER, None]), st.lists(st.sampled_from(FORMATS)))
def test_a_client_gets_the_size_it_asks_for_or_what_it_can_show(
    there: set[str], wanted: str | None, accepts: list[str]
) -> None:
    variants = [variant(name) for name in sorted(there)]

    found = choose_variant(variants, wanted, accepts, LADDER)

    assert found in variants
    assert found is not None
    of_that_size = [each for each in variants if wanted in (None, each.variant_type)]
    assert not of_that_size or found in of_that_size
    alike = [each for each in variants if wanted is None or each.variant_type == found.variant_type]
    assert found.format in accepts or not any(each.format in accepts for each in alike)
    assert found == choose_variant(variants[::-1], wanted, accepts, LADDER)
