"""Images and galleries for unit tests of applications, without a database or a file."""

from datetime import UTC, datetime
from typing import Final

import attrs

from imagegallery.access.audience import Visibility
from imagegallery.galleries.gallery import Gallery
from imagegallery.ids import new_id
from imagegallery.images.image.image import Image, ProcessingStatus, Variant
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.storage.keys import image_prefix, original_key, variant_key
from imagegallery.variants.preset import DEFAULT_PRESETS, Preset

# Where nothing is (RFC 2606 section 3).
BASE_URL: Final = "https://images.example"
MADE_AT: Final = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
_FINGERPRINT: Final = "0123456789abcdef"


def make_image(**changes: object) -> Image:
    """An image as services return it: complete, with variants of the default presets and their URLs.

    Args:
        changes: Attributes of `Image` that are to be different. Variants suit ``width``, ``height`` and ``status``.

    Raises:
        TypeError: For any other name.
    """
    image_id = new_id()
    prefix = image_prefix(image_id)
    image = Image(
        id=image_id,
        owner_id="ana",
        original_key=original_key(prefix, "image/jpeg"),
        key_prefix=prefix,
        filename="tram.jpg",
        mime_type="image/jpeg",
        width=4000,
        height=3000,
        frames=1,
        is_truncated=False,
        file_size=1_000_000,
        sha256=image_id.bytes * 2,
        alt_text="A tram in Lisbon",
        blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        metadata=None,
        taken_at=MADE_AT,
        taken_at_source=TakenAtSource.UPLOAD,
        latitude=None,
        longitude=None,
        status=ProcessingStatus.COMPLETE,
        failure=None,
        is_favorite=False,
        is_archived=False,
        created_at=MADE_AT,
        updated_at=MADE_AT,
    )
    changed = attrs.evolve(image, **changes)  # type: ignore[arg-type]  # of whatever attribute
    if "variants" in changes or changed.status is not ProcessingStatus.COMPLETE:
        return changed
    return attrs.evolve(changed, variants=_variants(changed))


def make_gallery(**changes: object) -> Gallery:
    """A gallery as services return it: private, empty and without a cover.

    Args:
        changes: Attributes of `Gallery` that are to be different.

    Raises:
        TypeError: For any other name.
    """
    gallery = Gallery(
        id=new_id(),
        owner_id="ana",
        name="Lisbon",
        description="",
        visibility=Visibility.PRIVATE,
        cover_image_id=None,
        image_count=0,
        created_at=MADE_AT,
        updated_at=MADE_AT,
    )
    return attrs.evolve(gallery, **changes)  # type: ignore[arg-type]  # as above


def _variants(image: Image) -> tuple[Variant, ...]:
    longest = max(image.width, image.height)
    smallest = DEFAULT_PRESETS[0].width
    return tuple(_variant(image, preset) for preset in DEFAULT_PRESETS if preset.width <= max(longest, smallest))


def _variant(image: Image, preset: Preset) -> Variant:
    if preset.fit == "cover":
        width, height = preset.width, preset.height
    else:
        scale = min(preset.width / image.width, preset.height / image.height)
        width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    key = variant_key(image.key_prefix, preset.name, _FINGERPRINT, preset.format)
    size = width * height // 10 + 1
    return Variant(preset.name, preset.format, key, width, height, size, _FINGERPRINT, url=f"{BASE_URL}/objects/{key}")
