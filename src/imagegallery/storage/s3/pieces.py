"""The pieces of an object that grows on S3, and how they join up. Pure."""

from collections.abc import Iterable

from attrs import frozen

from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.s3.replies import Span

HIDDEN = ".growing"  # the folder of the store's own
SMALLEST = 5 * 2**20  # bytes of a part that is not the last ("Amazon S3 multipart upload limits")


@frozen
class StoredPiece:
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

    pieces: tuple[StoredPiece, ...]
    loose: tuple[str, ...]

    @property
    def size(self) -> int:
        return self.pieces[-1].stop if self.pieces else 0

    @property
    def tail(self) -> StoredPiece | None:
        return self.pieces[-1] if self.pieces and self.pieces[-1].is_tail else None


def key_of(folder: str, start: int, mark: str) -> str:
    """A piece's key: where it starts, in hexadecimal, and what no other piece has, so that none is overwritten."""
    return f"{folder}{start:016x}-{mark}"


def joined(found: Iterable[ObjectInfo]) -> Grown:
    """The pieces of a folder as they join up from 0; of several ways to do so, the one that gets furthest.

    One more piece can only add ways: whoever writes, and however late, what was there stays there.
    """
    pieces = sorted((_piece(info) for info in found), key=lambda piece: (piece.start, piece.stop, piece.key))
    before: dict[int, StoredPiece] = {}  # the piece that ends where another can follow
    last: StoredPiece | None = None
    for piece in pieces:
        if piece.start and piece.start not in before:
            continue
        if not piece.is_tail:
            before.setdefault(piece.stop, piece)
        if last is None or piece.stop > last.stop:
            last = piece
    way: list[StoredPiece] = []
    while last is not None:
        way.append(last)
        last = before.get(last.start)
    used = {piece.key for piece in way}
    return Grown(tuple(reversed(way)), tuple(piece.key for piece in pieces if piece.key not in used))


def _piece(info: ObjectInfo) -> StoredPiece:
    start = int(info.key.rpartition("/")[2].partition("-")[0], 16)
    return StoredPiece(info.key, info.etag, start, start + info.size)
