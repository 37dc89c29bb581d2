"""BlurHash: some thirty characters that a client turns into a blurred picture. Pure.

Written from the algorithm's description (https://github.com/woltapp/blurhash/blob/master/Algorithm.md), with one
difference that decoders do not notice: the cosines are at the middle of the pixels, as in the DCT, not at their edge.
So a picture of one colour has no other factor than that colour; usual encoders give it some.
"""

import math
import re
from collections.abc import Iterable, Sequence
from operator import mul
from typing import Final

from imagegallery.imaging.protocol import Colours, Pixels, Subject

SIDE: Final = 32
"""The side of the picture to hash, in pixels, for pictures of any shape."""

PIXELS: Final = Pixels(SIDE, comfortable_side=256, colours=Colours.LIGHT)

LONG_SIDE_COMPONENTS: Final = 4
SHORT_SIDE_COMPONENTS: Final = 3

LinearColour = tuple[float, float, float]
"""Red, green and blue of linear light, 0 to 1; a factor may be below 0."""

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_WAVES: Final = tuple(
    tuple(math.cos(math.pi * frequency * (place + 0.5) / SIDE) / SIDE for place in range(SIDE))
    for frequency in range(LONG_SIDE_COMPONENTS)
)


_HASH: Final = re.compile(rf"[{re.escape(_DIGITS)}]{{6,200}}")


def measure(subject: Subject) -> str:
    """The hash of a picture given as `PIXELS`."""
    return encode(memoryview(subject.pixels).cast("f"), is_upright=subject.height > subject.width)


def is_hash(data: object) -> bool:
    """Whether its characters can be a hash."""
    return isinstance(data, str) and _HASH.fullmatch(data) is not None


def mean_colour(blurhash: str) -> str:
    """The mean colour of the picture as ``#rrggbb``: characters 3 to 6 of the hash. Raises `ValueError` for no hash."""
    number = 0
    for character in blurhash[2:6]:
        number = number * 83 + _DIGITS.index(character)
    return f"#{number & 0xFFFFFF:06x}"


def encode(light: Sequence[float], *, is_upright: bool = False) -> str:
    """The hash of 32 x 32 pixels of linear ``light``: red, green, blue, row by row from the top.

    It has 4 components across and 3 down, or 3 and 4 for a picture that is taller than wide (``is_upright``).
    """
    across, down = LONG_SIDE_COMPONENTS, SHORT_SIDE_COMPONENTS
    if is_upright:
        across, down = down, across
    average, *others = _factors(light, across, down)
    loudest = max(abs(value) for factor in others for value in factor)
    step = max(0, min(82, math.floor(loudest * 166 - 0.5)))
    scale = (step + 1) / 166
    return "".join(
        (
            _digits(across - 1 + (down - 1) * 9, 1),
            _digits(step, 1),
            _digits(_pack(map(_srgb, average), 256), 4),
            *(_digits(_pack((_quantise(value / scale) for value in factor), 19), 2) for factor in others),
        )
    )


def _factors(light: Sequence[float], across: int, down: int) -> list[LinearColour]:
    """The amount of each cosine, starting with the constant one, row by row of their frequencies."""
    rows = [light[start : start + 3 * SIDE] for start in range(0, 3 * SIDE * SIDE, 3 * SIDE)]
    columns = [[[_sum(wave, row[channel::3]) for row in rows] for wave in _WAVES[:across]] for channel in range(3)]
    return [
        tuple((2 if v or h else 1) * _sum(_WAVES[v], column[h]) for column in columns)  # type: ignore[misc]  # three of them
        for v in range(down)
        for h in range(across)
    ]


def _sum(wave: Iterable[float], values: Iterable[float]) -> float:
    return float(sum(map(mul, wave, values)))


def _srgb(light: float) -> int:
    """8 bits of sRGB (IEC 61966-2-1)."""
    bounded = max(0.0, min(1.0, light))
    return round(255 * (12.92 * bounded if bounded <= 0.0031308 else 1.055 * bounded ** (1 / 2.4) - 0.055))


def _quantise(value: float) -> int:
    """0 to 18, 9 for nothing; small factors get more of the steps than large ones."""
    return max(0, min(18, math.floor(math.copysign(math.sqrt(abs(value)), value) * 9 + 9.5)))


def _pack(values: Iterable[int], base: int) -> int:
    number = 0
    for value in values:
        number = number * base + value
    return number


def _digits(number: int, length: int) -> str:
    return "".join(_DIGITS[number // 83**place % 83] for place in reversed(range(length)))
