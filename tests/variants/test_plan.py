"""The planner by example and by property."""

import re
from collections import Counter
from random import Random

import pytest
from attrs import evolve
from hypothesis import assume, example, given
from hypothesis import strategies as st

from imagegallery.imaging.protocol import Rendition
from imagegallery.variants import plan as plan_module
from imagegallery.variants.plan import PlannedVariant, Stage, fingerprint, of_stage, plan, size_of
from imagegallery.variants.preset import DEFAULT_PRESETS, Preset

SHA = bytes(range(32))


def planned(width: int, height: int, presets: tuple[Preset, ...] = DEFAULT_PRESETS, frames: int = 1) -> set[str]:
    return {
        f"{variant.variant_type}.{variant.format} {variant.width}x{variant.height}"
        for variant in plan(width, height, frames, SHA, presets)
    }


@pytest.mark.parametrize(
    ("size", "variants"),
    [
        (
            (5184, 3456),
            "thumbnail.webp 80x80, small.webp 300x200, small.avif 300x200, medium.webp 800x533, medium.avif 800x533, "
            "large.webp 1920x1280, large.avif 1920x1280",
        ),
        (
            (1000, 1500),
            "thumbnail.webp 80x80, small.webp 200x300, small.avif 200x300, medium.webp 533x800, medium.avif 533x800, "
            "large.webp 1000x1500, large.avif 1000x1500",
        ),
        (
            (800, 600),
            "thumbnail.webp 80x80, small.webp 300x225, small.avif 300x225, medium.webp 800x600, medium.avif 800x600",
        ),
        ((200, 100), "thumbnail.webp 80x80, small.webp 200x100, small.avif 200x100"),
        ((50, 40), "thumbnail.webp 40x40, small.webp 50x40, small.avif 50x40"),
        ((80, 80), "thumbnail.webp 80x80, small.avif 80x80"),
        ((1, 1), "thumbnail.webp 1x1, small.avif 1x1"),
        (
            (50_000, 1),
            "thumbnail.webp 1x1, small.webp 300x1, small.avif 300x1, medium.webp 800x1, medium.avif 800x1, "
            "large.webp 1920x1, large.avif 1920x1",
        ),
        ((2, 300), "thumbnail.webp 2x2, small.webp 2x300, small.avif 2x300"),
    ],
)
def test_by_example(size: tuple[int, int], variants: str) -> None:
    assert planned(*size) == set(variants.split(", "))


@pytest.mark.parametrize(
    ("size", "name"), [((600, 500), "medium-webp"), ((200, 150), "small-webp"), ((64, 64), "thumbnail-webp")]
)
def test_what_collapses_has_the_best_quality_and_the_name_of_the_smallest(size: tuple[int, int], name: str) -> None:
    (whole,) = [
        variant.rendition
        for variant in plan(*size, 1, SHA, DEFAULT_PRESETS)
        if (variant.width, variant.height) == size and variant.format == "webp"
    ]
    assert (whole.name, whole.quality, whole.width, whole.height) == (name, 85, *size)


def test_webp_comes_first_and_avif_later() -> None:
    variants = plan(5184, 3456, 1, SHA, DEFAULT_PRESETS)
    assert {variant.format for variant in of_stage(variants, Stage.FIRST)} == {"webp"}
    assert {variant.format for variant in of_stage(variants, Stage.LATER)} == {"avif"}


def test_avif_comes_first_when_there_is_nothing_else() -> None:
    only = (Preset("medium", 800, 800, "avif", 65),)
    assert [variant.stage for variant in plan(5184, 3456, 1, SHA, only)] == [Stage.FIRST]


def rivals(variants: tuple[PlannedVariant, ...]) -> dict[str, set[str]]:
    names = {each.fingerprint: each.name for each in variants}
    return {each.name: {names[rival] for rival in each.rivals} for each in variants if each.rivals}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3000, 2000), {f"{name}.avif": {f"{name}.webp"} for name in ("small", "medium", "large")}),
        ((80, 80), {"small.avif": {"thumbnail.webp"}}),  # the whole picture, though the preset would cut
        ((50, 40), {"small.avif": {"small.webp"}}),  # beside a thumbnail of 40 x 40, which is cut
    ],
)
def test_rivals_show_the_same_in_formats_that_more_browsers_show(
    size: tuple[int, int], expected: dict[str, set[str]]
) -> None:
    assert rivals(plan(*size, 1, SHA, DEFAULT_PRESETS)) == expected


