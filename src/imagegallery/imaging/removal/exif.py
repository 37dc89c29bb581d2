"""An EXIF block (a TIFF stream, with or without JPEG's marker) without the place, and what of it is needed to show the
picture. Pure.

The place is in a directory of its own (EXIF 3.0, section 4.6.6). Its entry leaves the directory that points to it, and
its bytes become zeros; nothing moves, as offsets of a maker's note may count from anywhere.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from attrs import frozen

from imagegallery.imaging.protocol import EXIF_MARKER
from imagegallery.imaging.removal import iptc, xmp
from imagegallery.imaging.removal.pieces import MAX_BLOCK, Unreadable

MAX_DIRECTORIES: Final = 64
MAX_ENTRIES: Final = 2_000

# Bytes of one value of each type (TIFF 6.0, section 2; EXIF 3.0, section 4.6.3).
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_ENTRY: Final = 12

_XMP, _IPTC, _PHOTOSHOP = 0x02BC, 0x83BB, 0x8649
_MAKE, _ORIENTATION, _SUB_DIRECTORIES = 0x010F, 0x0112, 0x014A
_THUMBNAIL, _THUMBNAIL_SIZE = 0x0201, 0x0202
_EXIF, _GPS, _MAKER_NOTE, _INTEROPERABILITY = 0x8769, 0x8825, 0x927C, 0xA005
_INTEROPERABILITY_INDEX: Final = 1
_ADOBE_RGB: Final = b"R03\0"

# The beginnings of makers' names whose notes hold places (https://exiftool.org/TagNames/): they go with it.
_MAKERS_WITH_PLACES: Final = (
    b"panasonic",
    b"leica",
    b"nikon",
    b"samsung",
    b"dji",
    b"ricoh",
    b"pentax",
    b"flir",
    b"gopro",
)
# What other programs' metadata begin with, in a thumbnail that has its own.
_METADATA: Final = (b"Exif\0", b"ns.adobe.com", b"Photoshop 3.0")


@frozen
class _Entry:
    """One entry of a directory, at ``at``: the ``size`` bytes of its value are at ``value``, where ``is_apart`` from
    the entry."""

    at: int
    tag: int
    type: int
    value: int
    size: int

    @property
    def is_apart(self) -> bool:
        return self.value != self.at + 8


@frozen
class _Stream:
    data: bytearray
    order: str

    @classmethod
    def of(cls, tiff: bytes) -> "_Stream":
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
        if order is None or not 8 <= len(tiff) <= MAX_BLOCK:
            raise Unreadable
        return cls(bytearray(tiff), order)

    def number(self, at: int, kind: str = "I") -> int:
        try:
            return int(struct.unpack_from(self.order + kind, self.data, at)[0])
        except struct.error as error:
            raise Unreadable from error

    def entries(self, at: int) -> list[_Entry]:
        count = self.number(at, "H")
        if count > MAX_ENTRIES or at + 2 + count * _ENTRY > len(self.data):
            raise Unreadable
        return [self._entry(at + 2 + place * _ENTRY) for place in range(count)]

    def _entry(self, at: int) -> _Entry:
        tag, kind = self.number(at, "H"), self.number(at + 2, "H")
        size = _SIZES.get(kind, 1) * self.number(at + 4)
        return _Entry(at, tag, kind, at + 8 if size <= 4 else self.number(at + 8), size)

    def value(self, entry: _Entry) -> bytes:
        return bytes(self.data[entry.value : entry.value + entry.size])

    def integer(self, entry: _Entry) -> int:
        return self.number(entry.value, {3: "H", 4: "I", 13: "I"}.get(entry.type, "I"))

    def directories(self) -> Iterator[tuple[int, list[_Entry]]]:
        """Every directory but those of the place, once."""
        waiting, seen = [self.number(4)], set[int]()
        while waiting:
            at = waiting.pop()
            if at == 0 or at in seen or at + 2 > len(self.data):
                continue
            if len(seen) >= MAX_DIRECTORIES:
                raise Unreadable
            seen.add(at)
            entries = self.entries(at)
            yield at, entries
            for entry in entries:
                if entry.tag in (_EXIF, _INTEROPERABILITY):
                    waiting.append(self.integer(entry))
                elif entry.tag == _SUB_DIRECTORIES:
                    waiting += [self.number(entry.value + 4 * each) for each in range(min(entry.size // 4, 64))]
            end = at + 2 + len(entries) * _ENTRY
            if end + 4 <= len(self.data):
                waiting.append(self.number(end))

    def clear(self, start: int, size: int) -> None:
        end = min(start + size, len(self.data))
        if start < end:
            self.data[start:end] = bytes(end - start)

    def remove(self, directory: int, tags: frozenset[int]) -> None:
        """Take the entries of these tags out of the directory: what follows in it moves up."""
        entries = self.entries(directory)
        end = directory + 2 + len(entries) * _ENTRY
        kept = [bytes(self.data[each.at : each.at + _ENTRY]) for each in entries if each.tag not in tags]
        following = bytes(self.data[end : end + 4])
        packed = struct.pack(self.order + "H", len(kept)) + b"".join(kept) + following
        self.data[directory : end + len(following)] = packed.ljust(end + len(following) - directory, b"\0")


def without_place(block: bytes) -> bytes:
    """The block, of the same length. Raises `Unreadable`."""
    marker = EXIF_MARKER if block.startswith(EXIF_MARKER) else b""
    stream = _Stream.of(block[len(marker) :])
    directories = list(stream.directories())
    hides_notes = any(
        entry.tag == _MAKE and stream.value(entry).strip().lower().startswith(_MAKERS_WITH_PLACES)
        for _, entries in directories
        for entry in entries
    )
    for at, entries in directories:
        for entry in entries:
            if entry.tag == _GPS:
                _clear_directory(stream, stream.integer(entry))
            elif entry.tag == _MAKER_NOTE and hides_notes:
                stream.clear(entry.value, entry.size)
            elif entry.tag in _EDITORS and entry.is_apart:
                _edit(stream, entry)
        gone = {_GPS, _MAKER_NOTE} if hides_notes else {_GPS}
        if _clear_thumbnail(stream, entries):
            gone |= {_THUMBNAIL, _THUMBNAIL_SIZE}
        if gone & {entry.tag for entry in entries}:
            stream.remove(at, frozenset(gone))
    return marker + bytes(stream.data)


def _edit(stream: _Stream, entry: _Entry) -> None:
    """Metadata of another kind inside of an entry."""
    value = stream.value(entry)
    try:
        edited = _EDITORS[entry.tag](value)
    except Unreadable:
        edited = bytes(len(value))
    stream.data[entry.value : entry.value + len(value)] = edited


def _clear_directory(stream: _Stream, at: int) -> None:
    try:
        entries = stream.entries(at)
    except Unreadable:
        if at + 2 > len(stream.data):  # it points nowhere: there is no place
            return
        raise
    for entry in entries:
        if entry.is_apart:
            stream.clear(entry.value, entry.size)
    stream.clear(at, 2 + len(entries) * _ENTRY)


def _clear_thumbnail(stream: _Stream, entries: list[_Entry]) -> bool:
    """Whether there was one with metadata of its own."""
    found = {entry.tag: stream.integer(entry) for entry in entries if entry.tag in (_THUMBNAIL, _THUMBNAIL_SIZE)}
    if len(found) < 2:
        return False
    at, size = found[_THUMBNAIL], found[_THUMBNAIL_SIZE]
    thumbnail = bytes(stream.data[at : at + size])
    if not any(each in thumbnail for each in _METADATA):
        return False
    stream.clear(at, size)
    return True


def essence(block: bytes) -> bytes:
    """An EXIF block of nothing but the orientation, and Adobe RGB as DCF 2.0 (section 4.5.1) says it; or nothing, where
    neither is needed. A reader would find them in a damaged block up to the damage, and so does this."""
    try:
        stream = _Stream.of(block.removeprefix(EXIF_MARKER))
    except Unreadable:
        return b""
    orientation, is_adobe_rgb = 1, False
    try:
        for place, (_, entries) in enumerate(stream.directories()):
            for entry in entries:
                if place == 0 and entry.tag == _ORIENTATION:
                    orientation = stream.integer(entry)
                elif entry.tag == _INTEROPERABILITY_INDEX and entry.type == 2:
                    is_adobe_rgb = is_adobe_rgb or stream.value(entry) == _ADOBE_RGB
    except Unreadable:
        pass
    return _written(orientation if 2 <= orientation <= 8 else 1, is_adobe_rgb=is_adobe_rgb)


def _written(orientation: int, *, is_adobe_rgb: bool) -> bytes:
    entries = [struct.pack(">HHIHH", _ORIENTATION, 3, 1, orientation, 0)] if orientation > 1 else []
    header, following = b"MM\0*" + struct.pack(">I", 8), b""
    if is_adobe_rgb:
        at = len(header) + 6 + _ENTRY * (len(entries) + 1)
        entries.append(struct.pack(">HHII", _EXIF, 4, 1, at))
        second = _directory(struct.pack(">HHII", _INTEROPERABILITY, 4, 1, at + 6 + _ENTRY))
        following = second + _directory(struct.pack(">HHI", _INTEROPERABILITY_INDEX, 2, 4) + _ADOBE_RGB)
    return header + _directory(*entries) + following if entries else b""


def _directory(*entries: bytes) -> bytes:
    return struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)


_EDITORS: Final[Mapping[int, Callable[[bytes], bytes]]] = {
    _XMP: xmp.without_place,
    _IPTC: iptc.without_place,
    # Photoshop's resources, which can hold all other kinds.
    _PHOTOSHOP: lambda value: bytes(len(value)),
}
