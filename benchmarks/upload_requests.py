"""What one upload asks of the database and of the object store, from its session to its last variant.

    python benchmarks/upload_requests.py --uploads 20
    python benchmarks/upload_requests.py --uploads 20 --s3

A gallery of its own on an embedded PostgreSQL that logs every statement takes in photographs of 12 megapixels, one by
one, each with a worker in the same process, and every call of the object store and every decode is counted. Statements
of the worker that has nothing to do are counted in a pause of the same length afterwards, and taken off. With ``--s3``
the objects are in a bucket of a SeaweedFS, and the photographs are sent to it as browsers do, in a form.

That is the whole life of an upload: until its last job is done and its last event is passed on.
"""

import io
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial, wraps
from pathlib import Path
from uuid import UUID

import anyio
import asyncpg
import attrs
import click
import httpx
import numpy as np
from PIL import Image

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.database.pool import DatabaseOptions
from imagegallery.dev_stack.object_store import AWS, BUCKET, ObjectStoreServer
from imagegallery.imaging.sandbox.engine import SandboxedEngine
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.options import S3Options, StorageOptions
from imagegallery.storage.s3.store import S3Store

STORE_CALLS = ("head", "put", "promote", "delete", "list")
_LOGGED = re.compile(rb"LOG:  (?:statement|execute [^:]*): \s*(\w+)")
# Asked on a connection of its own, in words that nobody else uses: these statements are left out.
LOOK = "VALUES (EXISTS (SELECT FROM jobs) OR EXISTS (SELECT FROM events WHERE position IS NULL))"
LOOK_EVERY = 0.05  # seconds
ME = Principal.user("ana")


def count_calls() -> Counter[str]:
    """Counts, from now on, each call of any store; of ``get``, those that read all of an object; and each decode."""
    counts = Counter[str]()
    for store in (FilesystemStore, S3Store):
        for name in STORE_CALLS:
            _count(store, name, _always(f"store      {name}"), counts)
        _count(store, "get", _read, counts)
    _count(SandboxedEngine, "inspect", _looked, counts)
    _count(SandboxedEngine, "render", _always("decoder    all"), counts)
    return counts


def _always(name: str) -> Callable[..., str]:
    return lambda *_, **__: name


def _read(_store: object, _key: str, byte_range: object = None) -> str:
    return f"store      get {'all' if byte_range is None else 'some'}"


def _looked(*_: object, decode: bool = True, **__: object) -> str:
    return f"decoder    {'all' if decode else 'header'}"


def _count(kind: type, name: str, named: Callable[..., str], counts: Counter[str]) -> None:
    original = getattr(kind, name)

    @wraps(original)
    def counted(*arguments: object, **options: object) -> object:
        counts[named(*arguments, **options)] += 1
        return original(*arguments, **options)

    setattr(kind, name, counted)


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
            if gallery.settings.storage.s3.bucket is None:
                await gallery.uploads.add(ME, data, filename=f"IMG_{number}.jpg", gallery_id=album.id)
            else:
                await send(gallery, data, f"IMG_{number}.jpg", album.id)
            while await looking.fetchval(LOOK):
                await anyio.sleep(LOOK_EVERY)
    finally:
        await looking.close()


async def send(gallery: ImageGallery, data: bytes, filename: str, album_id: UUID) -> None:
    """To the bucket itself, with a form."""
    session = await gallery.uploads.create(
        ME, filename=filename, content_type="image/jpeg", size=len(data), gallery_id=album_id
    )
    assert session.request is not None
    async with httpx.AsyncClient() as client:
        form = dict(session.request.fields)
        (await client.post(session.request.url, data=form, files={"file": (filename, data)})).raise_for_status()
    await gallery.uploads.complete(ME, session.id)


@asynccontextmanager
async def opened(folder: Path, dsn: str, *, s3: bool) -> AsyncIterator[ImageGallery]:
    settings = Settings(data_dir=folder / "data", database=DatabaseOptions(dsn=dsn))
    if not s3:
        async with ImageGallery.open(settings) as gallery, gallery.worker():
            yield gallery
        return
    async with ObjectStoreServer.running(folder / "bucket") as server:
        storage = StorageOptions(s3=S3Options(bucket=BUCKET, endpoint_url=server.url))
        settings = attrs.evolve(settings, storage=storage, aws=AWS)
        async with ImageGallery.open(settings) as gallery, gallery.worker():
            yield gallery


async def run(uploads: int, *, s3: bool) -> None:
    photos = [photo(number) for number in range(uploads + 1)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = folder / "postgres"
        async with EmbeddedPostgres.running(server, settings={"log_statement": "all", "fsync": "off"}) as dsn:
            log = server / "cluster" / "server.log"
            async with opened(folder, dsn, s3=s3) as gallery:
                await bring_in(gallery, photos[:1], dsn)  # connections, prepared statements, the decoder
                calls, before, started = count_calls(), statements(log), time.monotonic()
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
        print(f"  {name:21} {count / uploads:6.1f}")


@click.command()
@click.option("--uploads", default=20, show_default=True)
@click.option("--s3", is_flag=True)
def main(uploads: int, *, s3: bool) -> None:
    anyio.run(partial(run, uploads, s3=s3))


if __name__ == "__main__":
    main()
