"""What a file was found to be, and is kept of a staged one until it is attached. Pure."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from imagegallery.images.metadata.metadata import Metadata, from_json, to_json
from imagegallery.images.words.file_words import Words
from imagegallery.imaging.protocol import Removal


@frozen
class FoundPicture:
    """A picture as a person sees it: ``width`` and ``height`` are in pixels with the orientation applied.

    ``is_truncated``: a part of the picture is missing from the file.
    """

    width: int
    height: int
    frames: int
    is_truncated: bool
    metadata: Metadata
    words: Words = field(factory=Words)


@frozen
class Arrived:
    """A file as it came, of which a copy is kept without some metadata: its size in bytes and its SHA-256."""

    removal: Removal
    size: int
    sha256: bytes

    def to_json(self) -> dict[str, object]:
        return {"removal": self.removal.value, "size": self.size, "sha256": self.sha256.hex()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Arrived":
        """The inverse of `to_json`."""
        return cls(Removal(document["removal"]), document["size"], bytes.fromhex(document["sha256"]))


@frozen
class StagedFile:
    """A file where its image's original will be: the ``etag`` of its object, and what is in it. ``is_whole``: all of it
    was looked at, not only its head. ``arrived`` is what came, if that is not what was kept."""

    etag: str
    is_whole: bool
    picture: FoundPicture
    arrived: Arrived | None = None

    def to_json(self) -> dict[str, object]:
        picture = self.picture
        return {
            "arrived": None if self.arrived is None else self.arrived.to_json(),
            "etag": self.etag,
            "is_whole": self.is_whole,
            "width": picture.width,
            "height": picture.height,
            "frames": picture.frames,
            "is_truncated": picture.is_truncated,
            "metadata": to_json(picture.metadata),
            "words": picture.words.to_json(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "StagedFile":
        """The inverse of `to_json`."""
        picture = FoundPicture(
            document["width"],
            document["height"],
            document["frames"],
            document["is_truncated"],
            from_json(document["metadata"]),
            Words.from_json(document.get("words") or {}),
        )
        arrived = document.get("arrived")
        return cls(
            document["etag"], document["is_whole"], picture, None if arrived is None else Arrived.from_json(arrived)
        )
