"""BlurHash of a small picture. Imported only in the decoder process.

Two packages give the same strings: blurhash-python, whose wheels end at CPython 3.12, and blurhash-rs.
"""

import warnings

from PIL import Image

try:
    from blurhash_rs import blurhash_encode as encode_picture
except ImportError:
    from blurhash import encode as encode_picture

MAX_SIDE = 32
"""Pixels: the hash keeps a few cosines of each axis, and the time grows with the area."""

LONG_SIDE_COMPONENTS = 4
SHORT_SIDE_COMPONENTS = 3


def encode(pixels: bytes, width: int, height: int) -> str:
    """The hash of 8-bit RGB ``pixels``, row by row from the top: 4 components along the longer side, 3 along the other.

    A square has 4 across.
    """
    along, down = LONG_SIDE_COMPONENTS, SHORT_SIDE_COMPONENTS
    if height > width:
        along, down = down, along
    # Its own picture: blurhash-python closes what it is given, and reads it by a method that Pillow has deprecated.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return str(encode_picture(Image.frombytes("RGB", (width, height), pixels), along, down))
