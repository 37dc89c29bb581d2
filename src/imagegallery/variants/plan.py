"""Which variants an image gets, with which size, fingerprint and order. Pure.

Nothing is ever enlarged. Presets that would show the whole original at its full size collapse: one rendering per format
with the best quality among them is made, under the name of the smallest, and it is animated if one of them is. So each
preset is either made or replaced, and every image has a variant to show, down to 1 x 1 pixel.

A variant in a format that fewer browsers show is only kept if it has fewer bytes than its *rivals*: the same picture in
formats that more browsers show. Others are left out.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum

from attrs import asdict, evolve, frozen

from imagegallery.images.presentation.responsive import rank
from imagegallery.imaging.protocol import ANIMATED_FORMATS, Rendition
from imagegallery.variants.preset import Preset

PIPELINE_VERSION = 2
"""Incremented when the same recipe gives another picture, so that variants are made again."""

_SLOW_FORMATS = ("avif",)


class Stage(StrEnum):
    """``FIRST`` makes the image usable; ``LATER`` are the slow formats that follow."""

    FIRST = "first"
    LATER = "later"


@frozen
class PlannedVariant:
    """A variant to make. ``width`` and ``height`` are expected: the renderer's may differ by a pixel.

    ``rivals`` are the fingerprints of variants that it must be smaller than.
    """

    variant_type: str
    format: str
    width: int
    height: int
    fingerprint: str
    stage: Stage
    rendition: Rendition
    rivals: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name among an image's variants: ``medium.webp``."""
        return f"{self.variant_type}.{self.format}"

    @property
    def verdict(self) -> str:
        """The record of having been left out, valid for these recipes and this original."""
        return " ".join((self.fingerprint, *self.rivals))


def plan(width: int, height: int, frames: int, sha256: bytes, presets: Sequence[Preset]) -> tuple[PlannedVariant, ...]:
    """The variants of an original of ``width`` x ``height`` pixels (as seen) with this content, smallest first."""
    kept = _collapse(width, height, presets)
    if frames > 1 and any(_can_move(preset) for preset in kept):
        # Browsers that show the slow formats take them first, and would see it stand still.
        kept = [preset for preset in kept if preset.format not in _SLOW_FORMATS]
    stages = {image_format: _stage(image_format, kept) for image_format in _formats(kept)}
    planned = [_plan_one(preset, width, height, frames, sha256, stages[preset.format]) for preset in kept]
    planned = [evolve(variant, rivals=_rivals(variant, planned, (width, height))) for variant in planned]
    return tuple(sorted(planned, key=lambda variant: variant.width * variant.height))


def of_stage(planned: Iterable[PlannedVariant], stage: Stage) -> tuple[PlannedVariant, ...]:
    """The variants of ``stage``."""
    return tuple(variant for variant in planned if variant.stage is stage)


def fingerprint(rendition: Rendition, sha256: bytes) -> str:
    """16 characters (80 bits in base32) of the original's bytes and everything that determines the picture.

    The recipe counts as it applies to this original: a wider box changes nothing for a smaller image.
    """
    recipe = json.dumps(asdict(evolve(rendition, name="")), sort_keys=True)
    digest = hashlib.sha256(f"{PIPELINE_VERSION}\n{sha256.hex()}\n{recipe}".encode()).digest()
    return base64.b32encode(digest[:10]).decode().lower()


def size_of(preset: Preset, width: int, height: int) -> tuple[int, int]:
    """The size in pixels, at least 1 x 1, of an original of ``width`` x ``height`` in this preset."""
    if preset.fit == "cover":
        # A box larger than the original shrinks with its own shape: a square thumbnail stays square.
        shrunk = min(1.0, width / preset.width, height / preset.height)
        return _pixels(preset.width * shrunk, width), _pixels(preset.height * shrunk, height)
    scale = min(1.0, preset.width / width, preset.height / height)
    return _pixels(width * scale, width), _pixels(height * scale, height)


def _pixels(length: float, limit: int) -> int:
    return max(1, min(limit, int(length + 0.5)))


def _collapse(width: int, height: int, presets: Sequence[Preset]) -> list[Preset]:
    """The presets, with one per format instead of all that would show the original at its full size."""
    by_size = sorted(presets, key=lambda preset: preset.width * preset.height)
    whole = [preset for preset in by_size if _is_whole(preset, width, height)]
    merged = [_merge([each for each in whole if each.format == image_format]) for image_format in _formats(whole)]
    return [*merged, *(preset for preset in presets if preset not in whole)]


def _merge(presets: Sequence[Preset]) -> Preset:
    """One preset for several, smallest first, that would give the same picture."""
    best = max(presets, key=lambda preset: preset.quality)
    return evolve(best, name=presets[0].name, animated=any(preset.animated for preset in presets))


def _formats(presets: Iterable[Preset]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(preset.format for preset in presets))


def _can_move(preset: Preset) -> bool:
    return preset.animated and preset.format in ANIMATED_FORMATS


def _is_whole(preset: Preset, width: int, height: int) -> bool:
    return size_of(preset, width, height) == (width, height)


def _rivals(variant: PlannedVariant, planned: Sequence[PlannedVariant], original: tuple[int, int]) -> tuple[str, ...]:
    """The fingerprints of variants that show the same picture in formats that more browsers show."""
    shown = _picture(variant, original)
    rivals = [each for each in planned if rank(each.format) < rank(variant.format)]
    return tuple(sorted(each.fingerprint for each in rivals if _picture(each, original) == shown))


def _picture(variant: PlannedVariant, original: tuple[int, int]) -> tuple[tuple[int, int], str | None, bool]:
    """What is seen: at the original's size it is all of it, whether it was to be cut or not."""
    size, rendition = (variant.width, variant.height), variant.rendition
    return size, None if size == original else rendition.crop, rendition.animated


def _stage(image_format: str, presets: Sequence[Preset]) -> Stage:
    """Slow formats come later, unless nothing else can be shown first."""
    has_fast = any(preset.format not in _SLOW_FORMATS for preset in presets)
    return Stage.LATER if has_fast and image_format in _SLOW_FORMATS else Stage.FIRST


def _plan_one(preset: Preset, width: int, height: int, frames: int, sha256: bytes, stage: Stage) -> PlannedVariant:
    made_width, made_height = size_of(preset, width, height)
    rendition = _rendition(preset, width, height, frames)
    return PlannedVariant(
        variant_type=preset.name,
        format=preset.format,
        width=made_width,
        height=made_height,
        fingerprint=fingerprint(rendition, sha256),
        stage=stage,
        rendition=rendition,
    )


def _rendition(preset: Preset, width: int, height: int, frames: int) -> Rendition:
    """The box is never larger than the original, so that no renderer can enlarge it."""
    covers = preset.fit == "cover"
    box = size_of(preset, width, height) if covers else (min(preset.width, width), min(preset.height, height))
    return Rendition(
        name=f"{preset.name}-{preset.format}",
        width=box[0],
        height=box[1],
        format=preset.format,
        quality=preset.quality,
        effort=preset.effort,
        crop=preset.crop if covers else None,
        animated=_can_move(preset) and frames > 1,
    )
