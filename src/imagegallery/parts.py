"""Settings become parts: the one place that chooses between adapters, and imports them.

An adapter whose library comes with an extra is imported when it is chosen.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import attrs
from attrs import frozen

from imagegallery.cache.background import Background
from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.memory import MemoryCache
from imagegallery.cache.options import CacheOptions
from imagegallery.cache.swr import Revalidating
from imagegallery.clock import Clock, utc_now
from imagegallery.database.embedded import EmbeddedPostgres
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database
from imagegallery.galleries.pages import CachedPages
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.imaging.sandbox import SandboxedEngine
from imagegallery.queue.outbox import JobOutbox
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import Queue
from imagegallery.settings import Settings
from imagegallery.storage.filesystem import FilesystemStore
from imagegallery.storage.protocol import ObjectStore
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.signing import UrlSigner
from imagegallery.variants.service import VariantService


@asynccontextmanager
async def running_database(settings: Settings) -> AsyncIterator[Settings]:
    """The same settings with a DSN that answers: the given one, or the embedded server's while this is open."""
    if settings.database.dsn is not None:
        yield settings
        return
    async with EmbeddedPostgres.running(settings.postgres_dir) as dsn:
        yield attrs.evolve(settings, database=attrs.evolve(settings.database, dsn=dsn))


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of these settings, as it is: migrated or not."""
    async with running_database(settings) as ready, Database.connect(ready.database) as database:
        yield database


@asynccontextmanager
async def open_store(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[ObjectStore]:
    """The object store of these settings, by itself."""
    secret = await anyio.to_thread.run_sync(settings.load_secret)
    async with FilesystemStore(settings.objects_dir, UrlSigner(secret, clock), clock) as store:
        yield store


@asynccontextmanager
async def open_renderer(settings: Settings) -> AsyncIterator[VariantService]:
    """Making variants in a folder, with nothing but the imaging engine."""
    async with SandboxedEngine.open(settings.imaging) as engine:
        yield VariantService(engine, settings.variants.presets)


@frozen
class Parts:
    """The adapters in use, chosen by the settings; services get them as the protocols they are."""

    database: Database
    store: ObjectStore
    queue: Queue
    outbox: JobOutbox
    engine: ImagingEngine
    scratch: Scratch
    pages: CachedPages


@asynccontextmanager
async def open_pages(database: Database, options: CacheOptions, clock: Clock) -> AsyncIterator[CachedPages]:
    """Cached pages of this database's galleries, which hear of every change while this is open."""
    cache = MemoryCache(options.max_bytes, clock)
    changes = GalleryChanges(database, cache)
    async with Background.running() as background:
        await background.start(changes.run, "listening for changes of galleries")
        yield CachedPages(database, Revalidating(cache, background, clock), changes, clock)


@asynccontextmanager
async def open_parts(settings: Settings, clock: Clock) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        await migrate(database)
        scratch = await stack.enter_async_context(Scratch.open(settings.scratch_dir))
        store = await stack.enter_async_context(open_store(settings, clock))
        engine = await stack.enter_async_context(SandboxedEngine.open(settings.imaging))
        pages = await stack.enter_async_context(open_pages(database, settings.cache, clock))
        queue = PostgresQueue(database, clock)
        yield Parts(database, store, queue, queue, engine, scratch, pages)
