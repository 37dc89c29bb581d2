"""The first of the two requests: what is this file, and does all of it decode? Imported only in the decoder process."""

from pathlib import Path

from imagegallery.imaging.ladder import turned
from imagegallery.imaging.limits import ImagingOptions, keeps_animation
from imagegallery.imaging.protocol import Inspection
from imagegallery.imaging.vips import open_source

CHEAPEST_SHRINK = 8
"""Every coefficient of a JPEG is still read at this scale; only the inverse transform is cut short."""


def inspect(path: Path, content_type: str, options: ImagingOptions) -> Inspection:
    """Header, limits, then every pixel once (of an animation beyond the budget: of its first frame).

    Raises `TypeMismatch`, `BadImage`, and `pyvips.Error` for what libvips cannot decode.
    """
    source = open_source(path, content_type, options)
    keeps = keeps_animation(source.width, source.height, source.frames, options)
    shrink = CHEAPEST_SHRINK if source.shrinks_on_load else 1
    source.decode(shrink=shrink, frames=source.frames if keeps else 1).avg()
    width, height = turned((source.width, source.height), source.orientation)
    return Inspection(content_type, width, height, source.frames, source.exif)