def test_what_moves_and_what_stands_still_are_no_rivals() -> None:
    jpeg = Preset("medium", 800, 800, "jpeg", 80)
    assert rivals(plan(3000, 2000, 1, SHA, (*DEFAULT_PRESETS, jpeg)))["medium.webp"] == {"medium.jpeg"}
    assert "medium.webp" not in rivals(plan(3000, 2000, 5, SHA, (*DEFAULT_PRESETS, jpeg)))


def test_a_verdict_falls_with_the_recipe_of_either() -> None:
    def verdict(**qualities: int) -> str:
        presets = [evolve(each, quality=qualities.get(each.format, 80)) for each in DEFAULT_PRESETS]
        return next(each.verdict for each in plan(3000, 2000, 1, SHA, presets) if each.name == "medium.avif")

    assert len({verdict(), verdict(webp=70), verdict(avif=70), verdict(webp=70, avif=70)}) == 4
    assert verdict() == verdict()


def test_animations_move_in_medium_and_large_webp() -> None:
    moving = [
        variant.rendition.name for variant in plan(3000, 2000, 40, SHA, DEFAULT_PRESETS) if variant.rendition.animated
    ]
    assert moving == ["medium-webp", "large-webp"]
    assert not any(variant.rendition.animated for variant in plan(3000, 2000, 1, SHA, DEFAULT_PRESETS))


@pytest.mark.parametrize("size", [(1, 1), (60, 60), (80, 80), (200, 100), (300, 300), (400, 300), (1000, 900)])
def test_of_an_animation_something_moves_and_nothing_comes_before_it(size: tuple[int, int]) -> None:
    variants = plan(*size, 2, SHA, DEFAULT_PRESETS)
    assert [each.format for each in variants if each.rendition.animated]
    assert {each.format for each in variants} == {"webp"}
    whole = [each for each in variants if (each.width, each.height) == size]
    assert [each.rendition.animated for each in whole] == [True]


def test_an_animation_that_no_preset_lets_move_is_a_picture_like_any() -> None:
    still = tuple(evolve(preset, animated=False) for preset in DEFAULT_PRESETS)
    assert planned(1000, 900, still, frames=2) == planned(1000, 900, still)


def test_a_box_beyond_the_original_changes_nothing() -> None:
    wider = tuple(
        evolve(preset, width=2560, height=2560) if preset.name == "large" else preset for preset in DEFAULT_PRESETS
    )
    assert plan(1900, 1000, 1, SHA, wider) == plan(1900, 1000, 1, SHA, DEFAULT_PRESETS)
    assert plan(2000, 1000, 1, SHA, wider) != plan(2000, 1000, 1, SHA, DEFAULT_PRESETS)


def test_the_pipeline_version_is_part_of_every_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {variant.fingerprint for variant in plan(3000, 2000, 1, SHA, DEFAULT_PRESETS)}
    monkeypatch.setattr(plan_module, "PIPELINE_VERSION", plan_module.PIPELINE_VERSION + 1)
    after = {variant.fingerprint for variant in plan(3000, 2000, 1, SHA, DEFAULT_PRESETS)}
    assert not before & after


def test_fingerprints_stay_what_they_are() -> None:
    """Published URLs hold them: a change here makes every variant of every gallery anew. Raise PIPELINE_VERSION
    knowingly instead."""
    rendition = Rendition("medium-webp", 800, 800, "webp", 80, 4)
    assert fingerprint(rendition, SHA) == "gbxzn7awoomaipho"


sides = st.integers(1, 60_000)
boxes = st.integers(1, 16_383)
presets = st.builds(
    Preset,
    name=st.sampled_from(["thumbnail", "small", "medium", "large", "og", "email"]),
    width=boxes,
    height=boxes,
    format=st.sampled_from(["webp", "avif", "jpeg"]),
    quality=st.integers(1, 100),
    fit=st.sampled_from(["inside", "cover"]),
    animated=st.booleans(),
)
ladders = st.lists(presets, min_size=1, unique_by=lambda preset: (preset.name, preset.format)).map(tuple)


