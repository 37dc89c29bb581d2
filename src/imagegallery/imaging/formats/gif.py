"""Where the frames of a GIF lie on its canvas (GIF89a, sections 18 to 27)."""

from collections.abc import Sequence
from typing import BinaryIO, Final

from attrs import frozen

CLEAR: Final = 2
"""A disposal: the frame's place becomes empty. Browsers do the same for what the standard calls background."""
RESTORE: Final = 3
"""A disposal: what was there before the frame returns."""

_HEADER_SIZE: Final = 6
_EXTENSION, _CONTROL, _FRAME = 0x21, 0xF9, 0x2C


@frozen
class Frame:
    """In pixels of the canvas."""

    left: int
    top: int
    width: int
    height: int
    disposal: int
    is_opaque: bool = True
    is_interlaced: bool = False


def read_frames(file: BinaryIO, count: int) -> list[Frame]:
    """The first ``count`` frames, or fewer if there are fewer. Raises only `OSError`."""
    file.seek(_HEADER_SIZE)
    screen = file.read(7)
    if len(screen) == 7:
        file.seek(_palette_size(screen[4]), 1)
    found: list[Frame] = []
    control = 0
    while len(found) < count:
        kind = file.read(1)
        if kind == bytes([_EXTENSION]):
            label, block = file.read(1), _block(file)
            if label == bytes([_CONTROL]) and block:
                control = block[0]
            _skip(file, more=bool(block))
        elif kind == bytes([_FRAME]):
            place = file.read(9)
            if len(place) < 9:
                break
            left, top, width, height = (int.from_bytes(place[at : at + 2], "little") for at in (0, 2, 4, 6))
            is_opaque, is_interlaced = not control & 1, bool(place[8] & 0x40)
            found.append(Frame(left, top, width, height, control >> 2 & 7, is_opaque, is_interlaced))
            control = 0
            file.seek(_palette_size(place[8]) + 1, 1)
            _skip(file, more=True)
        else:
            break
    return found


def is_cut(file: BinaryIO) -> bool:
    """Whether the file ends within a block. One that ends between two, without its trailer, is complete.

    Raises only `OSError`.
    """
    file.seek(_HEADER_SIZE)
    screen = file.read(7)
    if len(screen) < 7:
        return True
    is_cut = not _has(file, _palette_size(screen[4]))
    while not is_cut and (kind := file.read(1)) in (bytes([_EXTENSION]), bytes([_FRAME])):
        head = file.read(1 if kind == bytes([_EXTENSION]) else 9)
        if kind == bytes([_FRAME]):
            is_cut = len(head) < 9 or not _has(file, _palette_size(head[8]) + 1)
        is_cut = is_cut or not _ends(file)
    return is_cut


def _ends(file: BinaryIO) -> bool:
    """Whether the sub-blocks from here on are complete in this file."""
    while size := file.read(1):
        if size == b"\0":
            return True
        if not _has(file, size[0]):
            return False
    return False


def _has(file: BinaryIO, size: int) -> bool:
    return len(file.read(size)) == size


def covers(frames: Sequence[Frame], width: int, height: int) -> bool:
    """Whether no part of the canvas is ever empty: the first frame fills it, and none leaves a hole."""
    if not frames:
        return True
    first = frames[0]
    fills = not first.left and not first.top and first.width >= width and first.height >= height
    return fills and all(frame.disposal != CLEAR for frame in frames[:-1])


def _palette_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _block(file: BinaryIO) -> bytes:
    return file.read((file.read(1) or b"\0")[0])


def _skip(file: BinaryIO, *, more: bool) -> None:
    while more:
        more = bool(_block(file))
