"""Presets: the recipes of variants. Pure."""

import re
from typing import Literal

from attrs import Factory, field, frozen

from imagegallery.errors import ConfigurationError
from imagegallery.imaging.limits import DEFAULT_AVIF_EFFORT, DEFAULT_WEBP_EFFORT

Fit = Literal["inside", "cover"]
Crop = Literal["centre", "attention"]
ImageFormat = Literal["webp", "avif", "jpeg"]

# Encoders' own scales (`imaging.protocol.Rendition`); JPEG has none.
MAX_EFFORT = {"webp": 6, "avif": 9, "jpeg": 0}
DEFAULT_EFFORT = {"webp": DEFAULT_WEBP_EFFORT, "avif": DEFAULT_AVIF_EFFORT, "jpeg": 0}
MAX_SIDE = 16383  # the most that WebP can hold (RFC 9649 section 2.6)

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)


@frozen
class Preset:
    """How to make the variant ``name`` in one format.

    The picture fits ``inside`` the box of ``width`` x ``height`` pixels, or is made to ``cover`` it and cut at the
    ``centre`` or around the most salient part (``attention``). ``quality`` is 1 to 100; ``effort`` is the encoder's own
    scale (default: chosen for the format). With ``animated``, an animation stays one if the format allows. Raises
    `ConfigurationError` for an impossible recipe.
    """

    name: str
    width: int
    height: int
    format: ImageFormat
    quality: int
    fit: Fit = "inside"
    crop: Crop = "centre"
    animated: bool = False
    effort: int = field(default=Factory(lambda self: DEFAULT_EFFORT.get(self.format, 0), takes_self=True))

    def __attrs_post_init__(self) -> None:
        rules = {
            "a name is 1 to 32 of a-z, 0-9, - and _": bool(_NAME.fullmatch(self.name)),
            f"sides are 1 to {MAX_SIDE} pixels": 1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE,
            f"formats are {', '.join(MAX_EFFORT)}": self.format in MAX_EFFORT,
            "quality is 1 to 100": 1 <= self.quality <= 100,
            "effort is beyond the encoder's scale": 0 <= self.effort <= MAX_EFFORT.get(self.format, self.effort),
            "fit is inside or cover": self.fit in ("inside", "cover"),
            "crop is centre or attention": self.crop in ("centre", "attention"),
        }
        for rule, kept in rules.items():
            if not kept:
                raise ConfigurationError(f"Preset {self.name!r} ({self.format}): {rule}.")


DEFAULT_PRESETS = (
    Preset("thumbnail", 80, 80, "webp", 70, fit="cover"),
    Preset("small", 300, 300, "webp", 75),
    Preset("small", 300, 300, "avif", 55),
    Preset("medium", 800, 800, "webp", 80, animated=True),
    Preset("medium", 800, 800, "avif", 65),
    Preset("large", 1920, 1920, "webp", 85, animated=True),
    Preset("large", 1920, 1920, "avif", 70),
)


def _check_presets(_options: object, _attribute: object, presets: tuple[Preset, ...]) -> None:
    made = [(preset.name, preset.format) for preset in presets]
    for name, image_format in made:
        if made.count((name, image_format)) > 1:
            raise ConfigurationError(f"Preset {name!r} ({image_format}) is there twice.")


@frozen
class VariantOptions:
    """The variants of every image. Changes apply to images processed later.

    ``presets`` replaces the table; ``extra_presets`` adds to it, or changes the recipe of the same name and format.
    """

    presets: tuple[Preset, ...] = field(default=DEFAULT_PRESETS, validator=_check_presets)
    extra_presets: tuple[Preset, ...] = field(default=(), validator=_check_presets)

    def __attrs_post_init__(self) -> None:
        if not self.all_presets:
            raise ConfigurationError("At least one preset is needed: no original is shown in place of a variant.")

    @property
    def all_presets(self) -> tuple[Preset, ...]:
        """The recipes in use."""
        by_name = {(preset.name, preset.format): preset for preset in (*self.presets, *self.extra_presets)}
        return tuple(by_name.values())

    @property
    def ladder(self) -> tuple[str, ...]:
        """The names of the variants, from the smallest box to the largest."""
        by_size = sorted(self.all_presets, key=lambda preset: preset.width * preset.height)
        return tuple(dict.fromkeys(preset.name for preset in by_size))
