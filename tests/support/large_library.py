"""A library of any size, with pictures: rows by ``INSERT … SELECT``, and for each a link to one of a few files.

It is for tests and measurements of lists and pages. What it has not: originals, hashes of their own, metadata.
"""

import asyncio
import io
import os
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from attrs import frozen
from PIL import Image, ImageDraw, ImageFilter

from imagegallery.imaging import blurhash

SIDES = {"small": 300, "medium": 800}
NEWEST = datetime(2026, 6, 28, 12, tzinfo=UTC)
# Width and height of the pictures, as cameras and phones have them, and a panorama.
SHAPES = ((3, 2), (3, 2), (4, 3), (4, 3), (3, 4), (2, 3), (1, 1), (16, 9), (9, 16), (5, 2))

_LOAD = """
INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    alt_text, blurhash, processing_status, taken_at, created_at, updated_at, is_favorite)
SELECT gen_random_uuid(), $1, $2 || n || '/', $2 || n || '/original.jpg', 'IMG_' || n || '.jpg', 'image/jpeg',
       ($5::int[])[kind], ($6::int[])[kind], 3000000, sha256(($2 || n)::bytea),
       CASE WHEN n % 3 = 0 THEN 'Hills in the evening, ' || n ELSE '' END, ($7::text[])[kind], 'complete',
       moment, moment, moment, n % 40 = 7
FROM generate_series(0, $3 - 1) AS n,
     LATERAL (SELECT 1 + n % cardinality($5::int[]) AS kind, $8::interval / $3 AS step) AS kinds,
     LATERAL (SELECT $4::timestamptz - n * step - n * 7919 % 97 * step / 400 AS moment) AS moments"""
_LOAD_VARIANTS = """
INSERT INTO image_variants (id, image_id, variant_type, format, key, width, height, file_size, fingerprint, created_at)
SELECT gen_random_uuid(), i.id, size.name, 'webp', i.key_prefix || size.name || '-f.webp',
       greatest(i.width * size.side / greatest(i.width, i.height), 1),
       greatest(i.height * size.side / greatest(i.width, i.height), 1), 20000, 'f', i.created_at
FROM images i, unnest($3::text[], $4::int[]) AS size (name, side)
WHERE i.owner_id = $1 AND i.key_prefix LIKE $2 || '%'"""


@frozen
class _Picture:
    width: int
    height: int
    blurhash: str
    files: dict[str, Path]


def fill_library(
    dsn: str,
    objects: Path,
    owner: str,
    count: int,
    *,
    newest: datetime = NEWEST,
    span: timedelta = timedelta(days=12 * 365),
    kinds: int = 40,
) -> None:
    """Give ``owner`` so many images, taken evenly over ``span`` until ``newest``, with ``kinds`` pictures among them.

    ``objects`` is the folder of the store. Some hundred thousand take a minute.
    """
    pictures = [_draw(objects / "roll" / "kinds", number) for number in range(kinds)]
    prefix = f"roll/{owner}/{newest:%Y-%m-%d}/"
    for number in range(count):
        folder = objects / prefix / str(number)
        folder.mkdir(parents=True)
        for size, file in pictures[number % kinds].files.items():
            os.link(file, folder / f"{size}-f.webp")
    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, _load(dsn, owner, prefix, count, pictures, newest, span)).result()


async def _load(
    dsn: str, owner: str, prefix: str, count: int, pictures: list[_Picture], newest: datetime, span: timedelta
) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        columns = ([each.width for each in pictures], [each.height for each in pictures])
        hashes = [each.blurhash for each in pictures]
        await connection.execute(_LOAD, owner, prefix, count, newest, *columns, hashes, span)
        await connection.execute(_LOAD_VARIANTS, owner, prefix, list(SIDES), list(SIDES.values()))
        await connection.execute("ANALYZE images, image_variants")
    finally:
        await connection.close()


def _draw(folder: Path, number: int) -> _Picture:
    """Hills before a sky, in colours and a shape of this number's own."""
    dice = random.Random(number)
    shape = SHAPES[number % len(SHAPES)]
    scale = SIDES["medium"] / max(shape)
    picture = _hills(round(shape[0] * scale), round(shape[1] * scale), dice)
    files = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, side in SIDES.items():
        file = folder / f"{number}-{name}.webp"
        if not file.exists():
            small = picture.copy()
            small.thumbnail((side, side))
            buffer = io.BytesIO()
            small.save(buffer, "WEBP", quality=78)
            file.write_bytes(buffer.getvalue())
        files[name] = file
    return _Picture(shape[0] * 1000, shape[1] * 1000, _hash(picture), files)


def _hills(width: int, height: int, dice: random.Random) -> Image.Image:
    hue = dice.randrange(360)
    picture = Image.new("RGB", (1, 64))
    for y in range(64):
        picture.putpixel((0, y), _hsl(hue + y // 3, 45, 78 - y * 0.35))
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    sun = dice.randrange(width), dice.randrange(height // 4, height // 2), height // dice.randrange(8, 20)
    draw.ellipse([sun[0] - sun[2], sun[1] - sun[2], sun[0] + sun[2], sun[1] + sun[2]], fill=_hsl(hue + 20, 80, 92))
    for layer in range(5):
        base, steps = height * (0.5 + layer * 0.11), 12
        heights = [base + dice.uniform(-0.09, 0.09) * height for _ in range(steps + 1)]
        edge = [(width * step / steps, y) for step, y in enumerate(heights)]
        draw.polygon([(0, height), *edge, (width, height)], fill=_hsl(hue + 190 + layer * 7, 32, 58 - layer * 10))
    return picture.filter(ImageFilter.GaussianBlur(1.2))


def _hsl(hue: float, saturation: float, lightness: float) -> tuple[int, int, int]:
    made = Image.new("RGB", (1, 1), f"hsl({hue % 360:.0f}, {saturation:.0f}%, {lightness:.0f}%)").getpixel((0, 0))
    assert isinstance(made, tuple)
    return (int(made[0]), int(made[1]), int(made[2]))


def _hash(picture: Image.Image) -> str:
    small = picture.resize((blurhash.SIDE, blurhash.SIDE))
    light = [(value / 255) ** 2.2 for value in small.tobytes()]
    return blurhash.encode(light, is_upright=picture.height > picture.width)
