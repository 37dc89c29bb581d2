"""Real photographs, whose AVIF is smaller than their WebP: of drawings made by a formula it is not, and left out."""

import io

import skimage.data
from PIL import Image


def photograph(width: int, height: int, **options: object) -> bytes:
    """A JPEG of an astronaut's portrait, of these sides; ``options`` are Pillow's."""
    buffer = io.BytesIO()
    picture = Image.fromarray(skimage.data.astronaut()).resize((width, height), Image.Resampling.BICUBIC)
    picture.save(buffer, "JPEG", **options)
    return buffer.getvalue()
