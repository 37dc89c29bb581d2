"""The one policy for decoding faulty pictures, to inspect and to render them. Imported only in the decoder process."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pyvips

from imagegallery.imaging.decoder.source import Decode, PictureSource

Result = TypeVar("Result")


def read_picture(source: PictureSource, read: Callable[[Decode], Result]) -> tuple[Result, bool]:
    """Return what ``read`` makes of the picture, and whether a part of it is missing.

    ``read`` first gets a strict decoder. If that finds a fault that browsers forgive, ``read`` is called again with a
    lenient decoder, which shows what is there. Raises `BadImage`, and `pyvips.Error` for what cannot be forgiven.
    """
    try:
        return read(source.decode), source.ends_early
    except pyvips.Error as error:
        is_truncated = source.forgive(error)
        return read(partial(source.decode, is_forgiving=True)), is_truncated
