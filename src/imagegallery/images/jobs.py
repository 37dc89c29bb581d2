"""The jobs that images are put to: their kinds and payloads. Pure."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from attrs import frozen

from imagegallery.images.image import Image
from imagegallery.queue.job import NewJob, Payload

PROCESS_IMAGE: Final = "image.process"
PURGE_OBJECTS: Final = "image.purge"
_SEPARATOR = "\n"  # our keys hold no white space


@frozen
class Purge:
    """The objects of a deleted image: the ``keys`` that were recorded, all under ``prefix``, and whatever else
    lies there."""

    prefix: str
    keys: tuple[str, ...]


def process_image(image_id: UUID) -> NewJob:
    """Make the image's variants."""
    return NewJob(PROCESS_IMAGE, {"image_id": str(image_id)})


def purge_objects(image: Image) -> NewJob:
    """Delete the objects of an image whose row is being deleted."""
    keys = (image.original_key, *(variant.key for variant in image.variants))
    payload: Payload = {"image_id": str(image.id), "key_prefix": image.key_prefix, "keys": _SEPARATOR.join(keys)}
    return NewJob(PURGE_OBJECTS, payload)


def read_purge(payload: Payload) -> Purge:
    """Raises `ValueError` for anything that is not one image's objects: a purge must never reach further."""
    prefix, image_id, keys = payload["key_prefix"], payload["image_id"], str(payload["keys"]).split(_SEPARATOR)
    if not isinstance(prefix, str) or not prefix.endswith(f"/{image_id}/") or not _all_under(prefix, keys):
        raise ValueError("This purge does not name one image's objects.")
    return Purge(prefix, tuple(keys))


def _all_under(prefix: str, keys: Iterable[str]) -> bool:
    return all(key.startswith(prefix) for key in keys)
