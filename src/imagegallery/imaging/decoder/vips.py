"""Open and decode files with libvips. Imported only in the decoder process.

Only five of libvips' loaders are unblocked, and each content type has its own: libvips never chooses. So SVG, PDF, TIFF
and what ImageMagick reads cannot be reached, whatever a file claims to be.
"""

import mmap
import os
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, cast

import pyvips
from attrs import evolve, frozen

from imagegallery.errors import BadImage, TypeMismatch
from imagegallery.imaging import decoder_errors, signature
from imagegallery.imaging.decoder import heic, pixels
from imagegallery.imaging.decoder.colour import ADOBE_RGB, Colour
from imagegallery.imaging.decoder.sizes import strongest_shrink
from imagegallery.imaging.decoder.source import Blocks, PictureSource, exif_payload
from imagegallery.imaging.formats import gif, png, webp
from imagegallery.imaging.formats.boxes import PrimaryPicture, read_primary
from imagegallery.imaging.formats.jpeg import has_more_scans
from imagegallery.imaging.limits import ImagingOptions, check_header, check_scans

UNBLOCKED = (
    "VipsForeignLoadJpeg",
    "VipsForeignLoadPng",
    "VipsForeignLoadWebp",
    "VipsForeignLoadNsgif",
    "VipsForeignLoadHeif",
)

_LOADERS = {
    "image/jpeg": "jpegload_source",
    "image/png": "pngload_source",
    "image/webp": "webpload_source",
    "image/gif": "gifload_source",
    "image/avif": "heifload_source",
}
_ANIMATED_TYPES = frozenset({"image/gif", "image/webp"})
_END_OF_IMAGE = b"\xff\xd9"


def set_up() -> None:
    """Block other loaders, and cache no results: every request is another file."""
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in UNBLOCKED:
        pyvips.operation_block_set(loader, False)
    pyvips.cache_set_max(0)


def open_source(file: int, content_type: str, options: ImagingOptions) -> PictureSource:
    """Read the header of an open file and check the limits.

    Raises `TypeMismatch` and `BadImage`, and `pyvips.Error` for what libvips cannot read.
    """
    head = os.pread(file, signature.HEAD_SIZE, 0)
    if not signature.is_as_declared(content_type, signature.sniff(head)):
        raise TypeMismatch(f"The file is not what it was declared to be: {content_type}.", declared=content_type)
    if content_type == "image/jpeg":
        _check_scans(file, options)
    source = _open_heic(file, head) if content_type in signature.HEIC_TYPES else _VipsSource.open(file, content_type)
    check_header(source.width, source.height, source.frames if source.moves else 1, options)
    return source


