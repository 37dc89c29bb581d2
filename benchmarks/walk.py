"""What a page costs at the end of a large gallery, compared with its beginning, in every order.

    python benchmarks/walk.py --images 200000

Rows are inserted by SQL into an embedded PostgreSQL; then the gallery is walked to its end by cursor, 50 images a
page, through `GalleryService`, as an application does. Then pages from the beginning and from the end of that walk are
asked for again, by their cursors and in turns, so that what else the machine does meets both alike. A first round
warms up; the ratio is of the medians of the others. At the end one image is moved in the same gallery, and PostgreSQL
says how many membership rows that wrote.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import anyio
import click
from attrs import frozen

from imagegallery.clock import utc_now
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.delivery.addresses import StoreUrls
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.galleries.gallery import ImageOrder
from imagegallery.galleries.service import GalleryService
from imagegallery.images.image.image import Image
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.pagination import CursorPage
from imagegallery.principal import Principal
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner

OWNER = Principal.user("ana")
LIMIT = 50
SEED = 20_240_601

# Images in different orders by position, time and name; four variants each.
LOAD_IMAGES = """
INSERT INTO images (id, owner_id, key_prefix, original_key, filename, mime_type, width, height, file_size, sha256,
                    blurhash, taken_at, processing_status, created_at, updated_at)
SELECT md5('image' || n)::uuid, 'ana', 'p/' || n || '/', 'p/' || n || '/original.jpg', 'img' || n * 7919 % $1 || '.jpg',
       'image/jpeg', 4000, 3000, 1000000, sha256(n::text::bytea), 'LEHV6nWB2yk8pyo0adR*.7kCMdnj',
       timestamptz '2024-01-01Z' + n * 104729 % $1 * interval '1 minute', 'complete',
       timestamptz '2026-01-01Z' + n * 15485863 % $1 * interval '1 second', timestamptz '2026-01-01Z'
FROM generate_series(0, $1::bigint - 1) AS n"""

LOAD_MEMBERS = """
INSERT INTO gallery_images (gallery_id, image_id, position, image_created_at, image_taken_at, name_key, added_at)
SELECT $2, i.id, n * 4294967296, i.created_at, i.taken_at,
       'img' || lpad(length((n * 7919 % $1)::text)::text, 4, '0') || n * 7919 % $1 || '.jpg', i.created_at
FROM generate_series(0, $1::bigint - 1) AS n JOIN images i ON i.id = md5('image' || n)::uuid"""

LOAD_VARIANTS = """
INSERT INTO image_variants (id, image_id, variant_type, format, key, width, height, file_size, fingerprint, created_at)
SELECT gen_random_uuid(), i.id, size, 'webp', i.key_prefix || size || '.webp', 800, 600, 1000, 'f', i.created_at
FROM images i, unnest(ARRAY['thumbnail', 'small', 'medium', 'large']) AS size"""

COUNT_UP = "UPDATE galleries SET image_count = $1 WHERE id = $2"

# How many rows the transaction wrote that last wrote this image's: each carries its number.
WRITTEN = """
SELECT count(*) FROM gallery_images
WHERE gallery_id = $1 AND xmin = (SELECT xmin FROM gallery_images WHERE gallery_id = $1 AND image_id = $2)"""


# Pages at either end that are timed, and how often each.
PAGES, ROUNDS = 200, 5


@frozen
class Walked:
    """The cursors of all pages, the first one's ``None`` first, and how many images were seen."""

    cursors: tuple[str | None, ...]
    seen: int


@click.command()
@click.option("--images", default=200_000, show_default=True, help="Images in the gallery.")
@click.option("--most", default=1.3, show_default=True, help="The highest ratio that passes.")
def main(images: int, most: float) -> None:
    """Measure; fails when a ratio is beyond the budget."""
    with tempfile.TemporaryDirectory() as directory:
        ratios = anyio.run(measure, Path(directory), images)
    if max(ratios) > most:
        raise click.ClickException(f"a page at the end costs more than {most} times one at the beginning")


