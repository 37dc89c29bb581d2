"""The scans of a JPEG, counted without decoding. Pure.

A progressive JPEG (ITU-T T.81, annex G) may have any number of scans. A scan that changes nothing is a few bytes, and
makes its decoder process the whole picture.
"""

import re
from mmap import mmap
from typing import Final

MAX_SEGMENTS: Final = 5_000
"""Markers with their content: a photograph has some ten, and hundreds with a large profile."""

# What follows 0xFF inside of coded data: a stuffed zero, a restart, or another fill byte. Anything else is a marker.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_WITHOUT_LENGTH: Final = frozenset({0x01, 0xD8})


def has_more_scans(file: bytes | mmap, limit: int) -> bool:
    """Whether a JPEG has more than ``limit`` scans, or more segments than any real one; in one pass over the bytes.

    Segments are skipped by their length, so a thumbnail or a profile inside one does not count, nor does what follows
    the end of the picture: phones append films there.
    """
    scans = segments = at = 0
    while scans <= limit and segments <= MAX_SEGMENTS and (found := _MARKER.search(file, at)) is not None:
        marker, at = file[found.start() + 1], found.end()
        if marker == _END_OF_IMAGE:
            break
        segments += 1
        scans += marker == _START_OF_SCAN
        if marker not in _WITHOUT_LENGTH:
            at += max(int.from_bytes(file[at : at + 2], "big"), 2)
    return scans > limit or segments > MAX_SEGMENTS
