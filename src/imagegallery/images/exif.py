"""The tags of an EXIF block (CIPA DC-008-2024): a TIFF stream read with bounds. Pure.

The block comes from strangers. Three directories are read, each once and wherever the block says they are,
so that offsets which point back or at each other cannot make a loop; entries and value sizes are bounded; and
what is out of place is left out, never an error.
"""

import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction

from attrs import field, frozen

MAX_ENTRIES = 512
MAX_VALUE_BYTES = 4096

_MARKER = b"Exif\0\0"
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_EXIF_POINTER, _GPS_POINTER = 0x8769, 0x8825

# Bytes of one value of each field type (DC-008 section 4.6.2; 129 is UTF-8 text, new in version 3.0).
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 129: 1}
_BYTE_TYPES = (1, 2, 7, 129)
_INTEGER_FORMATS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
_RATIONAL_FORMATS = {5: "I", 10: "i"}


@frozen
class _Entry:
    kind: int
    data: bytes


@frozen
class Directory:
    """The entries of one image file directory (IFD), by tag; every reader answers "nothing" for nonsense."""

    _order: str = "<"
    _entries: Mapping[int, _Entry] = field(factory=dict)

    def raw(self, tag: int) -> bytes:
        """The bytes of a text or "undefined" field as they stand; empty when there is none."""
        entry = self._entries.get(tag)
        return entry.data if entry and entry.kind in _BYTE_TYPES else b""

    def integers(self, tag: int) -> tuple[int, ...]:
        """The values of a whole-number field."""
        return self._unpacked(tag, _INTEGER_FORMATS)

    def rationals(self, tag: int) -> tuple[Fraction | None, ...]:
        """The values of a rational field, exact; one with the denominator 0 ("unknown") is ``None``."""
        numbers = self._unpacked(tag, _RATIONAL_FORMATS)
        pairs = zip(numbers[::2], numbers[1::2], strict=False)
        return tuple(Fraction(above, below) if below else None for above, below in pairs)

    def _unpacked(self, tag: int, formats: Mapping[int, str]) -> tuple[int, ...]:
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in formats:
            return ()
        code = formats[entry.kind]
        count = len(entry.data) // struct.calcsize(f"={code}")
        return struct.unpack(f"{self._order}{count}{code}", entry.data)


@frozen
class ExifTags:
    """The three directories that matter here: the picture's (IFD0), the camera's (Exif) and the place's (GPS)."""

    image: Directory = Directory()
    camera: Directory = Directory()
    place: Directory = Directory()


def read_tags(block: bytes) -> ExifTags:
    """The tags of an EXIF block, with or without its ``Exif\\0\\0`` marker. Never raises."""
    tiff = block.removeprefix(_MARKER)
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return ExifTags()
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    image = _directory(tiff, order, start)
    camera, place = (_pointed_at(tiff, order, image, pointer) for pointer in (_EXIF_POINTER, _GPS_POINTER))
    return ExifTags(image, camera, place)


def _pointed_at(tiff: bytes, order: str, parent: Directory, pointer: int) -> Directory:
    offsets = parent.integers(pointer)
    return _directory(tiff, order, offsets[0]) if offsets else Directory(order)


def _directory(tiff: bytes, order: str, offset: int) -> Directory:
    entries: dict[int, _Entry] = {}
    for tag, entry in _entries(tiff, order, offset):
        entries.setdefault(tag, entry)
    return Directory(order, entries)


def _entries(tiff: bytes, order: str, offset: int) -> Iterator[tuple[int, _Entry]]:
    """The readable entries of the directory at ``offset``: 12 bytes each, after a count of two bytes."""
    if not 8 <= offset <= len(tiff) - 2:
        return
    (count,) = struct.unpack_from(f"{order}H", tiff, offset)
    complete = (len(tiff) - offset - 2) // 12
    for index in range(min(count, complete, MAX_ENTRIES)):
        at = offset + 2 + 12 * index
        tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, at)
        data = _value(tiff, order, at + 8, _TYPE_SIZES.get(kind, 0) * values)
        if data:
            yield tag, _Entry(kind, data)


def _value(tiff: bytes, order: str, at: int, size: int) -> bytes:
    """The ``size`` bytes of a value: in the entry itself up to four, else at the offset it holds."""
    if not 0 < size <= MAX_VALUE_BYTES:
        return b""
    if size > 4:
        (at,) = struct.unpack_from(f"{order}I", tiff, at)
    return tiff[at : at + size] if at + size <= len(tiff) else b""
