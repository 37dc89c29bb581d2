"""Operations on decoded pixels: sizes, orientation, colour, crops. Imported only in the decoder process.

Several frames are below each other in one strip. Each is processed alone, so no row of one bleeds into the next.
"""

from collections.abc import Callable, Sequence
from typing import cast

import pyvips

from imagegallery.imaging.decoder import light
from imagegallery.imaging.decoder.colour import Colour
from imagegallery.imaging.decoder.sizes import Size
from imagegallery.imaging.formats import gif

WHITE: list[float] = [255, 255, 255]
OPAQUE = 255

GRAPHIC_ROWS = 128
"""About this many rows are enough to decide whether a picture `is_graphic`."""
GRAPHIC_SHARE = 0.7

SHORTEST_DELAY, USUAL_DELAY = 10, 100
"""Milliseconds: browsers show a frame of at most the first delay for the second."""

Change = Callable[[pyvips.Image], pyvips.Image]


def each_frame(strip: pyvips.Image, frames: int, change: Change) -> pyvips.Image:
    """Apply ``change`` to every frame of the strip, which must be in memory if it has several."""
    return _join([change(frame(strip, frames, index)) for index in range(frames)])


def strip(frames: Sequence[pyvips.Image], every: int = 1) -> pyvips.Image:
    """One strip of these frames, each in place of ``every`` original ones, and shown as long as they."""
    joined = _join(frames)
    if every > 1 and joined.get_typeof("delay"):
        delays = [delay if delay > SHORTEST_DELAY else USUAL_DELAY for delay in cast(list[int], joined.get("delay"))]
        sums = [sum(delays[start : start + every]) for start in range(0, len(delays), every)]
        joined.set_type(pyvips.GValue.array_int_type, "delay", sums)
    return joined


