"""A WebP without metadata (RFC 9649, section 2.7). Pure."""

from collections.abc import Iterator
from typing import Final

from imagegallery.imaging.removal import exif, xmp
from imagegallery.imaging.removal.pieces import MAX_BLOCK, Content, Piece, SourceBytes, Unreadable, damaged

MAX_CHUNKS: Final = 200_000
_HEADER_SIZE: Final = 12
_SHOWN: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_EXIF, _XMP = b"EXIF", b"XMP "
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
_FRAME_HEAD: Final = 16


def without_place(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    return _copy(content, hides_all=False)


def without_all(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    return _copy(content, hides_all=True)


def _copy(content: Content, *, hides_all: bool) -> Iterator[Piece]:
    """The size and the flags at the beginning say what follows, so all chunks are looked at first."""
    end = min(len(content), int.from_bytes(content[4:8], "little") + 8)
    pieces: list[Piece] = []
    kinds: set[bytes] = set()
    flags_at: int | None = None
    for kind, source in _chunks(content, _HEADER_SIZE, end):
        kept = _kept(content, kind, source, hides_all=hides_all)
        if kept:
            kinds.add(kind)
        if kind == b"VP8X":
            flags_at = len(pieces)
        pieces += kept
    if flags_at is not None:
        pieces[flags_at] = _flagged(content, pieces[flags_at], kinds)
    size = sum(each.end - each.start if isinstance(each, SourceBytes) else len(each) for each in pieces)
    yield b"RIFF" + (size + 4).to_bytes(4, "little") + b"WEBP"
    yield from pieces


def _flagged(content: Content, header: Piece, kinds: set[bytes]) -> bytes:
    data = bytearray(header if isinstance(header, bytes) else content[header.start : header.end])
    if len(data) < 9:
        raise damaged("its header is cut")
    for kind, flag in ((_EXIF, _EXIF_FLAG), (_XMP, _XMP_FLAG)):
        if kind not in kinds:
            data[8] &= ~flag
    return bytes(data)


def _kept(content: Content, kind: bytes, source: SourceBytes, *, hides_all: bool) -> list[Piece]:
    if kind == b"ANMF":
        return _frame(content, source)
    if kind in _SHOWN:
        return [source]
    if kind not in (_EXIF, _XMP) or source.end - source.start > MAX_BLOCK:
        return []
    data = content[
        source.start + 8 : source.start + 8 + int.from_bytes(content[source.start + 4 : source.start + 8], "little")
    ]
    left = b""
    try:
        if not hides_all:
            left = exif.without_place(data) if kind == _EXIF else xmp.without_place(data)
        elif kind == _EXIF:
            left = exif.essence(data)
    except Unreadable:
        left = exif.essence(data) if kind == _EXIF else b""
    return [_chunk(kind, left)] if left else []


def _frame(content: Content, source: SourceBytes) -> list[Piece]:
    """A frame of an animation without the unknown chunks inside of it."""
    first = source.start + 8 + _FRAME_HEAD
    inner = [each for kind, each in _chunks(content, min(first, source.end), source.end) if kind in _SHOWN]
    size = _FRAME_HEAD + sum(each.end - each.start for each in inner)
    return [b"ANMF" + size.to_bytes(4, "little"), SourceBytes(source.start + 8, min(first, source.end)), *inner]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def _chunks(content: Content, at: int, end: int) -> Iterator[tuple[bytes, SourceBytes]]:
    """Kind and place of each. The last one of a picture may be cut short: then what is there is kept."""
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        kind, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        following = at + 8 + size + size % 2
        if following > end:
            if at + 8 + size > len(content) and kind not in _SHOWN:
                raise damaged("a chunk is longer than the file")
            following = end
        yield kind, SourceBytes(at, following)
        at = following
    raise damaged("it has too many chunks")
