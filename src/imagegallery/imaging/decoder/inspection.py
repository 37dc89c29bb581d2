"""The first of the two requests: the file's header, and whether all of it decodes. Imported only in the decoder
process."""

from imagegallery.imaging.decoder.leniency import read_picture
from imagegallery.imaging.decoder.sizes import strongest_shrink, turn
from imagegallery.imaging.decoder.source import Decode, PictureSource
from imagegallery.imaging.decoder.vips import open_source
from imagegallery.imaging.formats.notes import read_notes
from imagegallery.imaging.limits import ImagingOptions, can_move
from imagegallery.imaging.protocol import Inspection
from imagegallery.imaging.sandbox.wire import Request


def inspect(request: Request, file: int, options: ImagingOptions) -> Inspection:
    """Read the header and check the limits; on request, decode every pixel once (of an animation beyond the budget: one
    frame).

    ``file`` is an open descriptor. Raises `TypeMismatch`, `BadImage`, and `pyvips.Error` for what libvips cannot
    decode.
    """
    source = open_source(file, request.content_type, options)
    is_truncated = request.decode and _is_truncated(source, options)
    width, height = turn((source.width, source.height), source.orientation)
    blocks = source.blocks()
    notes = read_notes(blocks)
    return Inspection(request.content_type, width, height, source.frames, blocks.exif, notes, is_truncated)


def _is_truncated(source: PictureSource, options: ImagingOptions) -> bool:
    """Read every pixel at the cheapest scale: every coefficient of a JPEG is still read."""
    moves = source.moves and can_move(source.width, source.height, source.frames, options)
    shrink = strongest_shrink((source.width, source.height)) if source.shrinks_on_load else 1

    def read(decode: Decode) -> None:
        decode(shrink=shrink, frames=source.frames if moves else 1).avg()

    return read_picture(source, read)[1]