def _join(frames: Sequence[pyvips.Image]) -> pyvips.Image:
    if len(frames) == 1:
        return frames[0]
    joined = pyvips.Image.arrayjoin([*frames], across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    return joined


def frame(strip: pyvips.Image, frames: int, index: int) -> pyvips.Image:
    height = strip.height // frames
    return strip.crop(0, index * height, strip.width, height)


def resize(image: pyvips.Image, size: Size) -> pyvips.Image:
    """One frame at exactly this size (Lanczos). Colours under transparent pixels do not bleed into visible ones."""
    if (image.width, image.height) == size:
        return image
    across, down = size[0] / image.width, size[1] / image.height
    if not image.hasalpha():
        return image.resize(across, vscale=down)
    resized = image.premultiply().resize(across, vscale=down).unpremultiply()
    return resized.rint().cast(image.format)


def upright(image: pyvips.Image) -> pyvips.Image:
    """One frame, in memory, with its EXIF orientation applied."""
    return image.autorot()


def to_srgb(image: pyvips.Image, colour: Colour | None = None) -> pyvips.Image:
    """8-bit sRGB with or without alpha, from anything: grey, CMYK, 16 bits, other RGB spaces.

    ``colour`` is the meaning of the numbers. Without it an embedded profile is used, unless it is broken or does not
    fit the picture's colours.
    """
    if not image.hasalpha():
        return _colours_to_srgb(image, colour)
    bands = image.bands - 1
    alpha = image[bands]
    if image.format == "ushort":
        alpha = alpha >> 8
    colours = _colours_to_srgb(image.extract_band(0, n=bands), colour)
    # An alpha channel costs bytes, and lossy encoding never leaves it quite opaque.
    return colours if alpha.min() == OPAQUE else colours.bandjoin(alpha.cast("uchar"))


def straight(image: pyvips.Image) -> pyvips.Image:
    """Undo the multiplication of colours by alpha."""
    return image.unpremultiply().rint().cast(image.format)


def stretch(image: pyvips.Image) -> pyvips.Image:
    """Stretch grey from 16..235, as in video, to 0..255 (of 8 bits; accordingly of 16), keeping alpha."""
    unit = 257 if image.format == "ushort" else 1
    colours = image.extract_band(0, n=image.bands - 1) if image.hasalpha() else image
    wide = ((colours - 16 * unit) * (255 / 219)).rint().cast(image.format)
    return wide.bandjoin(image[image.bands - 1]) if image.hasalpha() else wide


def coverage(frames: Sequence[gif.Frame], width: int, height: int) -> pyvips.Image:
    """Alpha of a GIF without transparent colours, one frame below the other: opaque where something has been drawn."""
    canvas = pyvips.Image.black(width, height).copy_memory()
    shown = []
    for each in frames:
        drawn = _fill(canvas, each, 255)
        shown.append(drawn)
        if each.disposal == gif.CLEAR:
            canvas = _fill(drawn, each, 0)
        elif each.disposal != gif.RESTORE:
            canvas = drawn
    return pyvips.Image.arrayjoin(shown, across=1)


def above(image: pyvips.Image, rows: int) -> pyvips.Image:
    """The first rows, and transparent below."""
    there = image.crop(0, 0, image.width, rows)
    return (there if there.hasalpha() else there.addalpha()).embed(0, 0, image.width, image.height)


def coarse(image: pyvips.Image, across: int, down: int) -> pyvips.Image:
    """Blocks of one colour, that of the pixel in their upper left corner."""
    width, height = (-(-image.width // across) * across), (-(-image.height // down) * down)
    blocks = image.embed(0, 0, width, height, extend="copy").subsample(across, down).zoom(across, down)
    return blocks.crop(0, 0, image.width, image.height)


def repeat_rows(image: pyvips.Image) -> pyvips.Image:
    """Repeat the last decoded row in place of missing rows of an interlaced GIF (section 20)."""
    image = image.copy_memory()
    for down in (2, 4, 8):
        is_missing = image[image.bands - 1].relational_const("equal", [0])
        image = is_missing.ifthenelse(coarse(image, 1, down), image).copy_memory()
    return image


def _fill(canvas: pyvips.Image, frame: gif.Frame, value: int) -> pyvips.Image:
    return canvas.draw_rect([value], frame.left, frame.top, frame.width, frame.height, fill=True)


def crop_offset(image: pyvips.Image, size: Size, crop: str) -> Size:
    """Left and top of the part to keep: the middle, or with ``attention`` the part that a person looks at first."""
    if crop == "attention":
        chosen = image.smartcrop(*size, interesting="attention")
        return -chosen.xoffset, -chosen.yoffset
    return (image.width - size[0]) // 2, (image.height - size[1]) // 2


def flatten(image: pyvips.Image) -> pyvips.Image:
    """Without alpha, on white."""
    return image.flatten(background=WHITE) if image.hasalpha() else image


def is_graphic(image: pyvips.Image) -> bool:
    """Whether most pixels equal their neighbour on the left: drawn, not photographed."""
    rows = image.subsample(1, max(1, image.height // GRAPHIC_ROWS))
    if rows.width == 1:
        return False
    left, right = rows.crop(0, 0, rows.width - 1, rows.height), rows.crop(1, 0, rows.width - 1, rows.height)
    return left.relational(right, "equal").bandand().avg() >= GRAPHIC_SHARE * 255


def _colours_to_srgb(image: pyvips.Image, colour: Colour | None) -> pyvips.Image:
    if colour is not None and image.interpretation != "cmyk":
        return light.to_srgb(image if image.bands == 3 else image.bandjoin(image).bandjoin(image), colour)
    if image.get_typeof("icc-profile-data"):
        try:
            # Without a depth, 16 bits stay 16.
            return image.icc_transform("srgb", embedded=True, intent="perceptual", depth=8).copy_memory()
        except pyvips.Error:
            image = image.copy()
            image.remove("icc-profile-data")
    return _from_inks(image) if image.interpretation == "cmyk" else image.colourspace("srgb")


def _from_inks(image: pyvips.Image) -> pyvips.Image:
    """Cyan, magenta, yellow and black without a profile, as browsers show them: each takes all its light away."""
    paper = image.linear([-1] * 4, [255] * 4)
    colours = paper.extract_band(0, n=3) * paper[3] / 255
    return colours.rint().cast("uchar").copy(interpretation="srgb")
