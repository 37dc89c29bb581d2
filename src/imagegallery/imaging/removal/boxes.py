"""An AVIF or HEIF without metadata (ISO/IEC 14496-12 and 23008-12): every byte stays where it is, as the table of
places counts from the file's start. What goes becomes free space, zeros, or an empty block. Pure.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from attrs import define, frozen

from imagegallery.imaging.formats.boxes import MAX_BOX, MAX_TOP_BOXES
from imagegallery.imaging.protocol import EXIF_MARKER
from imagegallery.imaging.removal import exif, xmp
from imagegallery.imaging.removal.pieces import MAX_BLOCK, Content, Piece, Unreadable, damaged, patched

_KEPT: Final = frozenset({b"ftyp", b"meta", b"mdat", b"moov"})
# Kinds of items that are pictures, or made of some.
_PICTURES: Final = frozenset(
    {
        *(b"hvc1", b"hev1", b"lhv1", b"av01", b"avc1", b"vvc1", b"jpeg", b"j2k1", b"unci"),
        b"grid",
        b"iovl",
        b"iden",
        b"tmap",
    }
)
_TRACKS: Final = frozenset({b"pict", b"vide", b"auxv"})
# Properties that say something about the picture, and show nothing of it: a description, and times.
_TELLING: Final = frozenset({b"udes", b"crtt", b"mdft", b"altt"})
_PLACES: Final = frozenset({b"udta", b"meta", b"uuid"})
_CONTAINERS: Final = frozenset({b"moov", b"trak", b"mdia"})
_XMP_TYPES: Final = (b"application/rdf+xml",)
_MAX_ITEMS: Final = 10_000
_MAX_DEPTH: Final = 6
# TIFF without entries, behind the offset that an item of EXIF begins with.
_NO_EXIF: Final = b"\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"

Patch = tuple[int, bytes]


@frozen
class _Box:
    """At ``start``, with its content from ``data`` to ``end``."""

    kind: bytes
    start: int
    data: int
    end: int


@define
class _Item:
    """``parts`` are start and size in the file."""

    kind: bytes = b""
    content_type: bytes = b""
    is_encoded: bool = False
    parts: Sequence[tuple[int, int]] = ()


def without_place(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    return patched(content, _patches(content, hides_all=False))


def without_all(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    return patched(content, _patches(content, hides_all=True))


def _patches(content: Content, *, hides_all: bool) -> Iterator[Patch]:
    boxes = list(_boxes(content, 0, len(content), MAX_TOP_BOXES))
    for box in boxes:
        if box.kind == b"meta":
            films = any(each.kind == b"moov" for each in boxes)
            data = [] if films else [(each.data, each.end) for each in boxes if each.kind == b"mdat"]
            yield from _meta(content, box, data, hides_all=hides_all)
        elif box.kind == b"moov":
            yield from _movie(content, box, 0)
        elif box.kind not in _KEPT:
            yield from _freed(box)


def _freed(box: _Box) -> Iterator[Patch]:
    yield box.start + 4, b"free"
    yield box.data, bytes(box.end - box.data)


def _movie(content: Content, box: _Box, depth: int) -> Iterator[Patch]:
    """Free space for what tells something about a film, and no film with a track of anything but pictures."""
    if depth > _MAX_DEPTH:
        raise damaged("its boxes are too deep")
    for each in _boxes(content, box.data, box.end, _MAX_ITEMS):
        if each.kind in _PLACES:
            yield from _freed(each)
        elif each.kind == b"hdlr" and box.kind == b"mdia" and content[each.data + 8 : each.data + 12] not in _TRACKS:
            raise damaged("it has a track that is no picture")
        elif each.kind in _CONTAINERS:
            yield from _movie(content, each, depth + 1)


def _meta(content: Content, meta: _Box, data: Sequence[tuple[int, int]], *, hides_all: bool) -> Iterator[Patch]:
    """``data`` are where bytes of items may be, and of nothing else."""
    if meta.end - meta.data > MAX_BOX:
        raise damaged("its table of items is too long")
    children = {each.kind: each for each in _boxes(content, meta.data + 4, meta.end, _MAX_ITEMS)}
    try:
        items = _items(content, children)
        if hides_all and b"iprp" in children:
            yield from _telling(content, children[b"iprp"])
    except (struct.error, IndexError) as error:
        raise damaged("its table of items is damaged") from error
    for item in items:
        if item.kind not in _PICTURES:
            yield from _emptied(content, item, hides_all=hides_all)
    yield from _nobodys(items, data)
    for kind, box in children.items():
        if kind in (b"uuid", b"udta", b"xml ", b"bxml"):
            yield from _freed(box)


def _nobodys(items: Sequence[_Item], data: Sequence[tuple[int, int]]) -> Iterator[Patch]:
    """Zeros for what belongs to no item, such as an earlier state of one."""
    parts = sorted((start, start + size) for item in items for start, size in item.parts)
    if any(start == end for start, end in parts):  # a part without a size goes to the end of the file
        return
    for at, end in data:
        for start, part_end in [*parts, (end, end)]:
            if at < min(start, end):
                yield at, bytes(min(start, end) - at)
            at = max(at, min(part_end, end))


def _telling(content: Content, properties: _Box) -> Iterator[Patch]:
    for container in _boxes(content, properties.data, properties.end, _MAX_ITEMS):
        if container.kind == b"ipco":
            for each in _boxes(content, container.data, container.end, _MAX_ITEMS):
                if each.kind in _TELLING:
                    yield from _freed(each)


def _emptied(content: Content, item: _Item, *, hides_all: bool) -> Iterator[Patch]:
    """The item's bytes without the place, or without anything."""
    size = sum(size for _, size in item.parts)
    if any(start + size > len(content) for start, size in item.parts):
        raise damaged("an item is outside of the file")
    is_read = size <= MAX_BLOCK and not item.is_encoded
    data = b"".join(content[start : start + size] for start, size in item.parts) if is_read else b""
    at = 0
    new = _edited(item, data, hides_all=hides_all) if is_read else b""
    for start, part in item.parts:
        yield start, new[at : at + part].ljust(part, b"\0")
        at += part


