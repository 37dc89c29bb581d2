"""The jobs on images: kinds and payloads. Pure."""

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from imagegallery.images.image.image import Image
from imagegallery.queue.job import NewJob, Payload
from imagegallery.storage.keys import is_original

PROCESS_IMAGE: Final = "image.process"
PURGE_OBJECTS: Final = "image.purge"
_SEPARATOR = "\n"  # our keys contain no white space


@frozen
class Purge:
    """The objects of a deleted image: the recorded ``keys``, all under ``prefix``, whatever else is there, and its
    ``original``,
    perhaps elsewhere, unless another image shares it.

    No existing image's original is ever deleted.
    """

    prefix: str
    keys: tuple[str, ...]
    original: str | None = None


def process_image(image: Image, *, declared: bytes | None = None) -> NewJob:
    """Make the image's variants; ``declared`` is the SHA-256 that its file still has to prove, if there is one."""
    payload = about(image) if declared is None else {**about(image), "sha256": declared.hex()}
    return NewJob(PROCESS_IMAGE, payload, owner_id=image.owner_id)


def about(image: Image) -> Payload:
    """The payload of every job on an image: it says where objects are, even when the image's row is gone."""
    return {"image_id": str(image.id), "key_prefix": image.key_prefix}


def purge_objects(image: Image, *, with_original: bool = True) -> NewJob:
    """Delete the objects of an image whose row is being deleted, with the original if no other image has it."""
    keys = _SEPARATOR.join(variant.key for variant in image.variants)
    original = {"original": image.original_key} if with_original else {}
    return NewJob(PURGE_OBJECTS, {**about(image), "keys": keys, **original}, owner_id=image.owner_id)


def purge_leftovers(payload: Payload) -> NewJob:
    """Delete what the job with this payload (see `about`) may have stored before it found its image deleted.

    Raises `KeyError`.
    """
    return NewJob(PURGE_OBJECTS, {"image_id": payload["image_id"], "key_prefix": payload["key_prefix"], "keys": ""})


def read_purge(payload: Payload) -> Purge:
    """Read a payload. Raises `ValueError` unless all objects are one image's: a purge must never reach further."""
    prefix, image_id, keys = payload["key_prefix"], payload["image_id"], _keys(str(payload["keys"]))
    original = payload.get("original")
    if not isinstance(prefix, str) or not prefix.endswith(f"/{image_id}/") or not _all_under(prefix, keys):
        raise ValueError("This purge does not name one image's objects.")
    if original is not None and not is_original(str(original)):
        raise ValueError("This purge does not name one image's objects.")
    return Purge(prefix, tuple(keys), None if original is None else str(original))


def _keys(joined: str) -> list[str]:
    return joined.split(_SEPARATOR) if joined else []


def _all_under(prefix: str, keys: Iterable[str]) -> bool:
    return all(key.startswith(prefix) for key in keys)
