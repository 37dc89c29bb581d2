"""IPTC datasets without the place, in the same number of bytes. Pure.

A dataset that tells the place gets a number that means nothing, and zeros for its value (Information Interchange Model
4.2, sections 1.5 and 6). So nothing behind it moves.
"""

from typing import Final

from imagegallery.imaging.removal.pieces import Unreadable

# Content location code and name; city, sublocation, province or state, country's code and name.
_PLACES: Final = frozenset({26, 27, 90, 92, 95, 100, 101})
_APPLICATION_RECORD: Final = 2
_UNUSED: Final = 254
_MAX_DATASETS: Final = 10_000


def without_place(block: bytes) -> bytes:
    """Datasets, one behind the other, in as many bytes. Raises `Unreadable`."""
    data, at = bytearray(block), 0
    for _ in range(_MAX_DATASETS):
        if not any(data[at : at + 1]):
            return _padded(data, at)
        if data[at] != 0x1C or at + 5 > len(data):
            break
        record, number, start = data[at + 1], data[at + 2], at + 5
        size = int.from_bytes(data[at + 3 : start], "big")
        if size & 0x8000:  # the length of the length
            start += size & 0x7FFF
            size = int.from_bytes(data[at + 5 : min(start, at + 9)], "big")
        if start + size > len(data):
            break
        if record == _APPLICATION_RECORD and number in _PLACES:
            data[at + 2], data[start : start + size] = _UNUSED, bytes(size)
        at = start + size
    raise Unreadable


def _padded(data: bytearray, at: int) -> bytes:
    """The data, where nothing but zeros follow."""
    if any(memoryview(data)[at:]):
        raise Unreadable
    return bytes(data)
