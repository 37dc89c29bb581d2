"""Writing a picture as a file: one function a format. No metadata is kept; colours are sRGB, which needs no profile.

Imported only in the decoder process.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pyvips

from imagegallery.imaging.pixels import flattened
from imagegallery.imaging.protocol import Rendition

ANIMATED_FORMATS = frozenset({"webp"})


def write(image: pyvips.Image, path: Path, rendition: Rendition) -> None:
    """Encode into a new file. Raises `pyvips.Error`, `ValueError` for a format that is not known."""
    if rendition.format not in _ENCODERS:
        raise ValueError(f"no encoder for {rendition.format!r}")
    _ENCODERS[rendition.format](image, str(path), rendition)


def _webp(image: pyvips.Image, path: str, rendition: Rendition) -> None:
    image.webpsave(path, Q=rendition.quality, effort=rendition.effort, keep="none")


def _avif(image: pyvips.Image, path: str, rendition: Rendition) -> None:
    # Full chroma keeps coloured edges; what ten bits inside the encoder give is in benchmarks/encoders.py.
    image.heifsave(
        path,
        Q=rendition.quality,
        effort=rendition.effort,
        compression="av1",
        bitdepth=10,
        subsample_mode="off",
        keep="none",
    )


def _jpeg(image: pyvips.Image, path: str, rendition: Rendition) -> None:
    flattened(image).jpegsave(path, Q=rendition.quality, optimize_coding=True, interlace=True, keep="none")


def _png(image: pyvips.Image, path: str, rendition: Rendition) -> None:
    image.pngsave(path, compression=min(rendition.effort, 9), keep="none")


_ENCODERS: Mapping[str, Callable[[pyvips.Image, str, Rendition], None]] = {
    "webp": _webp,
    "avif": _avif,
    "jpeg": _jpeg,
    "png": _png,
}
