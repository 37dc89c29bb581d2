from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from imagegallery.errors import ConfigurationError
from imagegallery.imaging.limits import DEFAULT_AVIF_EFFORT, DEFAULT_WEBP_EFFORT
from imagegallery.settings import Settings
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


def test_a_preset_is_added_to_the_default_ones_or_changes_one() -> None:
    jpeg = Preset("medium", 800, 800, "jpeg", 80)
    sharper = Preset("medium", 800, 800, "avif", 80)
    options = VariantOptions(extra_presets=(jpeg, sharper))
    assert options.all_presets == (*(sharper if each.quality == 65 else each for each in DEFAULT_PRESETS), jpeg)
    assert jpeg.effort == 0


def test_one_line_of_toml_adds_a_preset(tmp_path: Path) -> None:
    config = tmp_path / "imagegallery.toml"
    preset = '{name = "hero", width = 2560, height = 2560, format = "avif", quality = 70}'
    config.write_text(f"[imagegallery]\nvariants.extra_presets = [{preset}]\n")
    options = Settings.from_env(config).variants
    assert options.all_presets == (*DEFAULT_PRESETS, Preset("hero", 2560, 2560, "avif", 70))
    assert options.ladder == ("thumbnail", "small", "medium", "large", "hero")

    config.write_text(f"[imagegallery]\nvariants.extra_presets = [{preset.replace('quality', 'qality')}]\n")
    with pytest.raises(ConfigurationError, match="qality"):
        Settings.from_env(config)


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
    assert VariantOptions((), extra_presets=(MEDIUM,)).all_presets == (MEDIUM,)
