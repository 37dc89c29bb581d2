"""A JPEG without metadata (ITU-T T.81, annex B). Pure.

Without the place, every kept byte stays where it was: a segment that goes becomes fill bytes, which may stand before
any marker (B.1.1.2), so that the offsets of Multi-Picture Format still lead to the frames behind the picture. Those are
pictures of their own, and lose their place, too. What is behind them, such as the film of a motion photo, is left out:
so is every application's segment that nobody here can read.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import md5
from typing import Final

from attrs import frozen

from imagegallery.imaging.formats.jpeg import MAX_SEGMENTS
from imagegallery.imaging.protocol import EXIF_MARKER
from imagegallery.imaging.removal import exif, photoshop, xmp
from imagegallery.imaging.removal.pieces import MAX_BLOCK, Content, Piece, SourceBytes, Unreadable, damaged

MAX_FRAMES: Final = 64

_SOI: Final = b"\xff\xd8"
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_PADDING: Final = re.compile(rb"\0*+")
_BAD_START, _END, _SCAN, _APP0, _APP15, _COMMENT, _TEM = 0xD8, 0xD9, 0xDA, 0xE0, 0xEF, 0xFE, 0x01
_APP1, _APP2, _APP12, _APP13, _APP14 = 0xE1, 0xE2, 0xEC, 0xED, 0xEE

_XMP_ID: Final = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION_ID: Final = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENSION_HEAD: Final = len(_EXTENSION_ID) + 40  # a digest in hexadecimal digits, the whole length, an offset
_PHOTOSHOP_ID: Final = b"Photoshop 3.0\0"
_JFIF, _ADOBE, _PROFILE = b"JFIF\0", b"Adobe", b"ICC_PROFILE\0"

# Segments that hold no place: the format itself, its thumbnail, the profile, where frames are, what a gain map is.
_HARMLESS: Final[Mapping[int, tuple[bytes, ...]]] = {
    _APP0: (_JFIF, b"JFXX\0"),
    _APP2: (_PROFILE, b"MPF\0", b"urn:iso:"),
    _APP12: (b"Ducky",),
    _APP14: (_ADOBE,),
    _COMMENT: (b"",),
}
# Tables and frames: what is between these and the applications' is reserved, and nothing shows it.
_CODING: Final = frozenset({*range(0xC0, 0xD0), *range(0xD9, 0xE0)} - {0xC8})


@frozen
class _Segment:
    """A marker at ``start`` and its ``data``, or the coded data of a scan (no marker), or bytes of no meaning
    (``is_noise``)."""

    marker: int | None
    start: int
    data: int
    end: int
    is_noise: bool = False


def without_place(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    start = 0
    for _ in range(MAX_FRAMES):
        segments = _segments(content, start)
        yield from _picture(content, segments)
        end = segments[-1].end
        padding = _PADDING.match(content, end)
        start = padding.end() if padding else end
        if content[start : start + 3] != _SOI + b"\xff":
            return
        yield SourceBytes(end, start)
    raise damaged("there are too many frames behind the picture")


def _picture(content: Content, segments: Sequence[_Segment]) -> Iterator[Piece]:
    new = {**_split(content, segments, _PHOTOSHOP_ID, len(_PHOTOSHOP_ID), photoshop.without_place)}
    digests: dict[bytes, bytes] = {}
    new |= _without_place_in_extension(content, segments, digests)
    yield SourceBytes(segments[0].start - len(_SOI), segments[0].start)
    for each in segments:
        if each.marker is None or each.marker in _CODING:
            yield b"\xff" * (each.end - each.start) if each.is_noise else SourceBytes(each.start, each.end)
            continue
        data = content[each.data : each.end]
        kept = new.get(each.start) if each.start in new else _kept(each.marker, data, digests)
        yield _segment(each, kept).rjust(each.end - each.start, b"\xff")


def _segment(segment: _Segment, data: bytes | None) -> bytes:
    """One of the same kind, or nothing."""
    return b"" if not data else bytes([0xFF, segment.marker or 0]) + (len(data) + 2).to_bytes(2, "big") + data


def _kept(marker: int, data: bytes, digests: Mapping[bytes, bytes]) -> bytes | None:
    """The data of a segment without the place; shorter if only the orientation could be read."""
    if any(data.startswith(each) for each in _HARMLESS.get(marker, ())):
        return data
    try:
        if marker == _APP1 and data.startswith(EXIF_MARKER):
            return exif.without_place(data)
        if marker == _APP1 and data.startswith(_XMP_ID):
            for old, digest in digests.items():
                data = data.replace(old, digest)
            return _XMP_ID + xmp.without_place(data[len(_XMP_ID) :])
    except Unreadable:
        left = exif.essence(data)
        return EXIF_MARKER + left if left else None
    return None


def _without_place_in_extension(
    content: Content, segments: Sequence[_Segment], digests: dict[bytes, bytes]
) -> dict[int, bytes | None]:
    """XMP that takes more than one segment has a digest, which the packet repeats (XMP part 3, section 1.1.3.1)."""
    new = _split(content, segments, _EXTENSION_ID, _EXTENSION_HEAD, xmp.without_place)
    parts = [each for each in segments if each.start in new]
    if not parts or any(new[each.start] is None for each in parts):
        return new
    head = len(_EXTENSION_ID)
    old = {content[each.data + head : each.data + head + 32] for each in parts}
    whole = b"".join((new[each.start] or b"")[_EXTENSION_HEAD:] for each in parts)
    digest = md5(whole, usedforsecurity=False).hexdigest().upper().encode()
    digests.update(dict.fromkeys(old, digest))
    for each in parts:
        data = new[each.start] or b""
        new[each.start] = data[:head] + digest + data[head + 32 :]
    return new


def _split(
    content: Content, segments: Sequence[_Segment], identifier: bytes, head: int, edit: Callable[[bytes], bytes]
) -> dict[int, bytes | None]:
    """The data of the segments that together hold one block, which begins with ``identifier`` in each: without the
    place, or ``None`` if nobody can read it."""
    parts = [
        each
        for each in segments
        if each.marker in (_APP1, _APP13) and content[each.data : each.data + len(identifier)] == identifier
    ]
    block = b"".join(content[each.data + head : each.end] for each in parts)
    try:
        if len(block) > MAX_BLOCK or any(each.end - each.data < head for each in parts):
            raise Unreadable
        edited = edit(block) if parts else b""
    except Unreadable:
        return {each.start: None for each in parts}
    found: dict[int, bytes | None] = {}
    at = 0
    for each in parts:
        size = each.end - each.data - head
        found[each.start] = content[each.data : each.data + head] + edited[at : at + size]
        at += size
    return found


def without_all(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    is_shown = False
    yield _SOI
    for each in _segments(content, 0):
        data = b"" if each.marker is None or each.marker in _CODING else content[each.data : each.end]
        if each.marker is None or each.marker in _CODING:
            if not each.is_noise:
                yield SourceBytes(each.start, each.end)
        elif each.marker == _APP2 and data.startswith(_PROFILE):
            yield SourceBytes(each.start, each.end)
        elif each.marker == _APP0 and data.startswith(_JFIF) and len(data) >= 14:
            yield _segment(each, data[:12] + b"\0\0")  # no thumbnail
        elif each.marker == _APP14 and data.startswith(_ADOBE):
            yield _segment(each, data[:12])
        elif each.marker == _APP1 and data.startswith(EXIF_MARKER) and not is_shown:
            is_shown = True
            if left := exif.essence(data):
                yield _segment(each, EXIF_MARKER + left)


def _segments(content: Content, start: int) -> list[_Segment]:
    """All of one picture, from behind its start up to its end marker, or the file's end if that is missing."""
    if content[start : start + 2] != _SOI:
        raise damaged("it does not begin with a picture")
    found: list[_Segment] = []
    at, is_scan = start + 2, False
    while len(found) <= 2 * MAX_SEGMENTS:
        match = _MARKER.search(content, at)
        gap_end = match.start() if match else len(content)
        if gap_end > at or not match:
            found.append(_Segment(None, at, at, gap_end, is_noise=not is_scan))
        if match is None:
            return found
        marker, data = content[match.start() + 1], match.end()
        if marker in (_END, _TEM):
            found.append(_Segment(marker, match.start(), data, data))
            if marker == _END:
                return found
        else:
            end = data + int.from_bytes(content[data : data + 2], "big")
            if marker == _BAD_START or end < data + 2 or end > len(content):
                raise damaged("a segment is longer than the file, or no segment")
            found.append(_Segment(marker, match.start(), data + 2, end))
            data = end
        at, is_scan = data, marker == _SCAN
    raise damaged("it has too many segments")