async def measure(directory: Path, images: int) -> Sequence[float]:
    async with (
        EmbeddedPostgres.running(directory / "database") as dsn,
        Database.connect(DatabaseOptions(dsn=dsn, max_size=2)) as database,
    ):
        await migrate(database)
        store = FilesystemStore(directory, UrlSigner(b"x" * 32, utc_now), utc_now)
        delivery = ImageUrls(StoreUrls(store), DeliveryOptions(), utc_now)
        galleries = GalleryService(database, delivery, utc_now)
        gallery_id = (await galleries.create(OWNER, name="Large", visibility="public")).id
        await load(database, gallery_id, images)
        ratios = [await report(galleries, gallery_id, order, images) for order in ImageOrder]
        await report_move(database, galleries, gallery_id, images)
    return ratios


async def load(database: Database, gallery_id: UUID, images: int) -> None:
    started = time.perf_counter()
    async with database.session() as connection:
        await connection.execute(LOAD_IMAGES, images)
        await connection.execute(LOAD_MEMBERS, images, gallery_id)
        await connection.execute(LOAD_VARIANTS)
        await connection.execute(COUNT_UP, images, gallery_id)
        await connection.execute("VACUUM ANALYZE")
    click.echo(f"{images:,} images loaded in {time.perf_counter() - started:.0f} s")


async def report(galleries: GalleryService, gallery_id: UUID, order: ImageOrder, images: int) -> float:
    walked = await walk(galleries, gallery_id, order)
    if walked.seen != images:
        raise click.ClickException(f"{order}: {walked.seen:,} images seen, not {images:,}")
    full = walked.cursors[:-1]  # the last page may be short
    count = min(PAGES, len(full) // 2)
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(1 + ROUNDS):
        for pair in zip(full[:count], full[-count:], strict=True):
            for collected, cursor in zip(times, pair, strict=True):
                seconds = await time_page(galleries, gallery_id, order, cursor)
                collected += [seconds] if turn else []
    first, last = (statistics.median(each) * 1000 for each in times)
    pages = len(walked.cursors)
    click.echo(f"{order:12}{pages:6,} pages  first {first:5.2f} ms  last {last:5.2f} ms  ratio {last / first:.2f}")
    return last / first


async def time_page(galleries: GalleryService, gallery_id: UUID, order: ImageOrder, cursor: str | None) -> float:
    started = time.perf_counter()
    await read(galleries, gallery_id, order, cursor)
    return time.perf_counter() - started


async def walk(galleries: GalleryService, gallery_id: UUID, order: ImageOrder) -> Walked:
    cursors: list[str | None] = [None]
    seen: set[UUID] = set()
    while True:
        page = await read(galleries, gallery_id, order, cursors[-1])
        seen.update(image.id for image in page.items)
        if page.next_cursor is None:
            return Walked(tuple(cursors), len(seen))
        cursors.append(page.next_cursor)


async def read(galleries: GalleryService, gallery_id: UUID, order: ImageOrder, cursor: str | None) -> CursorPage[Image]:
    seed = SEED if order is ImageOrder.RANDOM else None
    return await galleries.list_images(OWNER, gallery_id, order=order, seed=seed, cursor=cursor, limit=LIMIT)


async def report_move(database: Database, galleries: GalleryService, gallery_id: UUID, images: int) -> None:
    """Moves the last image before the first one."""
    first = (await galleries.list_images(OWNER, gallery_id, limit=1)).items[0]
    last = (await galleries.list_images_page(OWNER, gallery_id, limit=1, page=min(images, 100_000))).items[0]
    started = time.perf_counter()
    await galleries.move(OWNER, gallery_id, [last.id], before=first.id)
    taken = (time.perf_counter() - started) * 1000
    async with database.connection() as connection:
        rows = await connection.fetchval(WRITTEN, gallery_id, last.id)
    click.echo(f"moving one image among {images:,}: {rows} row written, {taken:.1f} ms")


if __name__ == "__main__":
    main()
