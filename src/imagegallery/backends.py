"""Settings become parts: the one place that chooses between adapters, and imports them.

An adapter whose library comes with an extra is imported when it is chosen.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import attrs
from attrs import frozen

from imagegallery import folders
from imagegallery.background import Background, TaskHealth
from imagegallery.cache.floors import Floors
from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.memory import MemoryCache
from imagegallery.cache.protocol import Cache
from imagegallery.cache.stale_while_revalidate import Revalidating
from imagegallery.cache.tiers import SecondTier
from imagegallery.clock import Clock, utc_now
from imagegallery.database.clock import DatabaseClock
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database
from imagegallery.delivery.addresses import StoreUrls
from imagegallery.delivery.protocol import ObjectUrls
from imagegallery.errors import ConfigurationError
from imagegallery.extras import install_hint
from imagegallery.galleries.pages import CachedPages
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.imaging.sandbox.engine import SandboxedEngine
from imagegallery.imaging.sandbox.wire import Wall
from imagegallery.owners.service import OwnerService
from imagegallery.queue.attendance import Attendance
from imagegallery.queue.dispatch.relay import JobRelay
from imagegallery.queue.mailbox import Mailbox
from imagegallery.queue.outbox import JobOutbox
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import JobQueue, KeepsDeadLetters, Queue
from imagegallery.rates.limiter import UNLIMITED, RateLimiter
from imagegallery.rates.options import RateOptions
from imagegallery.redis.options import RedisOptions
from imagegallery.settings import Settings
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ObjectStore, ServesDownloads, SignsDownloads
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.signed_downloads import SignedDownloads
from imagegallery.storage.space import Boundless, DiskSpace, Space
from imagegallery.variants.service import VariantService

if TYPE_CHECKING:
    from imagegallery.queue.sqs.connection import Sqs
    from imagegallery.redis.client import RedisClient
    from imagegallery.storage.s3.setup import SetupStep

logger = logging.getLogger(__name__)


def _missing(what: str, extra: str) -> ConfigurationError:
    return ConfigurationError(f"{what} needs more than is installed: {install_hint(extra)}")


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
async def open_clock(
    database: Database, given: Clock | None, local: Clock, health: TaskHealth | None = None
) -> AsyncIterator[Clock]:
    """The given one, or the database's time, which all processes have in common; followed while this is open."""
    if given is not None:
        yield given
        return
    async with Background.running(health) as background:
        clock = await DatabaseClock.measured(database, local)
        await background.start(clock.run, "following the database's clock")
        yield clock


