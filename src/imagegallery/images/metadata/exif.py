"""The tags of an EXIF block (CIPA DC-008-2024): a TIFF stream read with limits. Pure.

The block comes from strangers. Three directories and one of the maker are read, each once, so that offsets that point
back or at each other cannot loop. Entries and sizes of values are limited. Invalid data is skipped without an error.
"""

import struct
import unicodedata
from collections.abc import Iterator, Mapping
from fractions import Fraction

from attrs import field, frozen

from imagegallery.imaging.protocol import EXIF_MARKER

MAX_ENTRIES = 512
MAX_VALUE_BYTES = 4096
MAX_TEXT = 255

_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_EXIF_POINTER, _GPS_POINTER = 0x8769, 0x8825
_MAKER_NOTE = 0x927C

# Bytes of one value of each field type (DC-008 section 4.6.2; 129 is UTF-8 text, new in version 3.0).
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 129: 1}
_BYTE_TYPES = (1, 2, 7, 129)
_INTEGER_FORMATS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
_RATIONAL_FORMATS = {5: "I", 10: "i"}


@frozen
class _Entry:
    """A value, empty if it is too long to be read, and its position in the stream."""

    kind: int
    data: bytes
    at: int


@frozen
class Directory:
    """The entries of one image file directory (IFD), by tag. Readers return nothing for invalid values."""

    _order: str = "<"
    _entries: Mapping[int, _Entry] = field(factory=dict)

    def raw(self, tag: int) -> bytes:
        """The bytes of a text or "undefined" field; empty if there is none."""
        entry = self._entries.get(tag)
        return entry.data if entry and entry.kind in _BYTE_TYPES else b""

    def text(self, tag: int) -> str | None:
        """The text of a field, at most 255 characters: UTF-8, otherwise Windows's Latin-1.

        Cameras pad with NULs and blanks, and write anything into "ASCII".
        """
        text = self.raw(tag).partition(b"\0")[0]
        try:
            return clean(text.decode("utf-8"))
        except UnicodeDecodeError:
            return clean(text.decode("cp1252", "replace"))

    def integers(self, tag: int) -> tuple[int, ...]:
        """The values of a whole-number field."""
        return self._unpack(tag, _INTEGER_FORMATS)

    def rationals(self, tag: int) -> tuple[Fraction | None, ...]:
        """The values of a rational field, exact; ``None`` for the denominator 0 ("unknown")."""
        numbers = self._unpack(tag, _RATIONAL_FORMATS)
        pairs = zip(numbers[::2], numbers[1::2], strict=False)
        return tuple(Fraction(above, below) if below else None for above, below in pairs)

    def place_of(self, tag: int) -> int | None:
        """The position in the stream of a field's value."""
        entry = self._entries.get(tag)
        return entry.at if entry else None

    def _unpack(self, tag: int, formats: Mapping[int, str]) -> tuple[int, ...]:
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in formats:
            return ()
        code = formats[entry.kind]
        count = len(entry.data) // struct.calcsize(f"={code}")
        return struct.unpack(f"{self._order}{count}{code}", entry.data)


@frozen
class Stream:
    """A TIFF stream, in the byte order ``order`` (of `struct`)."""

    tiff: bytes = b""
    order: str = "<"

    @classmethod
    def of(cls, tiff: bytes) -> "Stream | None":
        order = _BYTE_ORDERS.get(tiff[:4])
        return None if order is None or len(tiff) < 8 else cls(tiff, order)

    def first_directory(self) -> Directory:
        (start,) = struct.unpack_from(f"{self.order}I", self.tiff, 4)
        return self.directory(start)

    def directory(self, at: int) -> Directory:
        """The directory at this position; empty if there is none."""
        entries: dict[int, _Entry] = {}
        for tag, entry in _entries(self.tiff, self.order, at):
            entries.setdefault(tag, entry)
        return Directory(self.order, entries)


@frozen
class ExifTags:
    """The three directories read: the picture's (IFD0), the camera's (Exif) and the place's (GPS).

    The maker note (`imagegallery.images.metadata.maker_note`) is in the same ``stream``, at ``note_at``.
    """

    image: Directory = Directory()
    camera: Directory = Directory()
    place: Directory = Directory()
    stream: Stream = Stream()
    note_at: int | None = None


def read_tags(block: bytes) -> ExifTags:
    """The tags of an EXIF block, with or without its ``Exif\\0\\0`` marker. Never raises."""
    stream = Stream.of(block.removeprefix(EXIF_MARKER))
    if stream is None:
        return ExifTags()
    image = stream.first_directory()
    camera, place = (_follow(stream, image, pointer) for pointer in (_EXIF_POINTER, _GPS_POINTER))
    return ExifTags(image, camera, place, stream, camera.place_of(_MAKER_NOTE))


def _follow(stream: Stream, parent: Directory, pointer: int) -> Directory:
    offsets = parent.integers(pointer)
    return stream.directory(offsets[0]) if offsets else Directory(stream.order)


def _entries(tiff: bytes, order: str, offset: int) -> Iterator[tuple[int, _Entry]]:
    """The readable entries of the directory at ``offset``: 12 bytes each, after a count of two bytes."""
    if not 8 <= offset <= len(tiff) - 2:
        return
    (count,) = struct.unpack_from(f"{order}H", tiff, offset)
    complete = (len(tiff) - offset - 2) // 12
    for index in range(min(count, complete, MAX_ENTRIES)):
        at = offset + 2 + 12 * index
        tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, at)
        size = _TYPE_SIZES.get(kind, 0) * values
        value_at = at + 8 if size <= 4 else struct.unpack_from(f"{order}I", tiff, at + 8)[0]
        if size and value_at + size <= len(tiff):
            data = tiff[value_at : value_at + size] if size <= MAX_VALUE_BYTES else b""
            yield tag, _Entry(kind, data, value_at)


def clean(text: str) -> str | None:
    """Printable characters and single blanks, at most 255; ``None`` if nothing is left."""
    printable = "".join(" " if char.isspace() else char for char in text if _is_printable(char))
    return " ".join(printable.split())[:MAX_TEXT].rstrip() or None


def _is_printable(char: str) -> bool:
    """Whether it is no control or formatting character, which could turn the direction of the text."""
    return char.isspace() or not unicodedata.category(char).startswith("C")
