"""What a copy of a file is made of: bytes of the file as they are, and new bytes between them. Pure.

A copy is planned by the structure of the file alone. What is kept is copied block by block, so that
memory is only needed for the metadata, which have limits.
"""

from collections.abc import Iterable, Iterator
from mmap import mmap
from typing import BinaryIO, Final, TypeAlias

from attrs import frozen

from imagegallery.errors import BadImage

Content: TypeAlias = bytes | mmap
MAX_BLOCK: Final = 1024**2
"""Bytes of one block of metadata that is read. A longer one is left out of the copy."""
_BUFFER: Final = 1024**2


@frozen
class SourceBytes:
    """Bytes of the file from ``start`` up to ``end``, kept as they are."""

    start: int
    end: int


Piece: TypeAlias = SourceBytes | bytes


class Unreadable(Exception):
    """A block of metadata is not what it should be: nobody can say what is in it, so it is left out."""


def damaged(why: str) -> BadImage:
    """The error for a file whose structure does not hold together: no copy is made of it."""
    return BadImage("undecodable", f"The metadata of the file cannot be removed: {why}.")


def write(content: Content, pieces: Iterable[Piece], out: BinaryIO) -> None:
    """Write the copy. Raises `OSError`, and whatever the planning of the ``pieces`` raises."""
    for piece in pieces:
        if isinstance(piece, bytes):
            out.write(piece)
        else:
            for at in range(piece.start, piece.end, _BUFFER):
                out.write(content[at : min(at + _BUFFER, piece.end)])


def patched(content: Content, patches: Iterable[tuple[int, bytes]]) -> Iterator[Piece]:
    """The whole file, with these bytes in the place of what was there. A later place hides what it overlaps."""
    done = 0
    for at, new in sorted(patches, key=lambda patch: patch[0]):
        if at + len(new) <= done:
            continue
        new, at = new[max(0, done - at) :], max(at, done)
        yield SourceBytes(done, at)
        yield new
        done = at + len(new)
    yield SourceBytes(done, len(content))
