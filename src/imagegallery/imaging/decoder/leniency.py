"""The one policy by which pictures with faults are decoded, to look at them and to render them.

Imported only in the decoder process.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import pyvips

from imagegallery.imaging.decoder.source import Decode, Source

Result = TypeVar("Result")


def read_picture(source: Source, read: Callable[[Decode], Result]) -> tuple[Result, bool]:
    """What ``read`` makes of the picture, and whether a part of it is missing.

    ``read`` is given a decoder that minds every fault. If there is one that browsers forgive too, it is called again,
    with a decoder that shows what is there. Raises `BadImage`, and `pyvips.Error` for what cannot be forgiven.
    """
    try:
        return read(source.decode), source.ends_early
    except pyvips.Error as error:
        is_truncated = source.forgive(error)
        return read(partial(source.decode, is_forgiving=True)), is_truncated
