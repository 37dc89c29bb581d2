"""What an export and an erasure of everything of one owner cost.

    python benchmarks/privacy.py --images 1000

A gallery of its own, on an embedded PostgreSQL and local files, takes in that many photographs, in ten galleries, and
makes their variants. Then the owner's export is made and its archive read whole, and the owner is erased; a worker in
the same process does both. Of each it prints the time, the statements that were sent, the bytes, and by how much the
memory of this process grew at most.
"""

import io
import tempfile
import time
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from functools import wraps
from pathlib import Path

import anyio
import asyncpg
import click
import numpy as np
from attrs import evolve
from PIL import Image

from imagegallery import ImageGallery, NotFound, Principal, Settings
from imagegallery.privacy.export import ExportState

ME = Principal.user("ana")
STATEMENTS = ("execute", "executemany", "_execute")
LOOK_EVERY = 0.05  # seconds
_sent = 0


def photograph(number: int) -> bytes:
    """A small JPEG that is like no other."""
    noise = np.random.default_rng(number).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    into = io.BytesIO()
    Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC).save(into, "JPEG", quality=90)
    return into.getvalue()


def count_statements() -> None:
    """Counts, from now on, what is sent on any connection."""
    for name in STATEMENTS:
        _count(name, getattr(asyncpg.Connection, name))


def _count(name: str, original: Callable[..., Awaitable[object]]) -> None:
    @wraps(original)
    async def counted(*arguments: object, **options: object) -> object:
        global _sent
        _sent += 1
        return await original(*arguments, **options)

    setattr(asyncpg.Connection, name, counted)


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Print what the block cost."""
    Path("/proc/self/clear_refs").write_text("5")  # from now on the peak is of what follows
    before, sent, started = _memory("VmRSS"), _sent, time.perf_counter()
    yield
    seconds, grown = time.perf_counter() - started, _memory("VmHWM") - before
    print(f"{what:<24} {seconds:8.2f} s {_sent - sent:8,} statements {grown / 1024:8.1f} MiB more memory", flush=True)


def _memory(name: str) -> int:
    """In KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


async def run(images: int) -> None:
    count_statements()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data")
        settings = evolve(settings, upkeep_interval=timedelta(hours=1))
        async with ImageGallery.open(settings) as gallery, gallery.worker():
            await fill(gallery, images)
            archive = Path(folder) / "all.zip"
            await export(gallery, archive)
            with zipfile.ZipFile(archive) as read:
                print(f"{'archive':<24} {archive.stat().st_size:,} bytes, {len(read.namelist()):,} files", flush=True)
                assert read.testzip() is None
            await erase(gallery)
            left = [found.key async for found in gallery.server.store.list("")]
            assert left == [], left


async def fill(gallery: ImageGallery, images: int) -> None:
    albums = [await gallery.galleries.create(ME, name=f"Album {number}", visibility="public") for number in range(10)]
    with measured(f"{images:,} uploads"):
        added = []
        for number in range(images):
            album, name = albums[number % len(albums)], f"{number}.jpg"
            added.append(await gallery.uploads.add(ME, photograph(number), filename=name, gallery_id=album.id))
        for each in added:
            await gallery.images.wait_until_ready(ME, each.id, timeout=timedelta(hours=1))


async def export(gallery: ImageGallery, into: Path) -> None:
    with measured("export"):
        made = await gallery.exports.request(ME)
        while made.state is not ExportState.READY:
            await anyio.sleep(LOOK_EVERY)
            made = await gallery.exports.get(ME, made.id)
    with measured("its archive"):
        archive = await gallery.exports.archive(ME, made.id)
        async with await anyio.open_file(into, "wb") as file, aclosing(archive.read()) as chunks:
            async for chunk in chunks:
                await file.write(chunk)


async def erase(gallery: ImageGallery) -> None:
    with measured("closed"):
        await gallery.erasures.request(ME, grace=timedelta(seconds=5))
    with measured("erased, 5 s later"):
        while True:
            await anyio.sleep(LOOK_EVERY)
            try:
                await gallery.erasures.get(ME)
            except NotFound:
                break
    async with aclosing(gallery.erasures.all()) as receipts:
        receipt = await anext(receipts)
    print(f"{'receipt':<24} {dict(receipt.counts)}", flush=True)


@click.command()
@click.option("--images", type=click.IntRange(1), default=1000, show_default=True)
def main(images: int) -> None:
    """Measure."""
    anyio.run(run, images)


if __name__ == "__main__":
    main()
