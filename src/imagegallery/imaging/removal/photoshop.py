"""Photoshop's resources without the place, in the same number of bytes. Pure.

Each is a signature, a number, a name padded to an even length, and four bytes of length before padded data (Adobe
Photoshop File Formats Specification, "Image Resources Section").
"""

from typing import Final

from imagegallery.imaging.removal import exif, iptc, xmp
from imagegallery.imaging.removal.pieces import Unreadable

_MAX_RESOURCES: Final = 10_000
_SIGNATURES: Final = (b"8BIM", b"8BPS", b"PHUT", b"AgHg", b"MeSa", b"DCSR")
_IPTC, _XMP, _EXIF, _IPTC_DIGEST = 0x0404, 0x0424, (0x0422, 0x0423), 0x0425


def without_place(block: bytes) -> bytes:
    """The resources, with IPTC, XMP and EXIF inside of them. Raises `Unreadable`."""
    data, at, digest = bytearray(block), 0, slice(0, 0)
    for _ in range(_MAX_RESOURCES):
        if not any(data[at : at + 1]):
            if any(memoryview(data)[at:]):
                break
            if data != block:  # a digest of what is hidden would confirm a right guess
                data[digest] = bytes(digest.stop - digest.start)
            return bytes(data)
        if bytes(data[at : at + 4]) not in _SIGNATURES or at + 12 > len(data):
            break
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        start = at + 6 + _even(1 + data[at + 6]) + 4
        size = int.from_bytes(data[start - 4 : start], "big")
        if start + size > len(data):
            break
        data[start : start + size] = _resource(number, bytes(data[start : start + size]))
        if number == _IPTC_DIGEST:
            digest = slice(start, start + size)
        at = start + _even(size)
    raise Unreadable


def _resource(number: int, data: bytes) -> bytes:
    try:
        if number == _IPTC:
            return iptc.without_place(data)
        if number == _XMP:
            return xmp.without_place(data)
        if number in _EXIF:
            return exif.without_place(data)
    except Unreadable:
        return bytes(len(data))
    return data


def _even(size: int) -> int:
    return size + size % 2
