"""The jobs of making variants: kinds and payloads. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from imagegallery.images.image.image import Image
from imagegallery.images.jobs import about
from imagegallery.queue.job import PRIORITY_IDLE, PRIORITY_LOW, NewJob, Payload

PROCESS_LATER: Final = "image.process_later"
RENEW_VARIANTS: Final = "image.renew_variants"
DISCARD_OBJECTS: Final = "image.discard"
_SEPARATOR = "\n"  # our keys contain no white space


def process_later(image: Image) -> NewJob:
    """Make the slow formats, after what makes other images usable."""
    return NewJob(PROCESS_LATER, about(image), priority=PRIORITY_LOW, dedupe_key=str(image.id), owner_id=image.owner_id)


def renew_variants(image: Image, names: Sequence[str]) -> NewJob:
    """Make these variants (``medium.webp``) with current presets, after everything else.

    A transaction with several of these jobs adds them in the order of their images' ids.
    """
    listed = " ".join(sorted(names))
    key = f"{image.id} {listed}"
    payload: Payload = {**about(image), "variants": listed}
    return NewJob(RENEW_VARIANTS, payload, priority=PRIORITY_IDLE, dedupe_key=key, owner_id=image.owner_id)


def discard_objects(image_id: UUID, keys: Sequence[str], *, now: datetime, after: timedelta = timedelta(0)) -> NewJob:
    """Delete, after the time ``after``, those of an image's objects under ``keys`` that have no row.

    Objects stored later than ``now`` are of another attempt, and stay.
    """
    payload: Payload = {"image_id": str(image_id), "keys": _SEPARATOR.join(keys), "stored_until": now.isoformat()}
    return NewJob(DISCARD_OBJECTS, payload, priority=PRIORITY_LOW, run_at=now + after)


def image_of(payload: Payload) -> UUID:
    """The image of a job. Raises `KeyError` and `ValueError`."""
    return UUID(str(payload["image_id"]))


def variants_of(payload: Payload) -> list[str]:
    """The names of the variants in a `renew_variants` job. Raises `KeyError`."""
    return str(payload["variants"]).split()


def keys_of(payload: Payload) -> list[str]:
    """The keys in a `discard_objects` job. Raises `KeyError`."""
    return str(payload["keys"]).split(_SEPARATOR)


def stored_until(payload: Payload) -> datetime:
    """Until when the objects of a `discard_objects` job were stored. Raises `KeyError`, `ValueError`."""
    return datetime.fromisoformat(str(payload["stored_until"]))
