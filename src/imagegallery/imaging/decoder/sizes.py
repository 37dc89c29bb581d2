"""The geometry of rendering: the size of each rendition, and the picture it is made from. Pure."""

from collections.abc import Iterable

from attrs import frozen

from imagegallery.imaging.protocol import Rendition

Size = tuple[int, int]
"""Width and height in pixels, of one frame, orientation applied."""

STRONGEST_SHRINK = 8

COMFORTABLE = 2.0
"""A rung of at least this multiple of the target can be resampled once more without visible loss."""


@frozen
class TargetSize:
    """``scaled``: the whole picture, resized; ``final``: what is left after the crop (the same without one)."""

    scaled: Size
    final: Size


def fit(size: Size, rendition: Rendition) -> TargetSize:
    """Fit a picture into the rendition's box, or over it when it crops. Nothing is ever enlarged."""
    box = rendition.width, rendition.height
    if rendition.crop is None:
        scaled = inside(size, box)
        return TargetSize(scaled, scaled)
    scaled = over(size, box)
    return TargetSize(scaled, (min(scaled[0], box[0]), min(scaled[1], box[1])))


def inside(size: Size, box: Size) -> Size:
    """The largest size of the same shape inside the box, at most ``size`` itself and at least one pixel."""
    return _scale(size, min(box[0] / size[0], box[1] / size[1]))


def over(size: Size, box: Size) -> Size:
    """The smallest size of the same shape that covers the box, at most ``size`` itself."""
    return _scale(size, max(box[0] / size[0], box[1] / size[1]))


def _scale(size: Size, factor: float) -> Size:
    bounded = min(1.0, factor)
    return max(1, round(size[0] * bounded)), max(1, round(size[1] * bounded))


def largest(sizes: Iterable[Size]) -> Size:
    """The size from which all these sizes of one picture can be made."""
    return max(sizes, key=lambda size: size[0] * size[1])


def shrink_on_load(size: Size, needed: Size) -> int:
    """The strongest reduction (8, 4, 2 or 1) of a JPEG decoder that leaves a comfortable resize to ``needed``.

    Its own scaling just cuts frequencies, which shows if there is no other scaling.
    """
    room = min(size[0] / needed[0], size[1] / needed[1]) / COMFORTABLE
    return next((factor for factor in (8, 4, 2) if factor <= room), 1)


def strongest_shrink(size: Size) -> int:
    """The strongest reduction of a JPEG decoder that leaves at least a pixel."""
    return STRONGEST_SHRINK if min(size) >= STRONGEST_SHRINK else 1


def parent(rungs: Iterable[Size], needed: Size) -> Size:
    """The smallest rung that is comfortably larger than ``needed``, otherwise the largest."""
    by_size = sorted(rungs)
    return next((rung for rung in by_size if rung[0] >= needed[0] * COMFORTABLE), by_size[-1])


def turn(size: Size, orientation: int) -> Size:
    """The size after applying or undoing an EXIF orientation (1 to 8, EXIF 3.0 section 4.6.5.1.6)."""
    return (size[1], size[0]) if 5 <= orientation <= 8 else size
