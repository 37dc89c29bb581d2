"""From numbers to light and back to sRGB, compressing what is too bright for it.

Light is linear, and 1 is the white of paper: 203 cd/m2 in pictures of high dynamic range (ITU-R BT.2408). Imported only
in the decoder process.
"""

import pyvips

from imagegallery.imaging.decoder.colour import Colour, Curve, to_linear_srgb

PAPER_WHITE = 203.0
"""cd/m2."""
HLG_PEAK = 1000.0
"""The brightness in cd/m2 of the screen that HLG is graded for (ITU-R BT.2100 table 5)."""
PEAK_SIDE = 64
"""The brightest part is found in a picture of this side, in pixels, where single pixels do not count."""

# SMPTE ST 2084.
_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 32
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 128, 2392 / 128
_PQ_TOP = 10_000.0
# ITU-R BT.2100 table 5.
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_HLG_LUMINANCE = (0.2627, 0.6780, 0.0593)


def to_srgb(image: pyvips.Image, colour: Colour) -> pyvips.Image:
    """8-bit sRGB from three bands of 8 or 16 bits. Colours outside of sRGB are clipped."""
    linear = image.maplut(_curve(str(image.format), colour))
    if colour.curve is Curve.HLG:
        linear = _on_screen(linear)
    if colour.curve in (Curve.PQ, Curve.HLG):
        linear = _roll_off(linear)
    matrix = pyvips.Image.new_from_array([list(row) for row in to_linear_srgb(colour.primaries)])
    return linear.recomb(matrix).copy(interpretation="scrgb").colourspace("srgb")


def _curve(sample: str, colour: Colour) -> pyvips.Image:
    """The table from a number to its light."""
    deep = sample == "ushort"
    level = pyvips.Image.identity(ushort=deep) / (65535 if deep else 255)
    if colour.narrow:
        level = _within(level * (255 / 219) - 16 / 219)
    if colour.curve is Curve.SRGB:
        return (level <= 0.04045).ifthenelse(level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    if colour.curve is Curve.PQ:
        return _from_pq(level)
    if colour.curve is Curve.HLG:
        return (level <= 0.5).ifthenelse(level**2 / 3, (((level - _HLG_C) / _HLG_A).exp() + _HLG_B) / 12)
    return level**colour.curve


def _on_screen(scene: pyvips.Image) -> pyvips.Image:
    """Light of the screen from light of the scene, which HLG stores."""
    luminance = scene.recomb(pyvips.Image.new_from_array([list(_HLG_LUMINANCE)]))
    return scene * luminance**0.2 * (HLG_PEAK / PAPER_WHITE)


def _roll_off(linear: pyvips.Image) -> pyvips.Image:
    """Compress what is brighter than paper (the EETF of ITU-R BT.2390 section 5.4.1), keeping the hue."""
    brightest = linear[0].bandrank([linear[1], linear[2]], index=2).copy_memory()
    peak = _peak(brightest)
    if peak <= 1:
        return linear
    top, paper = _to_pq(_single(peak)).avg(), _to_pq(_single(1)).avg()
    relative, most = _to_pq(brightest) / top, paper / top
    knee = 1.5 * most - 0.5
    t = _within((relative - knee) / (1 - knee))
    bent = (t**3 * 2 - t**2 * 3 + 1) * knee + (t**3 - t**2 * 2 + t) * (1 - knee) + (t**2 * 3 - t**3 * 2) * most
    mapped = _from_pq((relative < knee).ifthenelse(relative, bent) * top)
    return linear * (brightest > 0).ifthenelse(mapped / brightest, 1)


def _peak(brightest: pyvips.Image) -> float:
    shrink = max(1, brightest.width // PEAK_SIDE, brightest.height // PEAK_SIDE)
    across, down = min(shrink, brightest.width), min(shrink, brightest.height)
    return brightest.shrink(across, down).maxpos()[0]


def _from_pq(level: pyvips.Image) -> pyvips.Image:
    root = level ** (1 / _PQ_M2)
    above = root - _PQ_C1
    share = (above > 0).ifthenelse(above, 0) / (_PQ_C2 - root * _PQ_C3)
    return share ** (1 / _PQ_M1) * (_PQ_TOP / PAPER_WHITE)


def _to_pq(light: pyvips.Image) -> pyvips.Image:
    power = (light * (PAPER_WHITE / _PQ_TOP)) ** _PQ_M1
    return ((power * _PQ_C2 + _PQ_C1) / (power * _PQ_C3 + 1)) ** _PQ_M2


def _single(value: float) -> pyvips.Image:
    return pyvips.Image.new_from_array([[value]])


def _within(level: pyvips.Image) -> pyvips.Image:
    """Between 0 and 1."""
    positive = (level > 0).ifthenelse(level, 0)
    return (positive < 1).ifthenelse(positive, 1)
