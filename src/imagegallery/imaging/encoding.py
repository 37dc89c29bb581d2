"""Writing a picture as a file: one function a format. No metadata is kept; colours are sRGB, which needs no profile.

Imported only in the decoder process.
"""

from collections.abc import Callable, Mapping

import pyvips

from imagegallery.imaging.pixels import flattened
from imagegallery.imaging.protocol import Rendition

ANIMATED_FORMATS = frozenset({"webp"})


def write(image: pyvips.Image, output: int, rendition: Rendition) -> None:
    """Encode into an open file. Raises `pyvips.Error`, and `ValueError` for a format that is not known."""
    if rendition.format not in _ENCODERS:
        raise ValueError(f"no encoder for {rendition.format!r}")
    _ENCODERS[rendition.format](image, pyvips.Target.new_to_descriptor(output), rendition)


def _webp(image: pyvips.Image, target: pyvips.Target, rendition: Rendition) -> None:
    image.webpsave_target(target, Q=rendition.quality, effort=rendition.effort, keep="none")


def _avif(image: pyvips.Image, target: pyvips.Target, rendition: Rendition) -> None:
    # Full chroma keeps coloured edges; what ten bits inside the encoder give is in benchmarks/encoders.py.
    image.heifsave_target(
        target,
        Q=rendition.quality,
        effort=rendition.effort,
        compression="av1",
        bitdepth=10,
        subsample_mode="off",
        keep="none",
    )


def _jpeg(image: pyvips.Image, target: pyvips.Target, rendition: Rendition) -> None:
    flattened(image).jpegsave_target(target, Q=rendition.quality, optimize_coding=True, interlace=True, keep="none")


def _png(image: pyvips.Image, target: pyvips.Target, rendition: Rendition) -> None:
    image.pngsave_target(target, compression=min(rendition.effort, 9), keep="none")


_ENCODERS: Mapping[str, Callable[[pyvips.Image, pyvips.Target, Rendition], None]] = {
    "webp": _webp,
    "avif": _avif,
    "jpeg": _jpeg,
    "png": _png,
}
