"""Images as a camera and the presets make them, as rows: for what has to do with how much is told of each."""

import random
from collections.abc import Iterator
from datetime import timedelta

from attrs import evolve
from tests.support.library import make_image

from imagegallery import Image, Variant
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.metadata.metadata import Metadata
from imagegallery.storage.keys import variant_key

PRESETS = (
    ("thumbnail", "webp", 80, 80),
    ("small", "webp", 300, 225),
    ("small", "avif", 300, 225),
    ("medium", "webp", 800, 600),
    ("medium", "avif", 800, 600),
    ("large", "webp", 1920, 1440),
)
BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


def camera_roll(count: int) -> Iterator[Image]:
    """So many images with six variants each, all with names, times, places and hashes of their own."""
    dice = random.Random(7)
    for number in range(count):
        image = make_image(age=timedelta(minutes=7 * number))
        taken_at = image.taken_at - timedelta(days=30, seconds=dice.randrange(86_400))
        variants = (
            _variant(image, "".join(dice.choices("abcdefghijklmnopqrstuvwxyz234567", k=16)), *each, dice)
            for each in PRESETS
        )
        yield evolve(
            image,
            filename=f"IMG_{4_000 + number}.jpg",
            alt_text=("A yellow tram climbs the hill", "")[number % 2],
            file_size=dice.randrange(2_000_000, 6_000_000),
            blurhash="".join(dice.choice(BASE83) for _ in range(28)),
            taken_at=taken_at,
            taken_at_source=TakenAtSource.EXIF_ORIGINAL,
            latitude=38.7 + dice.random() / 10,
            longitude=-9.1 - dice.random() / 10,
            metadata=Metadata(
                make="FUJIFILM", model="X100V", lens="23mm f/2", exposure_time=0.004, f_number=5.6, iso=160,
                focal_length=23.0, focal_length_35mm=35, taken_at=taken_at, latitude=38.7139, longitude=-9.1334,
                altitude=61.0,
            ),
            variants=tuple(variants),
        )  # fmt: skip


def _variant(
    image: Image, fingerprint: str, variant_type: str, image_format: str, width: int, height: int, dice: random.Random
) -> Variant:
    key = variant_key(image.key_prefix, variant_type, fingerprint, image_format)
    size = dice.randrange(width * height // 20, width * height // 8)
    if image_format == "avif":
        size = size // 4
    return Variant(variant_type, image_format, key, width, height, size, fingerprint)
