"""The pieces of an object that grows on S3, and how they join up. Pure."""

from collections.abc import Iterable

from attrs import frozen

from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.s3.replies import Span

HIDDEN = ".growing"  # the store's own folder
SMALLEST = 5 * 2**20  # bytes of a part that is not the last ("Amazon S3 multipart upload limits")


@frozen
class StoredPiece:
    """Bytes ``start`` to ``stop`` of the growing object, as an object of their own."""

    key: str
    etag: str
    start: int
    stop: int

    @property
    def is_tail(self) -> bool:
        """Whether it is too small for any place but the last."""
        return self.stop - self.start < SMALLEST

    def span(self) -> Span:
        return Span(self.key, self.etag, 0, self.stop - self.start, is_whole=True)


@frozen
class Grown:
    """The pieces that join up, and the keys of useless others."""

    pieces: tuple[StoredPiece, ...]
    loose: tuple[str, ...]

    @property
    def size(self) -> int:
        return self.pieces[-1].stop if self.pieces else 0

    @property
    def tail(self) -> StoredPiece | None:
        return self.pieces[-1] if self.pieces and self.pieces[-1].is_tail else None


def key_of(folder: str, start: int, mark: str) -> str:
    """A piece's key: its start in hexadecimal, and a unique mark, so that no piece is overwritten."""
    return f"{folder}{start:016x}-{mark}"


def join_pieces(found: Iterable[ObjectInfo]) -> Grown:
    """Join up a folder's pieces from 0, on the path that gets furthest.

    One more piece can only add paths, so what was there stays there, however late a writer adds one.
    """
    pieces = sorted((_piece(info) for info in found), key=lambda piece: (piece.start, piece.stop, piece.key))
    before: dict[int, StoredPiece] = {}  # the piece that ends at this offset
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
