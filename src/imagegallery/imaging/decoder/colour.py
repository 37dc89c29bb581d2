"""The meaning of a picture's numbers without a profile: primaries, and the curve from number to light. Pure.

Code points are those of ITU-T H.273 (CICP), which PNG has in cICP, AVIF and HEIF in a colour box of type nclx.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from attrs import frozen

Point = tuple[float, float]
"""Chromaticity: x and y of CIE 1931."""
Matrix = tuple[tuple[float, float, float], ...]

D65: Final[Point] = (0.3127, 0.3290)


class Curve(StrEnum):
    """From number to light: sRGB's own, and the two of high dynamic range (ITU-R BT.2100)."""

    SRGB = "srgb"
    PQ = "pq"
    HLG = "hlg"


@frozen
class Primaries:
    """Where red, green, blue and white are."""

    red: Point
    green: Point
    blue: Point
    white: Point = D65


@frozen
class Colour:
    """``curve`` as a number is the exponent of a plain power.

    ``narrow``: black is at 16 and white at 235 of 255, as in video.
    """

    primaries: Primaries
    curve: Curve | float
    narrow: bool = False


SRGB: Final = Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
BT2020: Final = Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
DISPLAY_P3: Final = Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
_SMPTE_C: Final = Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))

ADOBE_RGB: Final = Colour(Primaries((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)), 563 / 256)

# H.273 table 2.
_PRIMARIES: Final[Mapping[int, Primaries]] = {
    1: SRGB,
    4: Primaries((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), (0.310, 0.316)),
    5: Primaries((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    6: _SMPTE_C,
    7: _SMPTE_C,
    9: BT2020,
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: DISPLAY_P3,
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
# H.273 table 3. Those of standard video (1, 6, 7, 14, 15) are read by sRGB's curve, as browsers do: files seldom
# describe their pixels correctly.
_CURVES: Final[Mapping[int, Curve | float]] = {4: 2.2, 5: 2.8, 8: 1.0, 16: Curve.PQ, 17: 2.6, 18: Curve.HLG}

# Powers beyond these are damage. Powers within this many percent of sRGB's are sRGB.
_LEAST_POWER, _GREATEST_POWER = 0.5, 5.0
_SRGB_POWER, _TOLERANCE = 2.2, 0.01
_SCALE = 100_000


def from_code_points(primaries: int, transfer: int, *, narrow: bool = False) -> Colour | None:
    """The colour of these code points, or ``None`` for unknown ones, which mean sRGB."""
    colour = Colour(_PRIMARIES.get(primaries, SRGB), _CURVES.get(transfer, Curve.SRGB), narrow)
    return None if colour == Colour(SRGB, Curve.SRGB) else colour


def from_gamma(gamma: int, chromaticities: Sequence[int]) -> Colour | None:
    """The colour of PNG's chunks gAMA and cHRM (third edition, sections 11.3.2.1 and 11.3.2.2), in their own units.

    ``gamma`` is 0 without one. ``chromaticities`` are x and y of white, red, green and blue, or empty.
    """
    primaries = SRGB
    if len(chromaticities) == 8:
        x, y = chromaticities[::2], chromaticities[1::2]
        white, red, green, blue = ((one / _SCALE, other / _SCALE) for one, other in zip(x, y, strict=True))
        given = Primaries(red, green, blue, white)
        if _is_possible(given) and not _is_srgb(given):
            primaries = given
    curve: Curve | float = _SCALE / gamma if gamma else Curve.SRGB
    if isinstance(curve, float) and not (
        _LEAST_POWER <= curve <= _GREATEST_POWER and abs(curve / _SRGB_POWER - 1) > _TOLERANCE
    ):
        curve = Curve.SRGB
    colour = Colour(primaries, curve)
    return None if colour == Colour(SRGB, Curve.SRGB) else colour


def to_linear_srgb(primaries: Primaries) -> Matrix:
    """The matrix from light in these primaries to light in those of sRGB; white becomes white (Bradford)."""
    adapted = _product(_bradford(primaries.white), _to_xyz(primaries))
    return _product(_inverse(_to_xyz(SRGB)), adapted)


def _is_possible(primaries: Primaries) -> bool:
    points = (primaries.red, primaries.green, primaries.blue)
    (x1, y1), (x2, y2), (x3, y3) = points
    area = abs((x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1)) / 2
    return area > 0.01 and primaries.white[1] > 0.01 and all(x <= 1 and y <= 1 for x, y in points)


def _is_srgb(given: Primaries) -> bool:
    pairs = zip(
        (given.red, given.green, given.blue, given.white), (SRGB.red, SRGB.green, SRGB.blue, SRGB.white), strict=True
    )
    return all(abs(one[0] - other[0]) < _TOLERANCE and abs(one[1] - other[1]) < _TOLERANCE for one, other in pairs)


def _to_xyz(primaries: Primaries) -> Matrix:
    """From light in these primaries to CIE XYZ (SMPTE RP 177)."""
    columns = [(x, y, 1 - x - y) for x, y in (primaries.red, primaries.green, primaries.blue)]
    unscaled: Matrix = tuple(zip(*columns, strict=True))
    scale = _apply(_inverse(unscaled), _xyz(primaries.white))
    return tuple((row[0] * scale[0], row[1] * scale[1], row[2] * scale[2]) for row in unscaled)


def _bradford(white: Point) -> Matrix:
    """From XYZ as seen under this white to XYZ under D65."""
    cones: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
    source, target = _apply(cones, _xyz(white)), _apply(cones, _xyz(D65))
    scaled: Matrix = tuple(
        (row[0] * to / of, row[1] * to / of, row[2] * to / of)
        for row, of, to in zip(cones, source, target, strict=True)
    )
    return _product(_inverse(cones), scaled)


def _xyz(point: Point) -> tuple[float, float, float]:
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _apply(matrix: Matrix, vector: Sequence[float]) -> tuple[float, ...]:
    return tuple(sum(one * other for one, other in zip(row, vector, strict=True)) for row in matrix)


def _product(one: Matrix, other: Matrix) -> Matrix:
    columns: Matrix = tuple(zip(*other, strict=True))
    return tuple((r[0], r[1], r[2]) for r in (_apply(columns, row) for row in one))


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return (
        ((e * i - f * h) / determinant, (c * h - b * i) / determinant, (b * f - c * e) / determinant),
        ((f * g - d * i) / determinant, (a * i - c * g) / determinant, (c * d - a * f) / determinant),
        ((d * h - e * g) / determinant, (b * g - a * h) / determinant, (a * e - b * d) / determinant),
    )