def _check_scans(file: int, options: ImagingOptions) -> None:
    with mmap.mmap(file, 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as content:
        check_scans(has_more=has_more_scans(content, options.max_scans), options=options)


def _open_heic(file: int, head: bytes) -> PictureSource:
    os.lseek(file, 0, os.SEEK_SET)
    with os.fdopen(file, "rb", closefd=False) as stream:
        return heic.open_heic(stream, head)


def explain(error: pyvips.Error, file: int, content_type: str) -> BadImage:
    """The error for a file that libvips could not decode."""
    size = os.fstat(file).st_size
    head = os.pread(file, signature.HEAD_SIZE, 0)
    tail = os.pread(file, decoder_errors.TAIL_SIZE, max(0, size - decoder_errors.TAIL_SIZE))
    with _stream(file) as stream:
        cut = (
            gif.is_cut(stream) if content_type == "image/gif" else decoder_errors.is_cut(content_type, size, head, tail)
        )
    return decoder_errors.bad_image(str(error), cut=cut)


@frozen
class _VipsSource:
    """A file that libvips decodes."""

    file: int
    content_type: str
    width: int
    height: int
    frames: int
    orientation: int
    header: pyvips.Image
    colour: Colour | None
    primary: PrimaryPicture
    mended: bytes | None = None

    @classmethod
    def open(cls, file: int, content_type: str) -> "_VipsSource":
        # libvips decodes a GIF's frames to read its header; decoding reports their faults later.
        fail_on = "none" if content_type == "image/gif" else _fail_on(content_type)
        mended = _mend(file) if content_type == "image/webp" else None
        header = _load(file, content_type, fail_on, mended)
        colour, primary, frames = None, PrimaryPicture(), 1
        if content_type == "image/png":
            with _stream(file) as stream:
                colour, frames = png.read_colour(stream)
        elif content_type == "image/avif":
            with _stream(file) as stream:
                primary = read_primary(stream)
            colour = None if header.get_typeof("icc-profile-data") else primary.colour
            frames = primary.frames
        elif content_type == "image/jpeg" and _is_adobe_rgb(header):
            colour = ADOBE_RGB
        elif content_type in _ANIMATED_TYPES:
            frames = _field(header, "n-pages", 1)
        return cls(
            file=file,
            content_type=content_type,
            width=header.width,
            height=header.height,
            frames=frames,
            # HEIF files (and AVIF) use the container's own rotation, which the loader has applied.
            orientation=1 if content_type == "image/avif" else _field(header, "orientation", 1),
            header=header,
            colour=colour,
            primary=primary,
            mended=mended,
        )

    @property
    def moves(self) -> bool:
        return self.content_type in _ANIMATED_TYPES and self.frames > 1

    @property
    def shrinks_on_load(self) -> bool:
        return self.content_type == "image/jpeg"

    def blocks(self) -> Blocks:
        if self.content_type == "image/png":
            with _stream(self.file) as stream:
                blocks = png.read_blocks(stream)
        else:
            exif, xmp, iptc = (_block(self.header, f"{name}-data") for name in ("exif", "xmp", "iptc"))
            blocks = Blocks(exif, xmp, iptc)
        return evolve(blocks, exif=exif_payload(blocks.exif))

    def decode(self, *, shrink: int = 1, frames: int = 1, is_forgiving: bool = False) -> pyvips.Image:
        fail_on = "none" if is_forgiving else _fail_on(self.content_type)
        if shrink > 1:
            return self._load(fail_on, shrink=shrink)
        if is_forgiving and self.content_type == "image/png":
            return self._load_what_is_there()
        image = self._load(fail_on, n=frames) if frames > 1 else self._load(fail_on)
        if self.content_type == "image/gif" and is_forgiving and frames == 1 and image.hasalpha():
            return self._without_gaps(image)
        if self.content_type == "image/gif" and not image.hasalpha():
            return self._on_empty_canvas(image, frames)
        if self.primary.is_narrow_grey:
            image = pixels.stretch(image)
        return pixels.straight(image) if self.primary.is_premultiplied else image

    def _on_empty_canvas(self, image: pyvips.Image, frames: int) -> pyvips.Image:
        """Transparent where no frame has drawn: libvips only does so for files with a transparent colour."""
        with _stream(self.file) as stream:
            drawn = gif.read_frames(stream, frames)
        if len(drawn) < frames or gif.covers(drawn, self.width, self.height):
            return image
        return image.bandjoin(pixels.coverage(drawn, self.width, self.height))

    def _without_gaps(self, image: pyvips.Image) -> pyvips.Image:
        with _stream(self.file) as stream:
            drawn = gif.read_frames(stream, 1)
        has_gaps = gif.covers(drawn, self.width, self.height) and all(
            frame.is_interlaced and frame.is_opaque for frame in drawn
        )
        return pixels.repeat_rows(image) if has_gaps else image

    @property
    def ends_early(self) -> bool:
        if self.content_type != "image/gif":
            return self.mended is not None
        with _stream(self.file) as stream:
            return gif.is_cut(stream)

    def forgive(self, error: pyvips.Error) -> bool:
        if self.content_type == "image/jpeg":
            return self._forgive_jpeg(str(error))
        if self.content_type == "image/png":
            with _stream(self.file) as stream:
                extent = png.read_extent(stream)
            if not extent.is_nothing:
                return not extent.is_whole
        if self.content_type == "image/gif" and not _is_blank(self._load("none")):
            return True
        raise error

    def _forgive_jpeg(self, complaint: str) -> bool:
        """Cut files are shown as far as they go, unless that is nowhere; a missing end marker loses no pixel."""
        is_truncated = decoder_errors.lacks_data(complaint) or not (
            self._can_read(partial(self._load, "truncated")) or self._can_read(self._load_with_end)
        )
        if is_truncated and _is_blank(self._load("none", shrink=strongest_shrink((self.width, self.height)))):
            raise decoder_errors.truncated()
        return is_truncated

    def _can_read(self, load: Callable[[], pyvips.Image]) -> bool:
        try:
            load().avg()
        except pyvips.Error:
            return False
        return True

    def _load(self, fail_on: str, **options: int) -> pyvips.Image:
        return _load(self.file, self.content_type, fail_on, self.mended, **options)

    def _load_with_end(self) -> pyvips.Image:
        """A JPEG as if it had its end marker."""
        content = os.pread(self.file, os.fstat(self.file).st_size, 0) + _END_OF_IMAGE
        return pyvips.Image.jpegload_buffer(content, access="sequential", fail_on="warning")

    def _load_what_is_there(self) -> pyvips.Image:
        """A PNG whatever its checksums are; missing pixels are empty or coarser, as in browsers."""
        with _stream(self.file) as stream:
            content, extent = png.filled(stream)
        image = pyvips.Image.pngload_buffer(content, access="sequential", fail_on="none")
        if extent.is_whole:
            return image
        return pixels.coarse(image, *extent.step) if extent.step else pixels.above(image, extent.rows)


def _fail_on(content_type: str) -> str:
    """The faults that a strict decoder reports."""
    return "warning" if content_type == "image/jpeg" else "error"


def _stream(file: int) -> BinaryIO:
    return os.fdopen(file, "rb", closefd=False)


def _is_adobe_rgb(header: pyvips.Image) -> bool:
    """Whether a camera says so as in DCF 2.0 (section 4.5.1), without embedding a profile."""
    index = "exif-ifd4-InteroperabilityIndex"
    return not header.get_typeof("icc-profile-data") and _text(header, index).startswith("R03")


def _load(file: int, content_type: str, fail_on: str, mended: bytes | None = None, **options: int) -> pyvips.Image:
    """From the start of the file, or from ``mended`` in its place.

    Copies of a descriptor share a position, so one image at a time can be read.
    """
    os.lseek(file, 0, os.SEEK_SET)
    loader = getattr(pyvips.Image, _LOADERS[content_type])
    source = pyvips.Source.new_from_memory(mended) if mended else pyvips.Source.new_from_descriptor(file)
    image: pyvips.Image = loader(source, access="sequential", fail_on=fail_on, **options)
    return image


def _mend(file: int) -> bytes | None:
    """The decodable part of an animation that ends early; its decoder needs whole files."""
    with _stream(file) as stream:
        return webp.whole_frames(stream)


def _is_blank(image: pyvips.Image) -> bool:
    """Whether there is nothing to see: decoders put that where data are missing."""
    stats = image.stats()
    return all(stats(0, band) == stats(1, band) for band in range(1, image.bands + 1))


def _block(header: pyvips.Image, name: str) -> bytes:
    return cast(bytes, header.get(name)) if header.get_typeof(name) else b""


def _text(header: pyvips.Image, name: str) -> str:
    return str(header.get(name)) if header.get_typeof(name) else ""


def _field(header: pyvips.Image, name: str, default: int) -> int:
    return cast(int, header.get(name)) if header.get_typeof(name) else default
