"""pHash: a 64-bit hash of how a picture looks, which survives scaling and recompression. Pure.

The picture is reduced to 32 x 32 grey pixels and transformed to the frequency domain (DCT-II). Of the 8 x 8 lowest
frequencies, without the constant ones, one bit each says whether the cosine is positive. The method is that of C.
Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), section 3.1, but with zero instead
of the median, from which it differs little. So turning the picture only moves and flips bits, see
`imagegallery.images.duplicates.hamming`.
"""

import math
import re
from collections.abc import Iterable
from operator import mul
from typing import Final

from imagegallery.imaging.protocol import Colours, Pixels, Subject

SIDE: Final = 32
"""Pixels of either side of the picture to hash."""

PIXELS: Final = Pixels(SIDE, comfortable_side=64, colours=Colours.GREY)

_KEPT: Final = 8
# With fewer cosines than this, the rest is noise: a blank wall looks like any other.
_LEAST_DETAIL: Final = 16
# The cosines of frequencies 1 to 8, orthonormal, so that their factors are in units of grey.
_BASIS: Final = tuple(
    tuple(math.sqrt(2 / SIDE) * math.cos(math.pi * frequency * (2 * place + 1) / (2 * SIDE)) for place in range(SIDE))
    for frequency in range(1, _KEPT + 1)
)


_TEXT: Final = re.compile(r"[0-9a-f]{16}")


def measure(subject: Subject) -> str:
    """The hash of a picture given as `PIXELS`, in 16 hexadecimal digits: JSON has no 64-bit numbers."""
    return f"{phash(subject.pixels):016x}"


def is_hash(data: object) -> bool:
    return isinstance(data, str) and _TEXT.fullmatch(data) is not None


def phash(pixels: bytes) -> int:
    """The hash, 0 to 2**64 - 1, of 32 x 32 grey ``pixels``, row by row; 0 if there is too little detail.

    Bit ``8 * v + h`` is that of vertical frequency ``v + 1`` and horizontal frequency ``h + 1``.
    """
    rows = [pixels[start : start + SIDE] for start in range(0, SIDE * SIDE, SIDE)]
    columns = [[_factor(wave, row) for row in rows] for wave in _BASIS]
    factors = [round(_factor(wave, column)) for wave in _BASIS for column in columns]
    if sum(factor != 0 for factor in factors) < _LEAST_DETAIL:
        return 0
    return sum(1 << place for place, factor in enumerate(factors) if factor > 0)


def _factor(wave: Iterable[float], values: Iterable[float]) -> float:
    return float(sum(map(mul, wave, values)))
