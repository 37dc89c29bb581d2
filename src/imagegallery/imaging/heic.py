"""HEIC and HEIF with pi-heif (the extra ``heic``); the libvips that is bundled decodes only AVIF of the family.

Imported only in the decoder process. pi-heif is loaded for the first such file: most processes never see one.
"""

from typing import Any, BinaryIO

import pyvips
from attrs import frozen

from imagegallery.errors import BadImage
from imagegallery.imaging.faults import bad_image, is_out_of_memory, out_of_memory
from imagegallery.imaging.source import Blocks, exif_payload

# Mode to bands, format and interpretation. Colours come as 8 bits (`convert_hdr_to_8bit`), deep grey as 16.
_LAYOUTS = {
    "L": (1, "uchar", "b-w"),
    "I;16": (1, "ushort", "grey16"),
    "RGB": (3, "uchar", "srgb"),
    "RGBA": (4, "uchar", "srgb"),
}


def open_heic(file: BinaryIO) -> "HeicSource":
    """Read the header. Raises `BadImage`: ``decoder_missing``, ``truncated`` or ``undecodable``."""
    pi_heif = _decoder()
    try:
        picture = pi_heif.open_heif(file, convert_hdr_to_8bit=True)
    except (ValueError, SyntaxError, EOFError, RuntimeError, OSError) as error:
        raise bad_image(str(error)) from error
    width, height = picture.size
    return HeicSource(picture, width, height)


def _decoder() -> Any:
    """pi-heif. Raises `BadImage` when it is not there, or the memory ceiling leaves no room for it."""
    try:
        import pi_heif
    except ImportError as error:
        if is_out_of_memory(str(error)):
            raise out_of_memory() from error
        raise BadImage("decoder_missing", "This service has no decoder for HEIC.") from error
    return pi_heif


@frozen
class HeicSource:
    """The primary picture of a HEIF file. Its container's rotation is applied by the decoder, EXIF's does not count."""

    picture: Any
    width: int
    height: int

    frames = 1
    orientation = 1
    shrinks_on_load = False

    def blocks(self) -> Blocks:
        info = self.picture.info
        return Blocks(exif=exif_payload(info.get("exif") or b""), xmp=info.get("xmp") or b"")

    def forgive(self, error: pyvips.Error) -> bool:
        raise error

    def decode(self, *, shrink: int = 1, frames: int = 1, is_forgiving: bool = False) -> pyvips.Image:
        """Decode, at once and into memory; it can neither shrink nor move. Raises `BadImage`."""
        try:
            data, mode = self.picture.data, self.picture.mode
        except (ValueError, SyntaxError, EOFError, RuntimeError, OSError) as error:
            raise bad_image(str(error)) from error
        if mode not in _LAYOUTS:
            raise BadImage("undecodable", "The picture is of a kind that cannot be shown.")
        bands, sample, interpretation = _LAYOUTS[mode]
        image = pyvips.Image.new_from_memory(data, self.width, self.height, bands, sample)
        image = image.copy(interpretation=interpretation)
        profile = self.picture.info.get("icc_profile")
        if profile:
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        return image
