"""The jobs that making variants leads to: their kinds and payloads. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from imagegallery.queue.job import PRIORITY_LOW, NewJob, Payload

PROCESS_LATER: Final = "image.process_later"
DISCARD_OBJECTS: Final = "image.discard"
_SEPARATOR = "\n"  # our keys hold no white space


def process_later(image_id: UUID) -> NewJob:
    """Make the formats that take their time, after what makes other images usable."""
    return NewJob(PROCESS_LATER, {"image_id": str(image_id)}, priority=PRIORITY_LOW, dedupe_key=str(image_id))


def discard_objects(image_id: UUID, keys: Sequence[str], *, run_at: datetime) -> NewJob:
    """Delete, from ``run_at`` on, those of an image's objects under ``keys`` that no row names."""
    payload: Payload = {"image_id": str(image_id), "keys": _SEPARATOR.join(keys)}
    return NewJob(DISCARD_OBJECTS, payload, priority=PRIORITY_LOW, run_at=run_at)


def image_of(payload: Payload) -> UUID:
    """The image that a job of this room is about. Raises `KeyError` and `ValueError`."""
    return UUID(str(payload["image_id"]))


def keys_of(payload: Payload) -> list[str]:
    """The keys in a `discard_objects` job. Raises `KeyError`."""
    return str(payload["keys"]).split(_SEPARATOR)
