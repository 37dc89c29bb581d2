"""What an imaging engine must do: inspect, render and measure a file. Values only; nothing here decodes."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from attrs import frozen

ANIMATED_FORMATS: Final = frozenset({"webp"})
EXIF_MARKER: Final = b"Exif\0\0"
"""The optional marker before an EXIF block."""


class Removal(StrEnum):
    """What a copy of a file is without: ``strip_place`` leaves everything but where it was made, ``strip_all`` only
    what is needed to show the picture the same."""

    STRIP_PLACE = "strip_place"
    STRIP_ALL = "strip_all"


@frozen
class FileWords:
    """What a file says of its picture in words, by XMP and IPTC: texts as they are written, the most reliable first."""

    tags: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    ratings: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


@frozen
class Notes:
    """What a file says about itself outside of EXIF: texts as they are written, the most reliable first.

    ``xmp_*`` are from XMP (ISO 16684-1), ``iptc_times`` from IPTC-IIM, ``png_times`` from the chunks of a PNG.
    """

    xmp_times: tuple[str, ...] = ()
    xmp_lenses: tuple[str, ...] = ()
    xmp_sensitivities: tuple[str, ...] = ()
    iptc_times: tuple[str, ...] = ()
    png_times: tuple[str, ...] = ()
    words: FileWords = FileWords()


@frozen
class Inspection:
    """A file's header, within the limits.

    ``width`` and ``height`` are in pixels, as a person sees the image (orientation applied); ``exif`` is the raw EXIF
    block (a TIFF stream, without the ``Exif\0\0`` marker) or empty.
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
    """A picture of ``width`` x ``height`` pixels as a person sees it, with the requested ones of: ``pixels``, the
    file's own ``exif`` and ``notes``, and a
    ``picture`` of it as a file.
    """

    width: int
    height: int
    pixels: bytes = b""
    exif: bytes = b""
    notes: Notes = Notes()
    picture: Path | None = None


@frozen
class Measurement:
    """Something to compute from a picture's pixels, in the decoder, while it is decoded.

    ``run`` is a function of a module, which the decoder imports by name; it returns a JSON value. That is only used if
    ``accepts`` allows it: the file may have taken over the decoder.
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
    """The result of one render call: the files, the header, and what was ``measured``, by name."""

    files: tuple[RenderedFile, ...]
    header: Inspection
    measured: Mapping[str, object]
    is_truncated: bool = False


class ImagingEngine(Protocol):
    """Decodes untrusted files. Implementations isolate the decoder: its crash is a `BadImage`."""

    async def inspect(self, path: Path, *, content_type: str, decode: bool = True, owner_id: str = "") -> Inspection:
        """Check the header's limits, then decode everything once. Waiting owners are served in turn.

        Without ``decode`` the header is enough, for a caller that renders the file next, and finds the same faults
        then.

        Raises:
            TypeMismatch: If the bytes are of another format than ``content_type``.
            BadImage: If it cannot be shown: undecodable, truncated, too many pixels or frames, or the decoder crashed
                or ran out of time or memory.
            Overloaded: If too many requests wait, in total or of this owner.
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
        """Make every rendition as a file in the directory ``into`` and every measurement, decoding once. Raises as
        `inspect`."""

    async def remove_metadata(
        self, path: Path, into: Path, *, content_type: str, removal: Removal, owner_id: str = ""
    ) -> None:
        """Write a copy of a file without some metadata, whose coded picture is the same byte for byte. Raises as
        `inspect`; a file whose structure does not hold together is a `BadImage`, and no copy is left."""

    async def read_sidecar(self, path: Path, *, owner_id: str = "") -> FileWords:
        """What an XMP sidecar says in words; nothing, if it is none. Raises `Overloaded` as `inspect`, and `BadImage`
        if the decoder crashed."""

    async def aclose(self) -> None: ...
