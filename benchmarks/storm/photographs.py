"""Photographs to upload: real ones, as many as wanted, no two of the same bytes. Small, as two processors have to
decode them beside everything else."""

import itertools
from pathlib import Path

import skimage
from attrs import frozen
from PIL import Image

WIDTHS = (900, 1100, 1400)  # wide enough for all six variants
QUALITY = 85
_START_OF_IMAGE = b"\xff\xd8"
_COMMENT = b"\xff\xfe"


@frozen
class Photographs:
    """``originals``: JPEG files that differ in what they show and in size."""

    originals: tuple[bytes, ...]
    directory: Path

    @classmethod
    def make(cls, directory: Path) -> "Photographs":
        directory.mkdir(parents=True)
        pictures = [skimage.data.astronaut(), skimage.data.chelsea(), skimage.data.coffee(), skimage.data.rocket()]
        sizes = itertools.product([Image.fromarray(each) for each in pictures], WIDTHS)
        return cls(tuple(_jpeg(picture, width, directory / "draft.jpg") for picture, width in sizes), directory)

    def write(self, number: int) -> Path:
        """The file of this number: one of the originals, with a comment of its own (ITU T.81, section B.2.4.5)."""
        original = self.originals[number % len(self.originals)]
        text = f"photograph {number}".encode()
        comment = _COMMENT + (len(text) + 2).to_bytes(2, "big") + text
        path = self.directory / f"IMG_{number:05}.jpg"
        path.write_bytes(_START_OF_IMAGE + comment + original[len(_START_OF_IMAGE) :])
        return path


def _jpeg(picture: Image.Image, width: int, draft: Path) -> bytes:
    height = width * picture.height // picture.width
    picture.resize((width, height), Image.Resampling.LANCZOS).save(draft, quality=QUALITY)
    return draft.read_bytes()
