"""A copy of a file without metadata; the coded picture is not touched. Imported only in the decoder process."""

import mmap
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from imagegallery.errors import TypeMismatch
from imagegallery.imaging import signature
from imagegallery.imaging.protocol import Removal
from imagegallery.imaging.removal import boxes, gif, jpeg, png, webp
from imagegallery.imaging.removal.pieces import Content, Piece, write

_Plan = Callable[[Content], Iterator[Piece]]

_PLANS: Final[Mapping[str, Mapping[Removal, _Plan]]] = {
    content_type: {Removal.STRIP_PLACE: module.without_place, Removal.STRIP_ALL: module.without_all}
    for content_type, module in {
        "image/jpeg": jpeg,
        "image/png": png,
        "image/webp": webp,
        "image/gif": gif,
        "image/avif": boxes,
        "image/heic": boxes,
        "image/heif": boxes,
    }.items()
}


def pieces(content: Content, removal: Removal) -> Iterator[Piece]:
    """What the copy is made of. Raises `BadImage` for a file whose structure does not hold together, and `TypeMismatch`
    for one of no accepted format."""
    content_type = signature.sniff(content[: signature.HEAD_SIZE])
    if content_type is None:
        raise TypeMismatch("The file is no picture of an accepted format.")
    return _PLANS[content_type][removal](content)


def remove(file: int, output: int, removal: Removal) -> None:
    """Write a copy of one open file to another. Raises as `pieces`, and `OSError`."""
    with (
        mmap.mmap(file, 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as content,
        os.fdopen(output, "wb", closefd=False) as out,
    ):
        write(content, pieces(content, removal), out)
