"""What a decoder's complaint means for the person who sent the file. Pure: decoders' texts in, our errors out."""

import re

from imagegallery.errors import BadImage

# The last but one comes from glibc if there is no memory to load a shared library.
_OUT_OF_MEMORY = re.compile(
    r"out of memory|failed to allocate|insufficient memory|cannot allocate|failed to map segment|memory limit", re.I
)
_TRUNCATED = re.compile(r"truncat|premature|unexpected end|end of (file|input|image|stream)|\bEOF\b", re.I)
_UNSUPPORTED = re.compile(r"unsupported feature|compression format|unsupported codec", re.I)

TAIL_SIZE = 64 * 1024
"""The bytes at the end of a file that `is_cut` needs."""


def is_out_of_memory(complaint: str) -> bool:
    """Whether a decoder stopped at the memory limit."""
    return _OUT_OF_MEMORY.search(complaint) is not None


def out_of_memory() -> BadImage:
    return BadImage("decoder_out_of_memory", "Decoding the picture takes more memory than is allowed.")


def truncated() -> BadImage:
    return BadImage("truncated", "The file ends before the picture does.")


def unsupported(why: str) -> BadImage:
    return BadImage("unsupported", why)


def lacks_data(complaint: str) -> bool:
    """Whether a JPEG's coded data end early, though the file goes on."""
    return "premature end of data" in complaint


def is_cut(content_type: str, size: int, head: bytes, tail: bytes) -> bool:
    """Whether the file is shorter than it should be, for formats whose decoders do not distinguish that from other
    damage.

    WebP: the length of the RIFF container (RFC 9649 section 2.4). PNG: the final chunk (third edition, section 11.2.4).
    """
    if content_type == "image/webp":
        return size < int.from_bytes(head[4:8], "little") + 8
    return content_type == "image/png" and b"IEND" not in tail


def bad_image(complaint: str, *, cut: bool = False) -> BadImage:
    """The error for a decoder's complaint; ``cut``: the file's end is known to be missing."""
    if is_out_of_memory(complaint):
        return out_of_memory()
    if _UNSUPPORTED.search(complaint):
        return unsupported("The picture is coded in a way that cannot be decoded here.")
    if cut or _TRUNCATED.search(complaint):
        return truncated()
    return BadImage("undecodable", "The file is damaged: it cannot be decoded.")
