"""Whether there is still something to see: a cheap check of our own results.

A fault in a conversion or an encoder seldom raises: it makes a picture transparent, black or of one colour. So a few
pixels are compared before and after. Imported only in the decoder process.
"""

import pyvips
from attrs import frozen

from imagegallery.errors import BadImage

SAMPLES = 128
"""Pixels looked at along either side."""

# Shares of the whole range. Everybody sees what is above the first, nobody what is below the second.
_SOME_OPACITY = 0.02
_SOME_CONTRAST, _NO_CONTRAST = 0.05, 0.004
_SOME_LIGHT, _NO_LIGHT = 0.4, 0.01
_SAME = 0.1


@frozen
class Sight:
    """Of all pixels: mean opacity, mean brightness of the brightest band, and deviation of the most varied one."""

    opacity: float
    light: float
    contrast: float


def see(image: pyvips.Image) -> Sight:
    """``image`` is in memory, or small."""
    across, down = max(1, image.width // SAMPLES), max(1, image.height // SAMPLES)
    sampled = image.subsample(across, down) / (65535 if image.format == "ushort" else 255)
    stats = sampled.stats()
    colours = image.bands - image.hasalpha()
    # A row for each band, after one for all: the fifth number is the mean, the sixth the deviation.
    means = [stats(4, band + 1)[0] for band in range(image.bands)]
    return Sight(
        opacity=means[-1] if image.hasalpha() else 1.0,
        # Of inks, more is darker.
        light=0.0 if image.interpretation == "cmyk" else max(means[:colours]),
        contrast=max(stats(5, band + 1)[0] for band in range(colours)),
    )


def check_conversion(before: Sight, after: Sight) -> None:
    """Colours may have changed. Raises `BadImage` if nothing is left of a picture with something to see."""
    if before.opacity < _SOME_OPACITY:
        return
    is_clear = after.opacity < before.opacity / 2
    is_flat = before.contrast > _SOME_CONTRAST and after.contrast < _NO_CONTRAST
    is_black = before.light > _SOME_LIGHT and after.light < _NO_LIGHT
    if is_clear or is_flat or is_black:
        raise _empty()


def check_encoding(before: Sight, after: Sight) -> None:
    """Only details may have changed. Raises `BadImage` if it is another picture."""
    is_alike = abs(before.opacity - after.opacity) < _SAME and (
        before.opacity < _SOME_OPACITY or abs(before.light - after.light) < _SAME
    )
    if not is_alike or (before.contrast > _SOME_CONTRAST and after.contrast < _NO_CONTRAST):
        raise _empty()


def _empty() -> BadImage:
    return BadImage("rendering_empty", "What we made of this picture is empty, and was not kept.")
