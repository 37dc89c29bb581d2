"""What is done to decoded pixels: sizes, orientation, colour, crops. Imported only in the decoder process.

Several frames lie below each other in one strip; each is treated alone, so no row of one bleeds into the next.
"""

from collections.abc import Callable, Sequence

import pyvips

from imagegallery.imaging.ladder import Size

WHITE = [255, 255, 255]

SHORTEST_DELAY, USUAL_DELAY = 10, 100
"""Milliseconds: a frame that claims to be shown no longer than the first, browsers show as long as the second."""

Change = Callable[[pyvips.Image], pyvips.Image]


def each_frame(strip: pyvips.Image, frames: int, change: Change) -> pyvips.Image:
    """The strip with ``change`` made to every frame. The strip must be in memory when it has several."""
    return _joined([change(frame(strip, frames, index)) for index in range(frames)])


def strip(frames: Sequence[pyvips.Image], every: int = 1) -> pyvips.Image:
    """One strip of these frames, of which each stands for ``every`` so many that there were, and is shown as long."""
    joined = _joined(frames)
    if every > 1 and joined.get_typeof("delay"):
        delays = [delay if delay > SHORTEST_DELAY else USUAL_DELAY for delay in joined.get("delay")]
        sums = [sum(delays[start : start + every]) for start in range(0, len(delays), every)]
        joined.set_type(pyvips.GValue.array_int_type, "delay", sums)
    return joined


def _joined(frames: Sequence[pyvips.Image]) -> pyvips.Image:
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


def to_srgb(image: pyvips.Image) -> pyvips.Image:
    """8-bit sRGB with or without alpha, from whatever came: grey, CMYK, 16 bits, other RGB spaces.

    An embedded profile is used; one that is broken, or of other colours than the picture's, is as good as none.
    """
    if not image.hasalpha():
        return _colours_to_srgb(image)
    bands = image.bands - 1
    alpha = image[bands]
    if image.format == "ushort":
        alpha = (alpha >> 8).cast("uchar")
    return _colours_to_srgb(image.extract_band(0, n=bands)).bandjoin(alpha.cast("uchar"))


def crop_offset(image: pyvips.Image, size: Size, crop: str) -> Size:
    """Left and top of the part to keep: the middle, or with ``attention`` the part that a person looks at first."""
    if crop == "attention":
        chosen = image.smartcrop(*size, interesting="attention")
        return -chosen.xoffset, -chosen.yoffset
    return (image.width - size[0]) // 2, (image.height - size[1]) // 2


def flattened(image: pyvips.Image) -> pyvips.Image:
    """Without alpha, on white."""
    return image.flatten(background=WHITE) if image.hasalpha() else image


def _colours_to_srgb(image: pyvips.Image) -> pyvips.Image:
    if image.get_typeof("icc-profile-data"):
        try:
            return image.icc_transform("srgb", embedded=True, intent="perceptual").copy_memory()
        except pyvips.Error:
            image = image.copy()
            image.remove("icc-profile-data")
    return image.colourspace("srgb")
