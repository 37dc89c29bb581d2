"""The pieces of an object that grows on S3, and how they join up. Pure."""

from collections.abc import Iterable

from attrs import frozen

from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.s3_replies import Span

HIDDEN = ".growing"  # the folder of the store's own
SMALLEST = 5 * 2**20  # bytes of a part that is not the last ("Amazon S3 multipart upload limits")


@frozen
class Piece:
    """Bytes ``start`` to ``stop`` of what grows, as an object of their own."""

    key: str
    etag: str
    start: int
    stop: int

    @property
    def is_tail(self) -> bool:
        """Whether it can only be the last."""
        return self.stop - self.start < SMALLEST

    def span(self) -> Span:
        return Span(self.key, self.etag, 0, self.stop - self.start, is_whole=True)


@frozen
class Grown:
    """What is there: pieces that join up, and the keys of others that do not, and are of no use."""

    pieces: tuple[Piece, ...]
    loose: tuple[str, ...]

    @property
    def size(self) -> int:
        return self.pieces[-1].stop if self.pieces else 0

    @property
    def tail(self) -> Piece | None:
        return self.pieces[-1] if self.pieces and self.pieces[-1].is_tail else None


def joined(found: Iterable[ObjectInfo]) -> Grown:
    """The pieces of a folder, each named for its start in hexadecimal, as they join up from 0."""
    pieces: list[Piece] = []
    loose: list[str] = []
    end = 0
    for info in sorted(found, key=lambda info: info.key):
        start = int(info.key.rpartition("/")[2], 16)
        if start == end and not (pieces and pieces[-1].is_tail):
            end = start + info.size
            pieces.append(Piece(info.key, info.etag, start, end))
        else:
            loose.append(info.key)
    return Grown(tuple(pieces), tuple(loose))
