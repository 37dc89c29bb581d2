"""Metadata and colours of a PNG file, including those after the pixels and in text chunks, where libvips does not look.

Chunks are skipped by their length, at most `MAX_CHUNKS` of them; checksums are ignored (PNG third edition, section
5.3).
"""

import binascii
import os
import re
import struct
import zlib
from collections.abc import Collection, Iterator, Mapping
from itertools import accumulate
from typing import BinaryIO, Final

from attrs import define, field, frozen

from imagegallery.imaging.decoder.colour import Colour, from_code_points, from_gamma
from imagegallery.imaging.decoder.source import Blocks

MAX_CHUNKS: Final = 200_000
MAX_BLOCK: Final = 1024**2
"""The most bytes of one chunk, and of its content when it is compressed."""
MAX_TEXTS: Final = 100
MAX_UNPACKED: Final = 128 * 1024**2
"""Up to this many bytes, pixels are stored uncompressed: packing takes longer than all the rest."""

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_TEXT_CHUNKS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_BLOCK_CHUNKS: Final = _TEXT_CHUNKS | {b"eXIf", b"tIME"}
_COLOUR_CHUNKS: Final = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"acTL", b"IDAT"})
_EXIF_PROFILES: Final = ("Raw profile type exif", "Raw profile type APP1")
_IPTC_PROFILE: Final = "Raw profile type iptc"
_XMP_KEYWORDS: Final = ("XML:com.adobe.xmp", "Raw profile type xmp")
_CREATION_TIME: Final = "Creation Time"
# By colour type (section 11.2.1); a palette has one.
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Left, top and distances of the pixels of each pass (section 8.2).
_ADAM7: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
# After each pass, one pixel of this many, across and down, is there.
_STEPS: Final = ((8, 8), (4, 8), (4, 4), (2, 4), (2, 2), (1, 2), (1, 1))
_PIECE: Final = 256
"""Bytes that are inflated at once: their content is lost if one of them is damaged."""


def read_blocks(file: BinaryIO) -> Blocks:
    """Read the first block of each kind. Raises only `OSError`."""
    found = _Found()
    for kind, data in _chunks(file, _BLOCK_CHUNKS):
        if kind == b"eXIf":
            found.exif = found.exif or data
        elif kind == b"tIME":
            found.changed = found.changed or data
        elif found.texts_read < MAX_TEXTS:
            found.texts_read += 1
            found.note(*read_text(kind, data))
    return found.blocks()


def read_exif(kind: bytes, data: bytes) -> bytes:
    """The EXIF block in one chunk, if it is one that may have it."""
    found = _Found(exif=data if kind == b"eXIf" else b"")
    if kind in _TEXT_CHUNKS:
        found.note(*read_text(kind, data))
    return found.blocks().exif


@define
class _Found:
    exif: bytes = b""
    exif_profile: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    created: bytes = b""
    changed: bytes = b""
    texts_read: int = field(default=0)

    def note(self, keyword: str, text: bytes) -> None:
        if keyword in _EXIF_PROFILES:
            # ImageMagick's APP1 may be either, in the form that it has in JPEG.
            profile = raw_profile(text)
            if profile.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
                self.xmp = self.xmp or profile.partition(b"\0")[2]
            else:
                self.exif_profile = self.exif_profile or profile
        elif keyword == _IPTC_PROFILE:
            self.iptc = self.iptc or raw_profile(text)
        elif keyword in _XMP_KEYWORDS:
            self.xmp = self.xmp or (text if keyword == _XMP_KEYWORDS[0] else raw_profile(text))
        elif keyword == _CREATION_TIME:
            self.created = self.created or text

    def blocks(self) -> Blocks:
        times = (self.created.decode("latin-1"), _time(self.changed))
        return Blocks(
            exif=self.exif or self.exif_profile, xmp=self.xmp, iptc=self.iptc, times=tuple(filter(None, times))
        )


@frozen
class Extent:
    """How far the coded pixels go: all of them, or the first ``rows``; interlaced, one of this many across and down."""

    is_whole: bool
    rows: int = 0
    step: tuple[int, int] | None = None

    @property
    def is_nothing(self) -> bool:
        return not self.is_whole and not self.rows and self.step is None


def read_extent(file: BinaryIO) -> Extent:
    """What is there, ignoring checksums, up to the first damage. Raises only `OSError`."""
    header = _header(file)
    return _extent(header, sum(map(len, _pixels(file, header.size))))


