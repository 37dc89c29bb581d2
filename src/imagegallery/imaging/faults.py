"""What a decoder's complaint means for the person who sent the file. Pure: decoders' texts in, our errors out."""

import re

from imagegallery.errors import BadImage

_OUT_OF_MEMORY = re.compile(r"out of memory|failed to allocate|insufficient memory|cannot allocate|memory limit", re.I)
_TRUNCATED = re.compile(
    r"truncat|premature|unexpected end|end of (file|input|image|stream)|out of data|\bEOF\b|insufficient data"
    r"|unable to read|read error|not enough|extends beyond|corrupt JPEG data: \d+ extraneous bytes before marker 0xd9",
    re.I,
)


def is_out_of_memory(complaint: str) -> bool:
    """Whether a decoder gave up because the memory ceiling refused it more."""
    return _OUT_OF_MEMORY.search(complaint) is not None


def out_of_memory() -> BadImage:
    return BadImage("decoder_out_of_memory", "Decoding the picture takes more memory than is allowed.")


def bad_image(complaint: str) -> BadImage:
    """The error for a file whose decoder complained so."""
    if is_out_of_memory(complaint):
        return out_of_memory()
    if _TRUNCATED.search(complaint):
        return BadImage("truncated", "The file ends before the picture does.")
    return BadImage("undecodable", "The file is damaged: it cannot be decoded.")
