"""Properties of an AVIF or HEIF file's primary picture that decoders do not report (ISO/IEC 14496-12 and 23008-12).

Every box is read once, by its length; damaged ones are ignored.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from attrs import frozen

from imagegallery.imaging.decoder.colour import Colour, from_code_points

MAX_BOX: Final = 4 * 1024**2
"""Bytes of a box that is read: the pictures themselves are elsewhere."""
MAX_TOP_BOXES: Final = 1_000

_FULL: Final = 4
"""Bytes of version and flags."""


@frozen
class CodePoints:
    """Primaries and transfer (ITU-T H.273), and whether black is 0 and white the greatest number."""

    primaries: int
    transfer: int
    is_full_range: bool


@frozen
class PrimaryPicture:
    """``frames``: samples of the longest track, if the file is a sequence."""

    code_points: CodePoints | None = None
    is_premultiplied: bool = False
    is_grey: bool = False
    frames: int = 1

    @property
    def colour(self) -> Colour | None:
        """The meaning of the numbers by code points. A profile is better, if there is one."""
        points = self.code_points
        return None if points is None else from_code_points(points.primaries, points.transfer)

    @property
    def is_narrow_grey(self) -> bool:
        """Whether black is at 16 and white at 235, of 255, in a grey picture: decoders do not change that."""
        return self.is_grey and self.code_points is not None and not self.code_points.is_full_range


def read_primary(file: BinaryIO) -> PrimaryPicture:
    """Read them. Raises only `OSError`."""
    boxes = dict(_top_boxes(file))
    try:
        frames = _frames(boxes.get(b"moov", b""))
    except (struct.error, IndexError):
        frames = 1
    try:
        return _primary(boxes.get(b"meta", b"")[_FULL:], frames)
    except (struct.error, IndexError):
        return PrimaryPicture(frames=frames)


def _top_boxes(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(MAX_TOP_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        size, kind, start = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, start = int.from_bytes(head[8:16], "big"), 16
        if kind in (b"meta", b"moov") and (size == 0 or size <= MAX_BOX):
            file.seek(at + start)
            yield kind, file.read(size - start if size else MAX_BOX)
        if size < start:
            return
        at += size


def _children(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind, start = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size == 0:
            size = len(data) - at
        if size < start:
            return
        yield kind, data[at + start : at + size]
        at += size


def _primary(meta: bytes, frames: int) -> PrimaryPicture:
    boxes = dict(_children(meta))
    primary = _number(boxes[b"pitm"][_FULL:], wide=boxes[b"pitm"][0] > 0) if b"pitm" in boxes else 0
    references = list(_references(boxes.get(b"iref", b"")))
    tiles = next((to for kind, of, to in references if kind == b"dimg" and of == primary), ())
    properties = dict(_children(boxes.get(b"iprp", b"")))
    all_of_them = list(_children(properties.get(b"ipco", b"")))
    associated = _associations(properties.get(b"ipma", b""))
    found = [
        all_of_them[index - 1]
        for item in (primary, *tiles[:1])
        for index in associated.get(item, ())
        if 1 <= index <= len(all_of_them)
    ]
    return PrimaryPicture(
        code_points=_code_points([data for kind, data in found if kind == b"colr"]),
        is_premultiplied=any(kind == b"prem" and of == primary for kind, of, _ in references),
        is_grey=any(_is_grey(kind, data) for kind, data in found),
        frames=frames,
    )


def _number(data: bytes, *, wide: bool) -> int:
    return int(struct.unpack_from(">I" if wide else ">H", data)[0])


def _references(box: bytes) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    """Kind, from which item, to which (ISO/IEC 14496-12 section 8.11.12)."""
    wide = bool(box) and box[0] > 0
    size = 4 if wide else 2
    for kind, data in _children(box[_FULL:]):
        count = _number(data[size:], wide=False)
        to = struct.unpack_from(f">{count}{'I' if wide else 'H'}", data, size + 2)
        yield kind, _number(data, wide=wide), to


def _associations(box: bytes) -> dict[int, tuple[int, ...]]:
    """The properties of each item, counted from 1 (ISO/IEC 23008-12 section 9.3)."""
    if not box:
        return {}
    wide_items, wide_indexes = box[0] > 0, box[3] & 1
    item_size, index_size = 4 if wide_items else 2, 2 if wide_indexes else 1
    found: dict[int, tuple[int, ...]] = {}
    at = _FULL + 4
    while at + item_size < len(box):
        item, count = _number(box[at : at + item_size], wide=wide_items), box[at + item_size]
        at += item_size + 1
        indexes = struct.unpack_from(f">{count}{'H' if wide_indexes else 'B'}", box, at)
        found[item] = tuple(index & (0x7FFF if wide_indexes else 0x7F) for index in indexes)
        at += count * index_size
    return found


def _code_points(boxes: Sequence[bytes]) -> CodePoints | None:
    for data in boxes:
        if data[:4] == b"nclx":
            primaries, transfer, _matrix, flags = struct.unpack_from(">HHHB", data, 4)
            return CodePoints(primaries, transfer, bool(flags & 0x80))
    return None


def _is_grey(kind: bytes, data: bytes) -> bool:
    """By the codec's configuration: AV1 in ISOBMFF section 2.3.3; ISO/IEC 14496-15 section 8.3.3.1."""
    if kind == b"av1C":
        return bool(data[2] & 0x10)
    return kind == b"hvcC" and data[16] & 3 == 0


def _frames(moov: bytes) -> int:
    counts = [1]
    for _, track in _named(moov, b"trak"):
        table = track
        for name in (b"mdia", b"minf", b"stbl"):
            table = next((data for _, data in _named(table, name)), b"")
        counts += [int(struct.unpack_from(">I", data, 8)[0]) for _, data in _named(table, b"stsz")]
    return max(counts)


def _named(data: bytes, name: bytes) -> Iterator[tuple[bytes, bytes]]:
    return ((kind, inner) for kind, inner in _children(data) if kind == name)