def filled(file: BinaryIO) -> tuple[bytes, Extent]:
    """The picture with zeros for missing pixels, and how far it went, with right checksums: a decoder that finds a
    wrong one after the pixels drops the last row
    (RFC 1950 section 2.2).
    """
    header, before, coded, there = _header(file), [], [], 0
    for kind, size in _headers(file):
        if kind == b"IDAT":
            break
        before.append(chunk(kind, file.read(size)))
    packer = zlib.compressobj(0) if header.size <= MAX_UNPACKED else zlib.compressobj(1, strategy=zlib.Z_RLE)
    for block in _pixels(file, header.size):
        coded.append(packer.compress(block[: header.size - there]))
        there += len(block)
    missing = max(0, header.size - there)
    zeros = [MAX_BLOCK] * (missing // MAX_BLOCK) + [missing % MAX_BLOCK]
    coded += [packer.compress(bytes(size)) for size in zeros]
    pixels = b"".join((*coded, packer.flush()))
    whole = b"".join((_SIGNATURE, *before, chunk(b"IDAT", pixels), chunk(b"IEND", b"")))
    return whole, _extent(header, there)


def _extent(header: "_Header", there: int) -> Extent:
    """The extent of pixels with this many bytes."""
    if there >= header.size > 0:
        return Extent(is_whole=True)
    if not header.is_interlaced:
        return Extent(is_whole=False, rows=there * header.height // header.size if header.size else 0)
    passes = sum(there >= needed for needed in accumulate(header.passes))
    return Extent(is_whole=False, step=_STEPS[passes - 1] if passes else None)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


@frozen
class _Header:
    """Of the chunk IHDR (section 11.2.1). ``passes`` are the bytes of the pixels of each."""

    height: int = 0
    is_interlaced: bool = False
    passes: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        return sum(self.passes)


def _header(file: BinaryIO) -> _Header:
    """Of a picture without pixels if there is no header."""
    kind, size = next(_headers(file), (b"", 0))
    data = file.read(size) if kind == b"IHDR" and size == 13 else b""
    if len(data) < 13:
        return _Header()
    width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", data)
    bits = depth * _CHANNELS.get(colour_type, 4)
    passes = _ADAM7 if interlace else ((0, 0, 1, 1),)
    sizes = ((-(-(width - left) // across), -(-(height - top) // down)) for left, top, across, down in passes)
    # A filter byte comes before each row (section 9).
    coded = tuple(max(rows, 0) * (1 + (columns * bits + 7) // 8) if columns > 0 else 0 for columns, rows in sizes)
    return _Header(height, bool(interlace), coded)


def _pixels(file: BinaryIO, at_most: int) -> Iterator[bytes]:
    """The pixels as coded, with filters, in blocks: up to about ``at_most`` bytes, or until the end or some damage.
    Little before the damage is lost."""
    inflater, skipped = zlib.decompressobj(-15), 2  # bytes of zlib's header
    for kind, size in _headers(file):
        if kind != b"IDAT":
            continue
        coded = file.read(size)
        for at in range(skipped, len(coded), _PIECE):
            piece = coded[at : at + _PIECE]
            while piece and at_most > 0 and not inflater.eof:
                try:
                    block = inflater.decompress(piece, MAX_BLOCK)
                except zlib.error:
                    return
                piece = inflater.unconsumed_tail
                at_most -= len(block)
                yield block
        skipped = max(0, skipped - len(coded))
        if at_most <= 0 or inflater.eof:
            return


def read_colour(file: BinaryIO) -> tuple[Colour | None, int]:
    """The meaning of its numbers, if not by a profile, and its number of frames (APNG).

    Code points come before a profile, that before the chunk sRGB, and that before gAMA and cHRM (section 4.3). Raises
    only `OSError`.
    """
    chunks: dict[bytes, bytes] = {}
    for kind, data in _chunks(file, _COLOUR_CHUNKS):
        if kind == b"IDAT":
            break
        chunks.setdefault(kind, data)
    animation = chunks.get(b"acTL", b"")
    return _colour(chunks), max(1, int.from_bytes(animation[:4], "big"))


def _colour(chunks: Mapping[bytes, bytes]) -> Colour | None:
    points = chunks.get(b"cICP", b"")
    if len(points) == 4:
        return from_code_points(points[0], points[1], narrow=points[3] == 0)
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return None
    corners = chunks.get(b"cHRM", b"")
    numbers = [int.from_bytes(corners[at : at + 4], "big") for at in range(0, len(corners), 4)]
    return from_gamma(int.from_bytes(chunks.get(b"gAMA", b"")[:4], "big"), numbers)


def _chunks(file: BinaryIO, wanted: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of the wanted chunks, without the data of long ones."""
    for kind, size in _headers(file):
        if kind in wanted:
            yield kind, file.read(size) if size <= MAX_BLOCK else b""


def _headers(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and size of every chunk, with the file at its data, which a checksum follows."""
    end, at = file.seek(0, os.SEEK_END), len(_SIGNATURE)
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or kind == b"IEND":
            return
        yield kind, min(size, end - at - 8)
        at += 12 + size


def read_text(kind: bytes, data: bytes) -> tuple[str, bytes]:
    """Keyword and text of a text chunk (sections 11.3.3.2 to 11.3.3.4)."""
    keyword, _, rest = data.partition(b"\0")
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        return name, rest
    if kind == b"zTXt":
        return name, _inflate(rest[1:])
    is_compressed, rest = rest[:1] == b"\1", rest[2:]
    text = rest.partition(b"\0")[2].partition(b"\0")[2]  # after language and translated keyword
    return name, _inflate(text) if is_compressed else text


def _inflate(data: bytes) -> bytes:
    """Empty if it is damaged, or exceeds the limit."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, MAX_BLOCK)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else text


def raw_profile(text: bytes) -> bytes:
    """ImageMagick's way: a line with the kind, one with the length, and the bytes as lines of hexadecimal digits."""
    match = re.match(rb"\s{0,8}[!-~]{1,32}\s{1,8}(\d{1,8})\s", text)
    if match is None:
        return b""
    digits = b"".join(text[match.end() :].split())
    try:
        return binascii.unhexlify(digits)[: int(match[1])]
    except (binascii.Error, ValueError):
        return b""


def _time(data: bytes) -> str:
    """A chunk tIME, which is in UTC, as text."""
    if len(data) < 7:
        return ""
    month, day, hour, minute, second = data[2:7]
    return f"{int.from_bytes(data[:2], 'big'):04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
