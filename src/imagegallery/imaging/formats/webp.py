"""The chunks of a WebP file (RFC 9649 section 2.3). Imported only in the decoder process."""

import os
from typing import BinaryIO, Final

_HEADER_SIZE: Final = 12  # "RIFF", the length of what follows, "WEBP"


def whole_frames(file: BinaryIO) -> bytes | None:
    """An animation that ends early, with its whole frames only. ``None`` if it is whole, or none of them is.

    Raises only `OSError`.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size >= int.from_bytes(file.read(_HEADER_SIZE)[4:8], "little") + 8:
        return None
    file.seek(0)
    content, at, has_frame = file.read(), _HEADER_SIZE, False
    while (following := _end_of_chunk(content, at)) <= len(content):
        has_frame = has_frame or content[at : at + 4] == b"ANMF"
        at = following
    return content[:4] + (at - 8).to_bytes(4, "little") + content[8:at] if has_frame else None


def _end_of_chunk(content: bytes, at: int) -> int:
    """Chunks have an even length. An incomplete chunk ends beyond the file."""
    size = int.from_bytes(content[at + 4 : at + 8], "little")
    return at + 8 + size + size % 2