def _edited(item: _Item, data: bytes, *, hides_all: bool) -> bytes:
    if item.kind == b"Exif":
        head = 4 + int.from_bytes(data[:4], "big")
        if not hides_all and head < len(data):
            try:
                marker = data[4:head] if data[4:head] == EXIF_MARKER else bytes(head - 4)
                return data[:4] + marker + exif.without_place(data[head:])
            except Unreadable:
                pass
        return _NO_EXIF if len(data) >= len(_NO_EXIF) else b""
    if item.kind == b"mime" and item.content_type in _XMP_TYPES:
        if not hides_all:
            try:
                return xmp.without_place(data)
            except Unreadable:
                pass
        return xmp.blank(len(data))
    return b""


def _items(content: Content, children: dict[bytes, _Box]) -> list[_Item]:
    items: dict[int, _Item] = {}
    if b"iinf" in children:
        box = children[b"iinf"]
        head = box.data + (6 if content[box.data] == 0 else 8)
        for entry in _boxes(content, head, box.end, _MAX_ITEMS):
            number, item = _entry(content[entry.data : entry.end])
            items[number] = item
    if b"iloc" in children:
        idat = children.get(b"idat")
        box = children[b"iloc"]
        for number, parts in _places(content[box.data : box.end], None if idat is None else (idat.data, idat.end)):
            items.setdefault(number, _Item()).parts = parts
    return list(items.values())


def _entry(data: bytes) -> tuple[int, _Item]:
    """Of the table of items (section 8.11.6)."""
    version = data[0]
    if version < 2:
        _, content_type, *_ = [*data[8:].split(b"\x00"), b"", b""]
        return int.from_bytes(data[4:6], "big"), _Item(b"mime", content_type)
    wide = 2 if version > 2 else 0
    number, kind = int.from_bytes(data[4 : 6 + wide], "big"), data[8 + wide : 12 + wide]
    _, content_type, encoding, *_ = [*data[12 + wide :].split(b"\x00"), b"", b"", b""]
    return number, _Item(kind, content_type.lower(), is_encoded=kind == b"mime" and encoding not in (b"", b"identity"))


def _places(box: bytes, idat: tuple[int, int] | None) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    """Where each item lies in the file (section 8.11.3)."""
    version, at = box[0], 6
    offset_size, length_size = box[4] >> 4, box[4] & 15
    base_size, index_size = box[5] >> 4, box[5] & 15 if version else 0

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(box):
            raise damaged("its table of items is damaged")
        at += size
        return int.from_bytes(box[at - size : at], "big")

    total = 0
    for _ in range(number(4 if version > 1 else 2)):
        item = number(4 if version > 1 else 2)
        method = number(2) & 15 if version else 0
        if number(2):
            raise damaged("an item is in another file")
        base, parts = number(base_size), []
        for _ in range(number(2)):
            number(index_size)
            start, size = base + number(offset_size), number(length_size)
            parts.append((start + (idat[0] if method == 1 and idat else 0), size))
        total += 1 + len(parts)
        if total > _MAX_ITEMS or (method == 1 and idat is None):
            raise damaged("its table of items is damaged")
        # A method of 2 takes bytes of other items, as pictures made of some do.
        yield item, () if method > 1 else tuple(parts)


def _boxes(content: Content, at: int, end: int, most: int) -> Iterator[_Box]:
    for _ in range(most):
        if at == end:
            return
        size, kind, data = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8], at + 8
        if size == 1:
            size, data = int.from_bytes(content[at + 8 : at + 16], "big"), at + 16
        following = end if size == 0 else at + size
        if len(kind) < 4 or following < data or following > end:
            raise damaged("a box is longer than the file")
        yield _Box(kind, at, data, following)
        at = following
    raise damaged("it has too many boxes")
