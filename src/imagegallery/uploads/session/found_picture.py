"""What a file was found to be, and is kept of a staged one until it is attached. Pure."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from imagegallery.images.metadata.metadata import Metadata, from_json, to_json


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


@frozen
class StagedFile:
    """A file where its image's original will be: the ``etag`` of its object, and what is in it. ``is_whole``: all of it
    was looked at, not only its head."""

    etag: str
    is_whole: bool
    picture: FoundPicture

    def to_json(self) -> dict[str, object]:
        picture = self.picture
        return {
            "etag": self.etag,
            "is_whole": self.is_whole,
            "width": picture.width,
            "height": picture.height,
            "frames": picture.frames,
            "is_truncated": picture.is_truncated,
            "metadata": to_json(picture.metadata),
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
        )
        return cls(document["etag"], document["is_whole"], picture)
