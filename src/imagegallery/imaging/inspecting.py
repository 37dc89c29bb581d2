"""The first of the two requests: what is this file, and does all of it decode? Imported only in the decoder process."""

from imagegallery.imaging.ladder import turned
from imagegallery.imaging.limits import ImagingOptions, can_move
from imagegallery.imaging.notes import read_notes
from imagegallery.imaging.protocol import Inspection
from imagegallery.imaging.source import Source
from imagegallery.imaging.vips import open_source
from imagegallery.imaging.wire import Request

CHEAPEST_SHRINK = 8
"""Every coefficient of a JPEG is still read at this scale; only the inverse transform is cut short."""


def inspect(request: Request, file: int, options: ImagingOptions) -> Inspection:
    """Header and limits; then, if it is asked for, every pixel once (of an animation beyond the budget: one frame).

    ``file`` is an open descriptor.

    Raises `TypeMismatch`, `BadImage`, and `pyvips.Error` for what libvips cannot decode.
    """
    source = open_source(file, request.content_type, options)
    if request.decode:
        _decode(source, options)
    width, height = turned((source.width, source.height), source.orientation)
    blocks = source.blocks()
    return Inspection(request.content_type, width, height, source.frames, blocks.exif, read_notes(blocks))


def _decode(source: Source, options: ImagingOptions) -> None:
    moves = can_move(source.width, source.height, source.frames, options)
    # At less than one pixel of the reduced picture there is nothing to read.
    shrinks = source.shrinks_on_load and min(source.width, source.height) >= CHEAPEST_SHRINK
    source.decode(shrink=CHEAPEST_SHRINK if shrinks else 1, frames=source.frames if moves else 1).avg()
