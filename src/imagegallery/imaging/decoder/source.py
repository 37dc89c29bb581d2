"""A file whose header has been read, whichever library decodes it."""

from typing import TYPE_CHECKING, Protocol

from attrs import frozen

from imagegallery.imaging.decoder.colour import Colour
from imagegallery.imaging.protocol import EXIF_MARKER
from imagegallery.imaging.sandbox.wire import MAX_EXIF

if TYPE_CHECKING:
    import pyvips


@frozen
class Blocks:
    """The metadata of a file as it lies there: EXIF (a TIFF stream), an XMP packet, IPTC as Photoshop keeps it.

    ``times`` are texts by which a PNG says when it was made.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    times: tuple[str, ...] = ()


class Decode(Protocol):
    """See `Source.decode`."""

    def __call__(self, *, shrink: int = 1, frames: int = 1) -> "pyvips.Image": ...


class Source(Protocol):
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
        """How the numbers are meant, if it is not by an embedded profile, nor as sRGB."""

    def decode(self, *, shrink: int = 1, frames: int = 1, is_forgiving: bool = False) -> "pyvips.Image":
        """The picture, lazily, to be read once from top to bottom; several frames lie below each other in one strip.

        ``shrink`` is for sources that can do it. ``is_forgiving``: whatever is missing or wrong, show the rest.
        """

    @property
    def ends_early(self) -> bool:
        """Whether the file ends within a frame that its decoder passes over in silence."""

    def forgive(self, error: "pyvips.Error") -> bool:
        """Whether a part of the picture is missing, of a file that is worth showing although decoding it raised.

        Raises `BadImage`, or the error itself, when it is not worth it.
        """

    def blocks(self) -> Blocks:
        """The metadata, read when it is asked for."""


def exif_payload(block: bytes) -> bytes:
    """The TIFF stream of an EXIF block, without the marker that JPEG puts before it; nothing when it is absurdly long.

    The marker is that of EXIF 3.0 section 4.7.2.
    """
    return block.removeprefix(EXIF_MARKER) if len(block) <= MAX_EXIF else b""
