"""What one upload asks of the database and of the object store, from its session to its last variant.

    python benchmarks/upload_requests.py --uploads 20

A gallery of its own on an embedded PostgreSQL that logs every statement takes in photographs of 12 megapixels, one by
one, each with a worker in the same process, and every call of the object store is counted. Statements of the worker
that has nothing to do are counted in a pause of the same length afterwards, and taken off.

That is the whole life of an upload: until its last job is done and its last event is passed on.
"""

import io
import os
import re
import tempfile
import time
from collections import Counter
from functools import wraps
from pathlib import Path

import anyio
import asyncpg
import click
import numpy as np
from PIL import Image

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.database.pool import DatabaseOptions
from imagegallery.storage.filesystem.store import FilesystemStore

STORE_CALLS = ("head", "get", "put", "promote", "delete", "list")
_LOGGED = re.compile(rb"LOG:  (?:statement|execute [^:]*): \s*(\w+)")
# Asked on a connection of its own, in words that nobody else uses: these statements are left out.
LOOK = "VALUES (EXISTS (SELECT FROM jobs) OR EXISTS (SELECT FROM events WHERE position IS NULL))"
LOOK_EVERY = 0.05  # seconds
ME = Principal.user("ana")


def count_store_calls() -> Counter[str]:
    """Counts, from now on, each call that any filesystem store gets."""
    counts = Counter[str]()
    for name in STORE_CALLS:
        _count(name, counts)
    return counts


def _count(name: str, counts: Counter[str]) -> None:
    original = getattr(FilesystemStore, name)

    @wraps(original)
    def counted(*arguments: object, **options: object) -> object:
        counts[name] += 1
        return original(*arguments, **options)

    setattr(FilesystemStore, name, counted)


def photo(number: int) -> bytes:
    """No two alike."""
    noise = np.random.default_rng(number).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(noise).resize((4000, 3000), Image.Resampling.BICUBIC).save(target, "jpeg", quality=90)
    return target.getvalue()


def statements(log: Path) -> Counter[str]:
    made = Counter(found.decode().upper() for found in _LOGGED.findall(log.read_bytes()))
    del made["VALUES"]
    return made


async def bring_in(gallery: ImageGallery, photos: list[bytes], dsn: str) -> None:
    """Each when the one before it has all its variants."""
    album = await gallery.galleries.create(ME, name="Holiday")
    looking = await asyncpg.connect(dsn)
    try:
        for number, data in enumerate(photos):
            await gallery.uploads.add(ME, data, filename=f"IMG_{number}.jpg", gallery_id=album.id)
            while await looking.fetchval(LOOK):
                await anyio.sleep(LOOK_EVERY)
    finally:
        await looking.close()


async def run(uploads: int) -> None:
    photos = [photo(number) for number in range(uploads + 1)]
    with tempfile.TemporaryDirectory() as folder:
        server = Path(folder, "postgres")
        async with EmbeddedPostgres.running(server, settings={"log_statement": "all", "fsync": "off"}) as dsn:
            settings = Settings(data_dir=Path(folder, "data"), database=DatabaseOptions(dsn=dsn))
            log = server / "cluster" / "server.log"
            async with ImageGallery.open(settings) as gallery, gallery.worker():
                await bring_in(gallery, photos[:1], dsn)  # connections, prepared statements, the decoder
                calls, before, started = count_store_calls(), statements(log), time.monotonic()
                await bring_in(gallery, photos[1:], dsn)
                took = time.monotonic() - started
                busy, made = statements(log), Counter(calls)
                await anyio.sleep(took)
                idle = statements(log) - busy
    report(busy - before, idle, made, uploads)


def report(busy: Counter[str], other: Counter[str], calls: Counter[str], uploads: int) -> None:
    total = (sum(busy.values()) - sum(other.values())) / uploads
    print(f"{uploads} uploads of 12 megapixels, {os.cpu_count()} processors; per upload:")
    print(f"  statements {'together':10} {total:6.1f}")
    for name, count in sorted(busy.items()):
        print(f"  statements {name:10} {(count - other[name]) / uploads:6.1f}")
    for name, count in sorted(calls.items()):
        print(f"  store      {name:10} {count / uploads:6.1f}")


@click.command()
@click.option("--uploads", default=20, show_default=True)
def main(uploads: int) -> None:
    anyio.run(run, uploads)


if __name__ == "__main__":
    main()
