"""A picture as the bytes of a file: one function a format.

No metadata is kept; colours are sRGB, which needs no profile. Imported only in the decoder process.
"""

from collections.abc import Callable, Mapping

import pyvips

from imagegallery.imaging.decoder.pixels import flatten, is_graphic
from imagegallery.imaging.protocol import Rendition

NO_METADATA = pyvips.enums.ForeignKeep.NONE
TINY = 128 * 128
"""WebP without loss may be smaller up to this many pixels: worth trying."""
MOST_LOSSLESS = 4_000_000
"""Pixels, of all frames: beyond, trying takes too long."""
GRAPHIC_MAY_BE = 1.5
"""The factor by which a graphic without loss may be larger: lossy WebP smears coloured edges."""


def encode(image: pyvips.Image, rendition: Rendition) -> bytes:
    """Encode it. Raises `pyvips.Error`, and `ValueError` for an unknown format."""
    if rendition.format not in _ENCODERS:
        raise ValueError(f"no encoder for {rendition.format!r}")
    return bytes(_ENCODERS[rendition.format](image, rendition))


def decode(data: bytes, image_format: str) -> pyvips.Image:
    """Decode the first frame of what `encode` made. Raises `pyvips.Error`."""
    loader = getattr(pyvips.Image, _LOADERS[image_format])
    image: pyvips.Image = loader(data, access="sequential")
    return image.copy_memory()


def _webp(image: pyvips.Image, rendition: Rendition) -> bytes:
    lossy = image.webpsave_buffer(Q=rendition.quality, effort=rendition.effort, keep=NO_METADATA)
    pixels = image.width * image.height
    graphic = pixels <= MOST_LOSSLESS and is_graphic(image)
    if not graphic and pixels > TINY:
        return lossy
    lossless = image.webpsave_buffer(lossless=True, effort=rendition.effort, keep=NO_METADATA)
    return lossless if len(lossless) <= len(lossy) * (GRAPHIC_MAY_BE if graphic else 1) else lossy


def _avif(image: pyvips.Image, rendition: Rendition) -> bytes:
    # Full chroma keeps coloured edges; benchmarks/encoders.py shows the effect of ten bits. The encoder makes ten bits
    # from eight by a shift, which makes white grey; from sixteen it makes them right.
    deep = image.maplut((pyvips.Image.identity() * 257).cast("ushort")).copy(interpretation="rgb16")
    data: bytes = deep.heifsave_buffer(
        Q=rendition.quality,
        effort=rendition.effort,
        compression="av1",
        bitdepth=10,
        subsample_mode="off",
        keep=NO_METADATA,
    )
    return data


def _jpeg(image: pyvips.Image, rendition: Rendition) -> bytes:
    flat = flatten(image)
    data: bytes = flat.jpegsave_buffer(Q=rendition.quality, optimize_coding=True, interlace=True, keep=NO_METADATA)
    return data


def _png(image: pyvips.Image, rendition: Rendition) -> bytes:
    data: bytes = image.pngsave_buffer(compression=min(rendition.effort, 9), keep=NO_METADATA)
    return data


_ENCODERS: Mapping[str, Callable[[pyvips.Image, Rendition], bytes]] = {
    "webp": _webp,
    "avif": _avif,
    "jpeg": _jpeg,
    "png": _png,
}
_LOADERS: Mapping[str, str] = {
    "webp": "webpload_buffer",
    "avif": "heifload_buffer",
    "jpeg": "jpegload_buffer",
    "png": "pngload_buffer",
}
