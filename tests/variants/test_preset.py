from typing import Any

import pytest
from attrs import evolve

from imagegallery.errors import ConfigurationError
from imagegallery.imaging.limits import DEFAULT_AVIF_EFFORT, DEFAULT_WEBP_EFFORT
from imagegallery.variants.preset import DEFAULT_PRESETS, Preset, VariantOptions

MEDIUM = Preset("medium", 800, 800, "webp", 80)


def test_defaults_are_those_of_the_design() -> None:
    assert [(preset.name, preset.width, preset.fit, preset.format, preset.quality) for preset in DEFAULT_PRESETS] == [
        ("thumbnail", 80, "cover", "webp", 70),
        ("small", 300, "inside", "webp", 75),
        ("small", 300, "inside", "avif", 55),
        ("medium", 800, "inside", "webp", 80),
        ("medium", 800, "inside", "avif", 65),
        ("large", 1920, "inside", "webp", 85),
        ("large", 1920, "inside", "avif", 70),
    ]
    assert {(preset.name, preset.format) for preset in DEFAULT_PRESETS if preset.animated} == {
        ("medium", "webp"),
        ("large", "webp"),
    }
    assert all(preset.width == preset.height for preset in DEFAULT_PRESETS)


def test_effort_follows_the_format_unless_given() -> None:
    assert MEDIUM.effort == DEFAULT_WEBP_EFFORT
    assert Preset("medium", 800, 800, "avif", 65).effort == DEFAULT_AVIF_EFFORT
    assert Preset("medium", 800, 800, "avif", 65, effort=9).effort == 9


def test_a_jpeg_fallback_is_one_more_preset() -> None:
    options = VariantOptions((*DEFAULT_PRESETS, Preset("medium", 800, 800, "jpeg", 80)))
    assert options.presets[-1].effort == 0


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"name": "../x"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "Medium"}, "name"),
        ({"name": "medium\n"}, "name"),
        ({"width": 0}, "sides"),
        ({"height": 16_384}, "sides"),
        ({"format": "tiff"}, "formats"),
        ({"quality": 0}, "quality"),
        ({"quality": 101}, "quality"),
        ({"effort": 7}, "effort"),
        ({"effort": -1}, "effort"),
        ({"fit": "fill"}, "fit"),
        ({"crop": "face"}, "crop"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_by_name(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(ConfigurationError, match=rule):
        evolve(MEDIUM, **change)


def test_two_recipes_for_one_variant_or_none_at_all_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="twice"):
        VariantOptions((MEDIUM, evolve(MEDIUM, quality=90)))
    with pytest.raises(ConfigurationError, match="At least one"):
        VariantOptions(())
