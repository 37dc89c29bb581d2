"""A PNG without metadata (third edition): chunks that go are left out, others get a new checksum. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from imagegallery.imaging.formats import png
from imagegallery.imaging.removal import exif, iptc, photoshop, xmp
from imagegallery.imaging.removal.pieces import MAX_BLOCK, Content, Piece, SourceBytes, Unreadable, damaged
from imagegallery.imaging.removal.place import is_place

_SIGNATURE_SIZE: Final = 8
_PIXELS: Final = frozenset({b"IDAT", b"fdAT"})
# What is needed to show the picture the same.
_SHOWN: Final = _PIXELS | {
    *(b"IHDR", b"PLTE", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP"),
    *(b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"bKGD", b"pHYs", b"acTL", b"fcTL"),
}
_HARMLESS: Final = _SHOWN | {b"hIST", b"sPLT", b"tIME", b"oFFs", b"sCAL", b"pCAL", b"sTER", b"gIFg", b"gIFx"}
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_XMP_KEYWORD: Final = "XML:com.adobe.xmp"
_PROFILE: Final = re.compile(r"Raw profile type ([a-zA-Z0-9]{1,20})")
_XMP_ID: Final = b"http://ns.adobe.com/xap/1.0/\0"


def without_place(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    yield SourceBytes(0, _SIGNATURE_SIZE)
    for kind, source in _chunks(content):
        data = content[source.start + 8 : source.end - 4] if source.end - source.start <= MAX_BLOCK + 12 else b""
        if kind in _HARMLESS:
            yield source
        elif kind == b"eXIf":
            yield from _exif(data)
        elif kind in _TEXTS and data:
            yield from _text(kind, data, source)


def without_all(content: Content) -> Iterator[Piece]:
    """The copy. Raises `BadImage`."""
    blocks = [
        png.read_exif(kind, content[source.start + 8 : source.end - 4])
        for kind, source in _chunks(content)
        if kind in _TEXTS | {b"eXIf"} and source.end - source.start <= MAX_BLOCK
    ]
    left = next(filter(None, map(exif.essence, filter(None, blocks))), b"")
    yield SourceBytes(0, _SIGNATURE_SIZE)
    for kind, source in _chunks(content):
        if kind in _SHOWN:
            yield source
        if kind == b"IHDR" and left:
            yield png.chunk(b"eXIf", left)


def _exif(data: bytes) -> Iterator[Piece]:
    try:
        edited = exif.without_place(data)
    except Unreadable:
        edited = exif.essence(data)
    if edited:
        yield png.chunk(b"eXIf", edited)


def _text(kind: bytes, data: bytes, source: SourceBytes) -> Iterator[Piece]:
    keyword, text = png.read_text(kind, data)
    profile = _PROFILE.fullmatch(keyword)
    if profile is None and keyword != _XMP_KEYWORD:
        if not is_place(keyword):
            yield source
        return
    try:
        old = png.raw_profile(text) if profile else text
        edited = _edited(profile[1].lower() if profile else "", old)
    except Unreadable:
        return
    if edited == old:
        yield source
    elif profile:
        yield png.chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + _written(profile[1], edited))
    else:
        yield png.chunk(b"iTXt", keyword.encode("latin-1") + bytes(5) + edited)


def _edited(profile: str, data: bytes) -> bytes:
    """The block without the place; of XMP, if it is in no profile."""
    if not data:
        raise Unreadable
    if profile in ("exif", "app1") and not data.startswith(_XMP_ID):
        return exif.without_place(data)
    if profile in ("", "xmp", "app1"):
        start = len(_XMP_ID) if data.startswith(_XMP_ID) else 0
        return data[:start] + xmp.without_place(data[start:])
    if profile in ("iptc", "8bim"):
        return photoshop.without_place(data) if data.startswith(b"8BIM") else iptc.without_place(data)
    if profile in ("icc", "icm"):
        return data
    raise Unreadable


def _written(profile: str, data: bytes) -> bytes:
    """ImageMagick's way, see `png.raw_profile`."""
    digits = data.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"\n{profile}\n{len(data):8}\n{lines}\n".encode()


def _chunks(content: Content) -> Iterator[tuple[bytes, SourceBytes]]:
    """Kind and place of every chunk, up to the last one. Pixels may be cut short: then what is there is kept."""
    at = _SIGNATURE_SIZE
    for _ in range(png.MAX_CHUNKS):
        if at == len(content):
            return
        kind, end = content[at + 4 : at + 8], at + 12 + int.from_bytes(content[at : at + 4], "big")
        if end > len(content):
            if kind not in _PIXELS:
                raise damaged("a chunk is longer than the file")
            end = len(content)
        yield kind, SourceBytes(at, end)
        if kind == b"IEND" or end == len(content):
            return
        at = end
    raise damaged("it has too many chunks")
