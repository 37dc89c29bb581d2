"""What an imaging engine must do: look at a file, render and measure it. Values only; nothing here decodes."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from attrs import frozen

ANIMATED_FORMATS: Final = frozenset({"webp"})
EXIF_MARKER: Final = b"Exif\0\0"
"""What may stand in front of an EXIF block."""


@frozen
class Notes:
    """What a file says of itself outside of EXIF: texts as they are written, those to be believed first in front.

    ``xmp_*`` are from XMP (ISO 16684-1), ``iptc_times`` from IPTC-IIM, ``png_times`` from the chunks of a PNG.
    """

    xmp_times: tuple[str, ...] = ()
    xmp_lenses: tuple[str, ...] = ()
    xmp_sensitivities: tuple[str, ...] = ()
    iptc_times: tuple[str, ...] = ()
    png_times: tuple[str, ...] = ()


@frozen
class Inspection:
    """What a file turned out to be, within the limits.

    ``width`` and ``height`` are in pixels, as a person sees the image (orientation applied); ``exif`` is the
    raw EXIF block (a TIFF stream, without the ``Exif\\0\\0`` marker) or empty.
    """

    content_type: str
    width: int
    height: int
    frames: int
    exif: bytes = b""
    notes: Notes = Notes()
    is_truncated: bool = False


@frozen
class Rendition:
    """One picture to make: fit it into ``width`` x ``height`` pixels and encode it.

    ``name`` identifies it in the answer and names its file. ``crop`` fills the whole box and cuts what
    sticks out (``centre``, or ``attention`` for the most salient part); without it the picture fits inside.
    ``quality`` is 1 to 100, ``effort`` the encoder's own scale (WebP 0 to 6, AVIF 0 to 9). ``animated``
    keeps the frames of an animation where the format can hold them and the budget allows.
    """

    name: str
    width: int
    height: int
    format: str
    quality: int
    effort: int
    crop: str | None = None
    animated: bool = False


class Colours(StrEnum):
    """``grey``: a byte a pixel; ``light``: red, green and blue, each a float of linear light, 0 to 1."""

    GREY = "grey"
    LIGHT = "light"


@frozen
class Pixels:
    """A small copy of a picture, whatever its shape: ``side`` x ``side`` pixels, row by row from the top.

    It is made of a copy of the picture's own shape that has at least ``comfortable_side`` pixels either way.
    """

    side: int
    comfortable_side: int
    colours: Colours


@frozen
class Subject:
    """A picture of ``width`` x ``height`` pixels as a person sees it, and of all the rest what was asked for:
    ``pixels``, the file's own ``exif`` and ``notes``, or a ``picture`` of it as a file."""

    width: int
    height: int
    pixels: bytes = b""
    exif: bytes = b""
    notes: Notes = Notes()
    picture: Path | None = None


@frozen
class Measurement:
    """Something to compute of a picture's pixels, in the decoder, while it is decoded anyway.

    ``run`` is a function of a module, which the decoder imports by name; its answer is a JSON value. That is believed
    only if it ``accepts`` it: the decoder may have been taken over by what it decodes.
    """

    name: str
    pixels: Pixels
    run: Callable[[Subject], object]
    accepts: Callable[[object], bool]


@frozen
class RenderedFile:
    """A rendition that was made: ``width`` and ``height`` in pixels (of one frame), ``size`` in bytes."""

    name: str
    path: Path
    width: int
    height: int
    size: int
    frames: int = 1


@frozen
class Rendered:
    """The answer to one render call: the files, what the header said, and what was ``measured``, by name."""

    files: tuple[RenderedFile, ...]
    header: Inspection
    measured: Mapping[str, object]
    is_truncated: bool = False


class ImagingEngine(Protocol):
    """Decodes untrusted files. Implementations isolate the decoder: its death is a `BadImage`, not ours."""

    async def inspect(self, path: Path, *, content_type: str, decode: bool = True, owner_id: str = "") -> Inspection:
        """Check limits on the header, then decode it all once. Those who wait are served owner by owner in turn.

        Without ``decode`` the header is enough: for a caller that renders the file next, which finds the same faults.

        Raises `TypeMismatch` when the bytes are of another format than ``content_type`` and `BadImage` when
        they cannot be shown: undecodable, truncated, too many pixels or frames, or a decoder that crashed or
        ran out of time or memory. Raises `Overloaded` when too many wait already, of all or of this owner.
        """

    async def render(
        self,
        path: Path,
        renditions: tuple[Rendition, ...],
        into: Path,
        *,
        content_type: str,
        measurements: Sequence[Measurement] = (),
        owner_id: str = "",
    ) -> Rendered:
        """Make every rendition as a file in the directory ``into`` and every measurement, decoding once. Raises like
        `inspect`."""

    async def aclose(self) -> None: ...
