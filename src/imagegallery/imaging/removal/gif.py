"""A GIF without metadata (GIF89a, sections 23 to 26). Pure."""

from collections.abc import Iterator
from typing import Final

from imagegallery.imaging.removal import xmp
from imagegallery.imaging.removal.pieces import MAX_BLOCK, Content, Piece, SourceBytes, Unreadable, damaged

MAX_BLOCKS: Final = 200_000
_SCREEN_END: Final = 13
_EXTENSION, _FRAME, _TRAILER = 0x21, 0x2C, 0x3B
_PLAIN_TEXT, _CONTROL, _COMMENT, _APPLICATION = 0x01, 0xF9, 0xFE, 0xFF
# How often it repeats, and the profile.
_SHOWN: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
_XMP: Final = b"XMP DataXMP"
_IDENTIFIER: Final = slice(3, 14)
# A packet is in no sub-blocks. Wherever in it they are believed to end, these bytes lead to the end (XMP part 3,
# section 1.1.2).
_XMP_TRAILER: Final = bytes([1, *range(0xFF, -1, -1), 0])


def without_place(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    for label, source in _blocks(content):
        identifier = content[source.start : source.start + 14][_IDENTIFIER]
        if label != _APPLICATION or identifier in _SHOWN:
            yield source
        elif identifier == _XMP and source.end - source.start <= MAX_BLOCK:
            yield from _xmp(content, source)


def without_all(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    for label, source in _blocks(content):
        identifier = content[source.start : source.start + 14][_IDENTIFIER]
        if label in (None, _CONTROL) or (label == _APPLICATION and identifier in _SHOWN):
            yield source


def _xmp(content: Content, source: SourceBytes) -> Iterator[Piece]:
    start, end = source.start + _IDENTIFIER.stop, source.end - len(_XMP_TRAILER)
    if end < start or content[end : source.end] != _XMP_TRAILER:
        return
    try:
        edited = xmp.without_place(content[start:end])
    except Unreadable:
        return
    yield SourceBytes(source.start, start)
    yield edited
    yield SourceBytes(end, source.end)


def _blocks(content: Content) -> Iterator[tuple[int | None, SourceBytes]]:
    """The header, the frames and the trailer (no label), and the extensions. A frame at the end may be cut short."""
    at = _SCREEN_END + _palette_size(content[10:11])
    if at > len(content):
        raise damaged("its header is cut")
    yield None, SourceBytes(0, at)
    for _ in range(MAX_BLOCKS):
        start, kind = at, content[at : at + 1]
        if kind == bytes([_EXTENSION]) and at + 2 <= len(content):
            at = _end_of_sub_blocks(content, at + 2)
            if at > len(content):
                raise damaged("a block is longer than the file")
            yield content[start + 1], SourceBytes(start, at)
        elif kind == bytes([_FRAME]):
            at = _end_of_sub_blocks(content, at + 11 + _palette_size(content[at + 9 : at + 10]))
            yield None, SourceBytes(start, min(at, len(content)))
        else:
            if kind == bytes([_TRAILER]):
                yield None, SourceBytes(at, at + 1)
            return
        if at >= len(content):
            return
    raise damaged("it has too many blocks")


def _end_of_sub_blocks(content: Content, at: int) -> int:
    """Where the next block begins; behind the file's end if they are cut."""
    while at < len(content):
        size = content[at]
        at += 1 + size
        if size == 0:
            return at
    return len(content) + 1


def _palette_size(flags: bytes) -> int:
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0
