"""An album of real photographs, for pages to be looked at: each with a text, tags, a time and a place.

A few ship in the wheel of scikit-image. More of them, and better ones, are in two packages of Debian, by the people who
are named in their copyright files::

    apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
    for package in *.deb; do dpkg -x $package FOLDER; done
"""

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, product
from pathlib import Path

import skimage
from attrs import frozen
from PIL import Image, ImageOps
from tests.support.images import exif_block

LONG_SIDE = 1800
LAST = datetime(2026, 9, 20, 18, 40)  # noqa: DTZ001 - cameras write the time of where they are
Box = tuple[float, float, float, float]
# Of each photograph there are two, in shares of its sides: the whole, and an upright part.
CUTS: tuple[Box, ...] = ((0, 0, 1, 1), (0.3, 0, 0.82, 1))


@frozen
class Subject:
    """``file`` is in the folder of Debian's packages, or in scikit-image; ``place`` in degrees."""

    file: str
    gallery: str
    alt_text: str
    tags: tuple[str, ...]
    place: tuple[float, float]


@frozen
class Photograph:
    """``data`` is a JPEG."""

    filename: str
    data: bytes
    subject: Subject


PICOS, GARDEN, TABLE, SKY = "Picos de Europa", "In the garden", "At the table", "Up and away"
SUBJECTS = (
    Subject("picosdeeuropa_by_Aitzol_Berasategi.jpg", PICOS, "A path up to grey peaks", ("mountain", "hike"), (43, -4)),
    Subject("seeding_by_Clements_Engelhardt.jpg", GARDEN, "Dandelions against the evening sun", ("flower",), (52, 13)),
    Subject("Picture_0B_by_freespace.jpg", TABLE, "Half a fig in a red bowl", ("food", "red"), (38, -9)),
    Subject(
        "aitzgorri_by_Aitzol_Berasategi.jpg", PICOS, "Autumn woods below a ridge", ("mountain", "autumn"), (43, -2)
    ),
    Subject("Kleiber_by_Lukas_Baubkus.jpg", GARDEN, "A nuthatch climbs down a tree", ("bird", "winter"), (50, 8)),
    Subject("friends_by_Aitzol_Berasategi.jpg", PICOS, "Two dogs look out of a door", ("dog",), (43, -3)),
    Subject("coffee.png", TABLE, "Coffee in a red cup", ("food", "red"), (38, -9)),
    Subject("life_by_Aitzol_Berasategi.jpg", PICOS, "A brook falls over mossy stones", ("water", "hike"), (43, -4)),
    Subject("chelsea.png", GARDEN, "A tabby cat looks past the camera", ("cat",), (52, 13)),
    Subject("Dragonfly_by_Bolly.jpg", GARDEN, "A dragonfly on a branch", ("insect", "autumn"), (41, 2)),
    Subject("sunset_by_Aitzol_Berasategi.jpg", PICOS, "The sun goes down behind hills", ("mountain", "sun"), (43, -2)),
    Subject("Wine_by_Jakkub_Mede.jpg", TABLE, "A drum in front of a table with wine", ("music", "food"), (48, 17)),
    Subject("Bridge_by_Sander_Klootwijk.jpg", SKY, "Cables of a bridge cross a blue sky", ("bridge", "blue"), (52, 5)),
    Subject("rocket.jpg", SKY, "A rocket waits at night", ("rocket", "blue"), (28, -80)),
    Subject("free_by_Peter_Nerlich.jpg", SKY, "A wooden bird hangs below lamps", ("bird",), (51, 9)),
    Subject("Picture_1A_by_freespace.jpg", TABLE, "Brushes full of colour", ("art", "red"), (38, -9)),
    Subject("astronaut.png", SKY, "An astronaut smiles in front of a flag", ("people", "rocket"), (29, -95)),
)


def album(folder: Path | None = None) -> Iterator[Photograph]:
    """The photographs, the newest first, over some years; without a folder, those that are there anyway."""
    folders = [Path(skimage.data.__file__).parent, *([] if folder is None else [folder])]
    paths = {path.name: path for each in folders for path in each.rglob("*.*")}
    there = [subject for subject in SUBJECTS if subject.file in paths]
    for number, (box, subject) in zip(count(), product(CUTS, there), strict=False):
        taken_at = LAST - timedelta(days=3 * number + (number * number) // 4, hours=number % 9)
        data = _jpeg(paths[subject.file], box, exif=_exif(subject, taken_at))
        yield Photograph(f"IMG_{7400 - number}.jpg", data, subject)


def _exif(subject: Subject, taken_at: datetime) -> Image.Exif:
    return exif_block(
        taken_at=f"{taken_at:%Y:%m:%d %H:%M:%S}", offset="+01:00", gps=subject.place, make="FUJIFILM", model="X100V"
    )


def _jpeg(path: Path, box: Box, *, exif: Image.Exif) -> bytes:
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened)
        across, down = upright.size
        left, top, right, bottom = box
        picture = upright.convert("RGB").crop(
            (round(left * across), round(top * down), round(right * across), round(bottom * down))
        )
    scale = LONG_SIDE / max(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    buffer = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=88, exif=exif)
    return buffer.getvalue()
