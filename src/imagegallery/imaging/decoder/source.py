"""A file whose header has been read, by any library."""

from typing import TYPE_CHECKING, Protocol

from attrs import frozen

from imagegallery.imaging.decoder.colour import Colour
from imagegallery.imaging.protocol import EXIF_MARKER
from imagegallery.imaging.sandbox.wire import MAX_EXIF

if TYPE_CHECKING:
    import pyvips


@frozen
class Blocks:
    """The raw metadata of a file: EXIF (a TIFF stream), an XMP packet, IPTC in Photoshop's form.

    ``times`` are texts in which a PNG says when it was made.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    times: tuple[str, ...] = ()


class Decode(Protocol):
    """See `PictureSource.decode`."""

    def __call__(self, *, shrink: int = 1, frames: int = 1) -> "pyvips.Image": ...


class PictureSource(Protocol):
    """``width`` and ``height`` are in pixels of one frame, as stored: ``orientation`` (EXIF, 1 to 8) not applied."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def orientation(self) -> int: ...
    @property
    def shrinks_on_load(self) -> bool: ...
    @property
    def moves(self) -> bool:
        """Whether more than the first of its frames can be decoded."""

    @property
    def colour(self) -> Colour | None:
        """The meaning of the numbers, if neither an embedded profile's nor sRGB's."""

    def decode(self, *, shrink: int = 1, frames: int = 1, is_forgiving: bool = False) -> "pyvips.Image":
        """The picture, lazily, to be read once from top to bottom; several frames are below each other in one strip.

        ``shrink`` is for sources that support it. ``is_forgiving``: show the rest, whatever is missing or wrong.
        """

    @property
    def ends_early(self) -> bool:
        """Whether the file ends within a frame that its decoder silently skips."""

    def forgive(self, error: "pyvips.Error") -> bool:
        """Whether a part of the picture is missing from a file that can be shown although decoding raised.

        Raises `BadImage`, or the error itself, otherwise.
        """

    def blocks(self) -> Blocks:
        """The metadata, read when it is asked for."""


def exif_payload(block: bytes) -> bytes:
    """The TIFF stream of an EXIF block, without JPEG's marker; empty if it is absurdly long.

    The marker is that of EXIF 3.0 section 4.7.2.
    """
    return block.removeprefix(EXIF_MARKER) if len(block) <= MAX_EXIF else b""
