"""HEIC and HEIF with pillow-heif (the extra ``heic``); of this family, the bundled libvips only decodes AVIF.

Imported only in the decoder process, which loads pillow-heif for the first such file: most never do.
"""

from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO

import pyvips
from attrs import frozen

from imagegallery.errors import BadImage
from imagegallery.imaging.decoder import pixels
from imagegallery.imaging.decoder.colour import Colour
from imagegallery.imaging.decoder.source import Blocks, exif_payload
from imagegallery.imaging.decoder_errors import bad_image, is_out_of_memory, out_of_memory, unsupported
from imagegallery.imaging.formats.boxes import PrimaryPicture, read_primary
from imagegallery.imaging.signature import is_sequence

if TYPE_CHECKING:
    from pillow_heif import HeifFile

# Mode to bands, format and interpretation. Colours come as 8 bits (`convert_hdr_to_8bit`), deep grey as 16.
_LAYOUTS = {
    "L": (1, "uchar", "b-w"),
    "I;16": (1, "ushort", "grey16"),
    "RGB": (3, "uchar", "srgb"),
    "RGBA": (4, "uchar", "srgb"),
    "RGBa": (4, "uchar", "srgb"),  # multiplied by alpha
}

_FAULTS = (ValueError, SyntaxError, EOFError, RuntimeError, OSError)


def open_heic(file: BinaryIO, head: bytes) -> "HeicSource":
    """Read the header, which begins with ``head``.

    Raises `BadImage`: ``decoder_missing``, ``unsupported``, ``truncated`` or ``undecodable``.
    """
    pillow_heif = _decoder()
    primary = read_primary(file)
    file.seek(0)
    try:
        picture = pillow_heif.open_heif(file, convert_hdr_to_8bit=True)
    except _FAULTS as error:
        if is_sequence(head):
            raise unsupported("The file is a HEIF sequence: a film without a picture to show for it.") from error
        raise bad_image(str(error)) from error
    width, height = picture.size
    return HeicSource(picture, width, height, primary)


def _decoder() -> ModuleType:
    """Load pillow-heif. Raises `BadImage` if it is not installed, or the memory limit prevents it."""
    try:
        import pillow_heif
    except ImportError as error:
        if is_out_of_memory(str(error)):
            raise out_of_memory() from error
        raise BadImage("decoder_missing", "This service has no decoder for HEIC.") from error
    return pillow_heif


@frozen
class HeicSource:
    """The primary picture of a HEIF file. Its container's rotation is applied by the decoder, EXIF's does not count."""

    picture: "HeifFile"
    width: int
    height: int
    primary: PrimaryPicture

    frames = 1
    moves = False
    orientation = 1
    shrinks_on_load = False
    ends_early = False

    @property
    def colour(self) -> Colour | None:
        return None if self.picture.info.get("icc_profile") else self.primary.colour

    def blocks(self) -> Blocks:
        info = self.picture.info
        return Blocks(exif=exif_payload(info.get("exif") or b""), xmp=info.get("xmp") or b"")

    def forgive(self, error: pyvips.Error) -> bool:
        raise error

    def decode(self, *, shrink: int = 1, frames: int = 1, is_forgiving: bool = False) -> pyvips.Image:
        """Decode at once into memory; it can neither shrink nor animate. Raises `BadImage`."""
        try:
            data, mode = self.picture.data, self.picture.mode
        except _FAULTS as error:
            raise bad_image(str(error)) from error
        if mode not in _LAYOUTS:
            raise unsupported("The picture is of a kind that cannot be shown.")
        bands, sample, interpretation = _LAYOUTS[mode]
        image = pyvips.Image.new_from_memory(data, self.width, self.height, bands, sample)
        image = image.copy(interpretation=interpretation)
        if self.primary.is_narrow_grey:
            image = pixels.stretch(image)
        if mode == "RGBa":
            image = pixels.straight(image)
        profile = self.picture.info.get("icc_profile")
        if profile:
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        return image
