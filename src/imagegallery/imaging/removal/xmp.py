"""An XMP packet (ISO 16684-1) without the place: what tells it becomes blanks, every other byte
stays where it is. Pure.

Expat reads the packet and says where its elements are. A document type stops it, as when properties are read.
"""

import re
from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

from attrs import define

from imagegallery.imaging.formats.xmp import MAX_DEPTH, encoding_of
from imagegallery.imaging.removal.pieces import MAX_BLOCK, Unreadable
from imagegallery.imaging.removal.place import is_place

EMPTY: Final = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'

# Of a start tag, as it is written. Each kind of character is consumed by one alternative, and never given back.
_TAG: Final = re.compile(rb"<(?:[^\"'>]|\"[^\"]*+\"|'[^']*+')*+>")
_ATTRIBUTE: Final = re.compile(rb"[\s]([^\s=<>\"'/]++)\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+')")


def without_place(packet: bytes) -> bytes:
    """The packet, of the same length. Raises `Unreadable`."""
    text = packet.rstrip(b"\0")
    if len(packet) > MAX_BLOCK or text[:2] in (b"\xfe\xff", b"\xff\xfe") or b"\0" in text:
        raise Unreadable
    eraser = _Eraser(bytearray(packet), expat.ParserCreate(encoding_of(text) or "utf-8"))
    return eraser.erase(text)


def blank(size: int) -> bytes:
    """A packet of this many bytes that says nothing."""
    return EMPTY.ljust(size) if size >= len(EMPTY) else b" " * size


@define
class _Eraser:
    """``_place_at`` is where the outermost element that tells a place begins, while the reading is inside of it."""

    _packet: bytearray
    _parser: expat.XMLParserType
    _depth: int = 0
    _place_depth: int | None = None
    _place_at: int = 0
    _tag_end: int = 0

    def erase(self, text: bytes) -> bytes:
        self._parser.StartDoctypeDeclHandler = _refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        try:
            self._parser.Parse(text, True)
        except expat.ExpatError as error:
            raise Unreadable from error
        return bytes(self._packet)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unreadable
        at = self._parser.CurrentByteIndex
        if self._place_depth is not None:
            return
        tag = _TAG.match(self._packet, at)
        if tag is None:
            raise Unreadable
        self._tag_end = tag.end()
        if is_place(name):
            self._place_depth, self._place_at = self._depth, at
        elif any(map(is_place, attributes)):
            for each in _ATTRIBUTE.finditer(tag[0]):
                if is_place(each[1].decode("utf-8", "replace")):
                    self._blank(at + each.start(), at + each.end())

    def _end(self, _: str) -> None:
        if self._depth == self._place_depth:
            at = self._parser.CurrentByteIndex
            is_tag = self._packet[at : at + 2] == b"</"
            self._blank(self._place_at, self._packet.index(b">", at) + 1 if is_tag else self._tag_end)
            self._place_depth = None
        self._depth -= 1

    def _blank(self, start: int, end: int) -> None:
        self._packet[start:end] = b" " * (end - start)


def _refuse(*_: object) -> None:
    raise Unreadable