@asynccontextmanager
async def open_store(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[ObjectStore]:
    """The object store of these settings, by itself: a bucket's where one is named, else the filesystem's."""
    if settings.storage.s3.bucket is not None:
        async with _open_s3(settings, clock) as bucket:
            yield bucket
        return
    signer = await anyio.to_thread.run_sync(_url_signer, settings, clock)
    base = settings.delivery.base_url or ""
    async with FilesystemStore(settings.objects_dir, signer, clock, base_url=base) as store:
        yield store


def _url_signer(settings: Settings, clock: Clock) -> UrlSigner:
    secret, *older = settings.load_secrets()
    return UrlSigner(secret, clock, older)


@asynccontextmanager
async def _open_s3(settings: Settings, clock: Clock) -> AsyncIterator[ObjectStore]:
    """Its library comes with an extra. Raises `ConfigurationError` when it is not installed."""
    try:
        from imagegallery.storage.s3.store import S3Store
    except ImportError as error:
        raise _missing("storage.s3.bucket", "s3") from error
    async with S3Store.open(settings.storage.s3, settings.aws, clock) as store:
        yield store


async def set_up_storage(
    settings: Settings,
    origins: tuple[str, ...],
    days: int,
    versions_days: int | None = None,
    *,
    create: bool,
    dry_run: bool,
) -> AsyncGenerator["SetupStep", None]:
    """See `imagegallery.storage.s3.setup`. Raises `ConfigurationError` when no bucket is named."""
    if settings.storage.s3.bucket is None:
        raise ConfigurationError("Objects are files here, and need no set-up; for a bucket set `storage.s3.bucket`.")
    try:
        from imagegallery.storage.s3.rules import BucketRules
        from imagegallery.storage.s3.setup import set_up
    except ImportError as error:
        raise _missing("storage.s3.bucket", "s3") from error
    rules = BucketRules(settings.storage.s3.prefix, days, origins, versions_days)
    async for step in set_up(settings.storage.s3, settings.aws, rules, create=create, dry_run=dry_run):
        yield step


async def store_keeps_deleted(settings: Settings) -> bool:
    """Whether the bucket of these settings keeps versions of what is deleted for good. Raises `ConfigurationError`."""
    try:
        from imagegallery.storage.s3.connection import connected
        from imagegallery.storage.s3.setup import keeps_deleted
    except ImportError as error:
        raise _missing("storage.s3.bucket", "s3") from error
    async with connected(settings.storage.s3, settings.aws) as connection:
        return await keeps_deleted(connection.bucket)


def signed_downloads(settings: Settings, store: ObjectStore, clock: Clock) -> SignsDownloads:
    """The store, if it signs downloads itself, else URLs of our own over it. May read the secret's file: not for the
    event loop."""
    if isinstance(store, SignsDownloads):
        return store
    return SignedDownloads(store, _url_signer(settings, clock), settings.delivery.base_url or "")


def private_urls(settings: Settings, downloads: SignsDownloads, clock: Clock) -> ObjectUrls:
    """How clients get at what is not public. Reads key files: not for the event loop. Raises `ConfigurationError`."""
    if settings.delivery.cloudfront.url is None:
        return StoreUrls(downloads)
    if settings.storage.s3.bucket is None:
        raise ConfigurationError("delivery.cloudfront.url serves a bucket: set storage.s3.bucket, too.")
    try:
        from imagegallery.delivery.cloudfront import CloudFrontUrls
    except ImportError as error:
        raise _missing("CloudFront", "s3") from error
    return CloudFrontUrls(settings.delivery.cloudfront, clock)


@asynccontextmanager
async def open_renderer(settings: Settings) -> AsyncIterator[VariantService]:
    """Making variants in a folder, with nothing but the imaging engine."""
    async with SandboxedEngine.open(settings.imaging) as engine:
        yield VariantService(engine, settings.variants.all_presets)


async def decoder_walls(settings: Settings) -> frozenset[Wall]:
    """What stands between a decoder and this machine: see `imagegallery.imaging.sandbox.confinement`."""
    async with SandboxedEngine.open(settings.imaging) as engine:
        return await engine.walls()


@frozen
class Backends:
    """What an application brings of its own, and closes itself; ``None``: the settings choose."""

    store: ObjectStore | None = None
    queue: JobQueue | None = None
    cache: Cache | None = None
    engine: ImagingEngine | None = None


@frozen
class OpenBackends:
    """The adapters in use, chosen by the settings or brought; services get them as the protocols they are.

    ``downloads`` serves the signed URLs that lead to this service, if there are such.
    """

    database: Database
    store: ObjectStore
    downloads: ServesDownloads | None
    private_urls: ObjectUrls
    queue: Queue
    outbox: JobOutbox
    engine: ImagingEngine
    scratch: Scratch
    pages: CachedPages
    rates: RateLimiter
    space: Space
    clock: Clock
    health: TaskHealth
    attendance: Attendance
    relay: JobRelay | None = None
    arrivals: Mailbox | None = None


@asynccontextmanager
async def open_redis(options: RedisOptions, clock: Clock) -> AsyncIterator["RedisClient | None"]:
    """The client of the Redis that is set, if one is. It need not answer. Raises `ConfigurationError`."""
    if options.url is None:
        yield None
        return
    try:
        from imagegallery.redis.client import RedisClient
    except ImportError as error:
        raise _missing("Redis", "redis") from error
    async with RedisClient.open(options, clock) as client:
        yield client


@asynccontextmanager
async def open_pages(
    database: Database,
    cache: Cache,
    clock: Clock,
    redis: "RedisClient | None" = None,
    secrets: Sequence[bytes] = (),
    health: TaskHealth | None = None,
) -> AsyncIterator[CachedPages]:
    """Cached pages of this database's galleries, which hear of every change while this is open. ``secrets`` seal what
    lies in Redis."""
    async with Background.running(health) as background:
        changes, second = cache_parts(database, cache, clock, redis, secrets, background)
        await background.start(changes.run, "listening for changes of galleries")
        yield CachedPages(database, Revalidating(cache, background, clock, second), changes, clock)


def cache_parts(
    database: Database,
    cache: Cache,
    clock: Clock,
    redis: "RedisClient | None",
    secrets: Sequence[bytes],
    background: Background,
) -> tuple[GalleryChanges, SecondTier | None]:
    """What hears of changes, and the tier behind the cache of this process, if there is one."""
    if redis is None:
        return GalleryChanges(database, cache), None
    from imagegallery.cache.broadcast import Broadcast
    from imagegallery.cache.redis import RedisCache
    from imagegallery.cache.seal import Seal

    shared, floors = RedisCache(redis, Seal(secrets)), Floors(database)
    broadcast = Broadcast(redis, shared)
    changes = GalleryChanges(database, cache, (floors, broadcast))
    background.keep(floors.run, "asking what the database has seen")
    background.keep(partial(broadcast.run, changes.hear_elsewhere), "word of changes through Redis")
    return changes, SecondTier(shared, floors, database, clock, lambda: changes.is_listening)


def make_rates(options: RateOptions, redis: "RedisClient | None", clock: Clock) -> RateLimiter:
    """What counts requests and uploads. Imports what reads files: not for the event loop."""
    if options == RateOptions():
        return UNLIMITED
    from imagegallery.rates.counters import BoundedStorage, WindowCounts

    counts = WindowCounts(BoundedStorage(clock))
    if redis is None:
        return RateLimiter(counts, options)
    from imagegallery.rates.redis import RedisCounts

    return RateLimiter(RedisCounts(redis, counts), options)


def space_of(settings: Settings, *, has_own_store: bool = False) -> Space:
    """The room on our own disk, where it is objects or the embedded database that fill it."""
    holds_objects = settings.storage.s3.bucket is None and not has_own_store
    if not holds_objects and settings.database.dsn is not None:
        return Boundless()
    return DiskSpace(settings.data_dir, settings.storage.disk_reserve, holds_objects)


@frozen
class Jobs:
    """Where jobs are kept; what tells workers of them, unless they ask the database; what the bucket sends."""

    queue: Queue
    outbox: JobOutbox
    relay: JobRelay | None = None
    arrivals: Mailbox | None = None


@asynccontextmanager
async def open_sqs(settings: Settings) -> AsyncIterator["Sqs"]:
    """The SQS of these settings, with the queues they name or without. Raises `ConfigurationError`."""
    try:
        from imagegallery.queue.sqs.connection import Sqs
    except ImportError as error:
        raise _missing("SQS", "sqs") from error
    async with Sqs.open(settings.queue, settings.aws) as sqs:
        yield sqs


@asynccontextmanager
async def open_jobs(settings: Settings, database: Database, clock: Clock) -> AsyncIterator[Jobs]:
    """The queue of these settings: in the database, and dispatched by SQS where a queue of it is named.

    Raises `ConfigurationError`.
    """
    jobs, named = PostgresQueue(database, clock), settings.queue.sqs
    if named.queue_url is None and named.events_url is None:
        yield Jobs(jobs, jobs)
        return
    if named.events_url is not None and settings.storage.s3.bucket is None:
        raise ConfigurationError("queue.sqs.events_url is where a bucket sends its events: set storage.s3.bucket, too.")
    async with open_sqs(settings) as sqs:
        if named.queue_url is None:
            yield Jobs(jobs, jobs, arrivals=sqs.arrivals())
        else:
            queue, relay = sqs.queue(database, jobs, clock)
            yield Jobs(queue, queue, relay, sqs.arrivals())


async def check_parts(settings: Settings, *, works: bool) -> None:
    """Ask the store, Redis and, for who does jobs (``works``), SQS, where they are set, whether they know our secrets.

    Raises `ConfigurationError`, and `Unavailable` for a store that does not answer; the others need not.
    """
    if settings.storage.s3.bucket is not None:
        async with open_store(settings):
            pass
    async with open_redis(settings.redis, utc_now) as redis:
        if redis is not None:
            await redis.check()
    if works and (settings.queue.sqs.queue_url is not None or settings.queue.sqs.events_url is not None):
        async with open_sqs(settings) as sqs:
            await sqs.check_keys()


@asynccontextmanager
async def open_dead_letters(settings: Settings) -> AsyncIterator[KeepsDeadLetters]:
    """The jobs that failed for good: rows of the database, whatever tells workers of jobs."""
    async with open_database(settings) as database, open_clock(database, None, utc_now) as clock:
        yield PostgresQueue(database, clock)


@asynccontextmanager
async def open_attendance(queue: Queue, clock: Clock, health: TaskHealth) -> AsyncIterator[Attendance]:
    """Looks after the queue while this is open."""
    async with Background.running(health) as background:
        attendance = Attendance(queue, clock)
        background.keep(attendance.run, "looking for a worker")
        yield attendance


def _warn_if_open(data_dir: Path) -> None:
    """What is ours in there gets closed; the directory itself may be somebody's for other things, too."""
    if data_dir.is_dir() and folders.is_open(data_dir):
        logger.warning("others of this machine may look into the data directory: chmod 700 %s", data_dir)


@asynccontextmanager
async def open_owners(settings: Settings) -> AsyncIterator[OwnerService]:
    """Owners, for whoever runs the service."""
    async with open_database(settings) as database:
        yield OwnerService(database)


@asynccontextmanager
async def open_parts(
    settings: Settings, brought: Backends, given_clock: Clock | None, local_clock: Clock
) -> AsyncIterator[OpenBackends]:
    async with AsyncExitStack() as stack:
        await anyio.to_thread.run_sync(_warn_if_open, settings.data_dir)
        database = await stack.enter_async_context(open_database(settings))
        await migrate(database)
        health = TaskHealth()
        clock = await stack.enter_async_context(open_clock(database, given_clock, local_clock, health))
        scratch = await stack.enter_async_context(Scratch.open(settings.scratch_dir))
        store = brought.store
        if store is None:
            store = await stack.enter_async_context(open_store(settings, clock))
        downloads = await anyio.to_thread.run_sync(signed_downloads, settings, store, clock)
        urls = await anyio.to_thread.run_sync(private_urls, settings, downloads, clock)
        engine = brought.engine
        if engine is None:
            engine = await stack.enter_async_context(SandboxedEngine.open(settings.imaging))
        redis = await stack.enter_async_context(open_redis(settings.redis, clock))
        cache = MemoryCache(settings.cache.max_bytes, clock) if brought.cache is None else brought.cache
        secrets = () if redis is None else await anyio.to_thread.run_sync(settings.load_secrets)
        pages = await stack.enter_async_context(open_pages(database, cache, clock, redis, secrets, health))
        rates = await anyio.to_thread.run_sync(make_rates, settings.rates, redis, clock)
        if brought.queue is None:
            jobs = await stack.enter_async_context(open_jobs(settings, database, clock))
        else:
            jobs = Jobs(brought.queue, brought.queue)
        attendance = await stack.enter_async_context(open_attendance(jobs.queue, clock, health))
        yield OpenBackends(
            database=database,
            store=store,
            downloads=downloads if isinstance(downloads, ServesDownloads) else None,
            private_urls=urls,
            queue=jobs.queue,
            outbox=jobs.outbox,
            engine=engine,
            scratch=scratch,
            pages=pages,
            rates=rates,
            space=space_of(settings, has_own_store=brought.store is not None),
            clock=clock,
            health=health,
            attendance=attendance,
            relay=jobs.relay,
            arrivals=jobs.arrivals,
        )