def preset_of(variant: PlannedVariant, ladder: tuple[Preset, ...]) -> Preset:
    return next(each for each in ladder if (each.name, each.format) == (variant.variant_type, variant.format))


@given(sides, sides, st.integers(1, 50), ladders)
@example(1, 1, 1, DEFAULT_PRESETS)
@example(60_000, 1, 1, DEFAULT_PRESETS)
def test_within_the_box_and_never_enlarged(width: int, height: int, frames: int, ladder: tuple[Preset, ...]) -> None:
    for variant in plan(width, height, frames, SHA, ladder):
        preset, rendition = preset_of(variant, ladder), variant.rendition
        assert 1 <= variant.width <= rendition.width <= min(width, preset.width)
        assert 1 <= variant.height <= rendition.height <= min(height, preset.height)


@given(sides, sides, ladders)
def test_the_shape_is_the_original_or_the_box(width: int, height: int, ladder: tuple[Preset, ...]) -> None:
    """Within the rounding of each side to whole pixels, at least 1."""
    for variant in plan(width, height, 1, SHA, ladder):
        preset = preset_of(variant, ladder)
        shape = (preset.width, preset.height) if preset.fit == "cover" else (width, height)
        assert abs(variant.width * shape[1] - variant.height * shape[0]) <= shape[0] + shape[1]


@given(sides, sides, ladders)
@example(1, 1, DEFAULT_PRESETS)
def test_every_preset_is_made_or_stood_in_for(width: int, height: int, ladder: tuple[Preset, ...]) -> None:
    variants = plan(width, height, 1, SHA, ladder)
    made = {(variant.variant_type, variant.format): variant for variant in variants}
    whole = {variant.format for variant in variants if (variant.width, variant.height) == (width, height)}
    assert made
    for preset in ladder:
        dropped = (preset.name, preset.format) not in made
        assert not dropped or (size_of(preset, width, height) == (width, height) and preset.format in whole)
    assert of_stage(variants, Stage.FIRST)


@given(sides, sides, ladders)
def test_the_whole_original_is_rendered_at_most_once_a_format(
    width: int, height: int, ladder: tuple[Preset, ...]
) -> None:
    variants = plan(width, height, 1, SHA, ladder)
    whole = Counter(variant.format for variant in variants if (variant.width, variant.height) == (width, height))
    assert all(count == 1 for count in whole.values())
    names = [(variant.variant_type, variant.format) for variant in variants]
    assert len(set(names)) == len(names)
    assert len({variant.rendition.name for variant in variants}) == len(variants)


@given(sides, sides, st.integers(1, 3), ladders, st.randoms())
def test_the_order_of_presets_does_not_matter(
    width: int, height: int, frames: int, ladder: tuple[Preset, ...], random: Random
) -> None:
    shuffled = list(ladder)
    random.shuffle(shuffled)
    areas = Counter((preset.width * preset.height, preset.format) for preset in ladder)
    assume(max(areas.values()) == 1)  # between boxes of one area, the first one wins
    assert set(plan(width, height, frames, SHA, shuffled)) == set(plan(width, height, frames, SHA, ladder))


renditions = st.builds(
    Rendition,
    name=st.text(),
    width=boxes,
    height=boxes,
    format=st.sampled_from(["webp", "avif", "jpeg"]),
    quality=st.integers(1, 100),
    effort=st.integers(0, 9),
    crop=st.sampled_from([None, "centre", "attention"]),
    animated=st.booleans(),
)


@given(renditions, renditions, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_fingerprints_tell_recipes_and_originals_apart(
    one: Rendition, other: Rendition, sha: bytes, sha2: bytes
) -> None:
    assume(sha != sha2 or evolve(one, name="") != evolve(other, name=""))
    assert fingerprint(one, sha) != fingerprint(other, sha2)


@given(renditions, st.text())
def test_the_name_is_no_part_of_a_fingerprint(rendition: Rendition, name: str) -> None:
    assert re.fullmatch("[a-z2-7]{16}", fingerprint(rendition, SHA))
    assert fingerprint(evolve(rendition, name=name), SHA) == fingerprint(rendition, SHA)
