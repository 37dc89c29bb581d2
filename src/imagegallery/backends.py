"""From settings to adapters: the one place that chooses and imports them.

An adapter from an extra is imported when it is chosen. First what commands open alone, finally `open_resources`, which
opens everything for a gallery.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

import anyio
import attrs
from attrs import frozen

from imagegallery.administration.dead_jobs import DeadJobs
from imagegallery.administration.policy_history import PolicyHistory
from imagegallery.audit.service import AuditService
from imagegallery.cache.floors import Floors
from imagegallery.cache.generations import GalleryChanges
from imagegallery.cache.memory import MemoryCache
from imagegallery.cache.protocol import Cache
from imagegallery.cache.stale_while_revalidate import RevalidatingCache
from imagegallery.cache.tiers import SecondTier
from imagegallery.clock import Clock, utc_now
from imagegallery.common import folders
from imagegallery.common.background import Background, TaskHealth
from imagegallery.common.extras import install_hint
from imagegallery.database.clock import DatabaseClock
from imagegallery.database.embedded.server import EmbeddedPostgres
from imagegallery.database.migrate import migrate
from imagegallery.database.namespace import PUBLIC
from imagegallery.database.pool import Database
from imagegallery.delivery.addresses import StoreUrls
from imagegallery.delivery.cookies import OwnCookies
from imagegallery.delivery.protocol import FolderCookies, ObjectUrls
from imagegallery.errors import ConfigurationError
from imagegallery.feature import ByClass, Feature, Resources, event_types
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.imaging.sandbox.engine import SandboxedEngine
from imagegallery.imaging.sandbox.wire import Wall
from imagegallery.imaging.signature import HEIC_TYPES
from imagegallery.owners.service import OwnerService
from imagegallery.policies.admin_policy import AdminPolicy
from imagegallery.policies.in_force import PolicyInForce
from imagegallery.queue.attendance import Attendance
from imagegallery.queue.dispatch.relay import JobRelay
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import JobQueue, Mailbox
from imagegallery.rates.limiter import Counts, RateLimiter
from imagegallery.redis.options import RedisOptions
from imagegallery.settings import Settings
from imagegallery.sharing.register import ShareRegister
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ObjectStore, ServesDownloads, SignsDownloads
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.signed_downloads import SignedDownloads
from imagegallery.storage.space import DiskSpace, Space, UnlimitedSpace
from imagegallery.variants.service import VariantService

if TYPE_CHECKING:
    from imagegallery.queue.sqs.connection import Sqs
    from imagegallery.redis.client import RedisClient
    from imagegallery.storage.s3.setup import SetupStep

logger = logging.getLogger(__name__)


@contextmanager
def _from_extra(extra: str, what: str) -> Iterator[None]:
    """Import what needs an extra. Raises `ConfigurationError` if it is not installed."""
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(f"{what} needs more than is installed: {install_hint(extra)}") from error


# --- database and clock ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def running_database(settings: Settings) -> AsyncIterator[Settings]:
    """Yield the settings with a working DSN: the given one, or the embedded server's while this is open."""
    if settings.database.dsn is not None:
        yield settings
        return
    async with EmbeddedPostgres.running(settings.postgres_dir) as dsn:
        yield attrs.evolve(settings, database=attrs.evolve(settings.database, dsn=dsn))


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database, migrated or not."""
    async with running_database(settings) as ready, Database.connect(ready.database) as database:
        yield database


@asynccontextmanager
async def open_owners(settings: Settings) -> AsyncIterator[tuple[OwnerService, AdminPolicy]]:
    """Open the owners, and the policy that holds for all of them, for operators of the service."""
    async with open_database(settings) as database, Background.running() as background:
        clock = await _clock_of(database, utc_now, background)
        yield OwnerService(database, clock), (await (await _history(settings, database, clock)).current()).in_force


@asynccontextmanager
async def open_shares(settings: Settings) -> AsyncIterator[ShareRegister]:
    """Open everybody's shares, for operators of the service."""
    async with open_database(settings) as database, Background.running() as background:
        yield ShareRegister(database, await _clock_of(database, utc_now, background))


@asynccontextmanager
async def open_audit(settings: Settings) -> AsyncIterator[AuditService]:
    """Open the audit, for operators of the service."""
    async with open_database(settings) as database, Background.running() as background:
        yield AuditService(database, settings.audit, await _clock_of(database, utc_now, background))


@asynccontextmanager
async def open_policy_history(settings: Settings) -> AsyncIterator[PolicyHistory]:
    """Open what administrators say, for operators of the service."""
    async with open_database(settings) as database, Background.running() as background:
        yield await _history(settings, database, await _clock_of(database, utc_now, background))


async def _history(settings: Settings, database: Database, clock: Clock) -> PolicyHistory:
    return PolicyHistory(database, await anyio.to_thread.run_sync(settings_policy, settings), clock)


@asynccontextmanager
async def open_dead_letters(settings: Settings) -> AsyncIterator[DeadJobs]:
    """Open the jobs that failed permanently, for operators of the service: rows of the database, whatever notifies
    workers."""
    async with open_database(settings) as database, Background.running() as background:
        yield DeadJobs(database, await _clock_of(database, utc_now, background))


async def _clock_of(database: Database, local: Clock, background: Background) -> Clock:
    """The database's time, which all processes share, updated in the background."""
    clock = await DatabaseClock.measured(database, local)
    await background.start(clock.run, "following the database's clock")
    return clock


# --- objects ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def open_store(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[ObjectStore]:
    """Open the object store: a bucket if the settings name one, otherwise the filesystem."""
    if settings.storage.s3.bucket is not None:
        with _from_extra("s3", "storage.s3.bucket"):
            from imagegallery.storage.s3.store import S3Store
        async with S3Store.open(settings.storage.s3, settings.aws, clock) as bucket:
            yield bucket
        return
    signer = await anyio.to_thread.run_sync(_url_signer, settings, clock)
    base = settings.delivery.base_url or ""
    async with FilesystemStore(settings.objects_dir, signer, clock, base_url=base) as store:
        yield store


def _url_signer(settings: Settings, clock: Clock) -> UrlSigner:
    secret, *older = settings.load_secrets()
    return UrlSigner(secret, clock, older)


async def set_up_storage(
    settings: Settings,
    origins: tuple[str, ...],
    days: int,
    versions_days: int | None = None,
    *,
    create: bool,
    dry_run: bool,
) -> AsyncGenerator["SetupStep", None]:
    """See `imagegallery.storage.s3.setup`. Raises `ConfigurationError` if no bucket is named."""
    if settings.storage.s3.bucket is None:
        raise ConfigurationError("Objects are files here, and need no set-up; for a bucket set `storage.s3.bucket`.")
    with _from_extra("s3", "storage.s3.bucket"):
        from imagegallery.storage.s3.rules import BucketRules
        from imagegallery.storage.s3.setup import set_up
    rules = BucketRules(settings.storage.s3.prefix, days, origins, versions_days)
    async for step in set_up(settings.storage.s3, settings.aws, rules, create=create, dry_run=dry_run):
        yield step


async def store_keeps_deleted(settings: Settings) -> bool:
    """Whether the bucket keeps versions of deleted objects forever. Raises `ConfigurationError`."""
    with _from_extra("s3", "storage.s3.bucket"):
        from imagegallery.storage.s3.connection import connect
        from imagegallery.storage.s3.setup import keeps_deleted
    async with connect(settings.storage.s3, settings.aws) as connection:
        return await keeps_deleted(connection.bucket)


def _signed_downloads(settings: Settings, store: ObjectStore, clock: Clock) -> SignsDownloads:
    """The store, if it signs downloads itself, otherwise our own URLs over it. May read the secret's file: not for
    the event loop."""
    if isinstance(store, SignsDownloads):
        return store
    return SignedDownloads(store, _url_signer(settings, clock), settings.delivery.base_url or "")


def private_urls(settings: Settings, downloads: SignsDownloads, clock: Clock) -> ObjectUrls:
    """The URLs of private objects. Reads key files: not for the event loop. Raises `ConfigurationError`."""
    if settings.delivery.cloudfront.url is None:
        return StoreUrls(downloads)
    if settings.storage.s3.bucket is None:
        raise ConfigurationError("delivery.cloudfront.url serves a bucket: set storage.s3.bucket, too.")
    with _from_extra("s3", "CloudFront"):
        from imagegallery.delivery.cloudfront import CloudFrontUrls
    return CloudFrontUrls(settings.delivery.cloudfront, clock)


def folder_cookies(settings: Settings, clock: Clock) -> tuple[FolderCookies, OwnCookies]:
    """What is given to clients, and what is read of those that come to us. Reads files: not for the event loop."""
    own = OwnCookies(_url_signer(settings, clock), settings.delivery.base_url or "")
    if settings.delivery.cloudfront.galleries_url is None:
        return own, own
    with _from_extra("s3", "CloudFront"):
        from imagegallery.delivery.cloudfront import CloudFrontCookies
    return CloudFrontCookies(settings.delivery.cloudfront, clock), own


def space_of(settings: Settings, *, has_own_store: bool = False) -> Space:
    """The space on our own disk, if objects or the embedded database use it."""
    holds_objects = settings.storage.s3.bucket is None and not has_own_store
    if not holds_objects and settings.database.dsn is not None:
        return UnlimitedSpace()
    return DiskSpace(settings.data_dir, settings.storage.disk_reserve, holds_objects)


# --- imaging ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def open_renderer(settings: Settings) -> AsyncIterator[VariantService]:
    """Open what makes variants in a folder, with only the imaging engine."""
    async with SandboxedEngine.open(settings.imaging) as engine:
        yield VariantService(engine, settings.variants.all_presets)


async def decoder_walls(settings: Settings) -> frozenset[Wall]:
    """The walls between a decoder and this machine: see `imagegallery.imaging.sandbox.confinement`."""
    async with SandboxedEngine.open(settings.imaging) as engine:
        return await engine.walls()


# --- Redis, and what may do without ----------------------------------------------------------------------------------


@asynccontextmanager
async def open_redis(options: RedisOptions, clock: Clock) -> AsyncIterator["RedisClient | None"]:
    """Open a client of Redis, if the settings name one, which need not be running. Raises `ConfigurationError`."""
    if options.url is None:
        yield None
        return
    with _from_extra("redis", "Redis"):
        from imagegallery.redis.client import RedisClient
    async with RedisClient.open(options, clock) as client:
        yield client


def _apart(options: RedisOptions, database: Database) -> RedisOptions:
    """The same for this gallery alone, as the galleries of one database may share a server."""
    schema = database.namespace.schema
    return options if schema == PUBLIC else attrs.evolve(options, prefix=f"{options.prefix}:{schema}")


def cache_parts(
    database: Database,
    cache: Cache,
    clock: Clock,
    redis: "RedisClient | None",
    secrets: Sequence[bytes],
    background: Background,
) -> tuple[GalleryChanges, SecondTier | None]:
    """The listener for changes, and the tier behind this process's cache, if any, whose entries are sealed with
    ``secrets``."""
    if redis is None:
        return GalleryChanges(database, cache), None
    from imagegallery.cache.broadcast import Broadcast
    from imagegallery.cache.redis import RedisCache
    from imagegallery.cache.seal import Seal

    shared, floors = RedisCache(redis, Seal(secrets)), Floors(database)
    broadcast = Broadcast(redis, shared)
    changes = GalleryChanges(database, cache, (floors, broadcast))
    background.keep(floors.run, "asking what the database has seen")
    background.keep(partial(broadcast.run, changes.note_change), "word of changes through Redis")
    return changes, SecondTier(shared, floors, database, clock, lambda: changes.is_listening)


def _counts(redis: "RedisClient | None", clock: Clock) -> Counts:
    """The counts of requests and uploads. Imports modules that read files: not for the event loop."""
    from imagegallery.rates.counters import BoundedStorage, WindowCounts

    counts = WindowCounts(BoundedStorage(clock))
    if redis is None:
        return counts
    from imagegallery.rates.redis import RedisCounts

    return RedisCounts(redis, counts)


def decodable(types: tuple[str, ...]) -> tuple[str, ...]:
    """Those whose decoder is installed: better refused at the start than after the upload. May read files: not for the
    event loop."""
    if find_spec("pillow_heif") is not None:
        return types
    return tuple(each for each in types if each not in HEIC_TYPES)


def settings_policy(settings: Settings) -> AdminPolicy:
    """What holds while administrators say nothing. May read files: not for the event loop."""
    uploads, rates, others = settings.uploads, settings.rates, settings.administration
    return AdminPolicy(
        allowed_types=decodable(uploads.allowed_types),
        max_size=uploads.max_size,
        storage_limit=uploads.storage_limit,
        visitor_rate=rates.visitors,
        user_rate=rates.users,
        upload_rate=rates.uploads,
        **attrs.asdict(others),
    )


# --- jobs ------------------------------------------------------------------------------------------------------------

# The queue; what notifies workers, unless they poll the database; and the bucket's messages.
Jobs: TypeAlias = tuple[JobQueue, JobRelay | None, Mailbox | None]


@asynccontextmanager
async def open_sqs(settings: Settings) -> AsyncIterator["Sqs"]:
    """Open SQS, with or without queues. Raises `ConfigurationError`."""
    with _from_extra("sqs", "SQS"):
        from imagegallery.queue.sqs.connection import Sqs
    async with Sqs.open(settings.queue, settings.aws) as sqs:
        yield sqs


@asynccontextmanager
async def open_jobs(settings: Settings, database: Database, clock: Clock) -> AsyncIterator[Jobs]:
    """Open the queue: in the database, and dispatched by SQS if the settings name a queue of it.

    Raises `ConfigurationError`.
    """
    jobs, named = PostgresQueue(database, clock), settings.queue.sqs
    if named.queue_url is None and named.events_url is None:
        yield jobs, None, None
        return
    if named.events_url is not None and settings.storage.s3.bucket is None:
        raise ConfigurationError("queue.sqs.events_url is where a bucket sends its events: set storage.s3.bucket, too.")
    async with open_sqs(settings) as sqs:
        yield (*((jobs, None) if named.queue_url is None else sqs.queue(database, jobs, clock)), sqs.arrivals())


# --- all of it -------------------------------------------------------------------------------------------------------


async def check_parts(settings: Settings, *, works: bool) -> None:
    """Check that the store, Redis and, for workers (``works``), SQS accept our secrets.

    Raises `ConfigurationError`, and `Unavailable` for a store that does not respond; the others need not be running.
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


@frozen
class Backends:
    """What an application brings, and closes itself. ``None``: the settings choose."""

    store: ObjectStore | None = None
    queue: JobQueue | None = None
    cache: Cache | None = None
    engine: ImagingEngine | None = None


@asynccontextmanager
async def open_resources(
    settings: Settings,
    brought: Backends,
    features: Sequence[Feature],
    registered: ByClass,
    given_clock: Clock | None,
    local_clock: Clock,
) -> AsyncIterator[Resources]:
    """Open everything that a gallery's features work with, and migrate the schema."""
    health = TaskHealth()
    async with AsyncExitStack() as stack:
        enter, in_thread = stack.enter_async_context, anyio.to_thread.run_sync
        await in_thread(_warn_if_open, settings)
        database = await enter(open_database(settings))
        await migrate(database)
        clock = given_clock
        if clock is None:
            clock = await _clock_of(database, local_clock, await enter(Background.running(health)))

        scratch = await enter(Scratch.open(settings.scratch_dir))
        store = brought.store
        if store is None:
            store = await enter(open_store(settings, clock))
        downloads = await in_thread(_signed_downloads, settings, store, clock)
        urls = await in_thread(private_urls, settings, downloads, clock)
        given_cookies, own_cookies = await in_thread(folder_cookies, settings, clock)
        engine = brought.engine
        if engine is None:
            engine = await enter(SandboxedEngine.open(settings.imaging))
        if brought.queue is None:
            queue, relay, arrivals = await enter(open_jobs(settings, database, clock))
        else:
            queue, relay, arrivals = brought.queue, None, None

        redis = await enter(open_redis(_apart(settings.redis, database), clock))
        secrets = () if redis is None else await in_thread(settings.load_secrets)
        counts = await in_thread(_counts, redis, clock)
        cache = MemoryCache(settings.cache.max_bytes, clock) if brought.cache is None else brought.cache

        background = await enter(Background.running(health))  # the last one: it ends before what it works with
        changes, second_tier = cache_parts(database, cache, clock, redis, secrets, background)
        policy = PolicyInForce(database, changes, await in_thread(settings_policy, settings), clock)
        await background.start(changes.run, "listening for changes of galleries")
        await policy.get()
        attendance = Attendance(queue, clock)
        background.keep(attendance.run, "looking for a worker")

        yield Resources(
            features=features,
            event_types=event_types(features),
            options=options_of(settings, features),
            upkeep_interval=settings.upkeep_interval,
            database=database,
            store=store,
            downloads=downloads if isinstance(downloads, ServesDownloads) else None,
            private_urls=urls,
            folder_cookies=given_cookies,
            own_cookies=own_cookies,
            queue=queue,
            outbox=queue,
            relay=relay,
            arrivals=arrivals,
            engine=engine,
            scratch=scratch,
            kept=RevalidatingCache(cache, background, clock, second_tier),
            changes=changes,
            rates=RateLimiter(counts, settings.rates, policy),
            policy=policy,
            space=space_of(settings, has_own_store=brought.store is not None),
            clock=clock,
            health=health,
            attendance=attendance,
            registered=registered,
        )


def _warn_if_open(settings: Settings) -> None:
    """Our files in there are private; the directory itself may be shared."""
    path = settings.data_dir
    if path.is_dir() and folders.is_open(path):
        logger.warning("others of this machine may look into the data directory: chmod 700 %s", path)


def options_of(settings: Settings, features: Sequence[Feature]) -> ByClass:
    """The options of all features: from the settings, or their defaults."""
    groups = [value for name in attrs.fields_dict(type(settings)) if attrs.has(type(value := getattr(settings, name)))]
    options = ByClass(*groups)
    for feature in features:
        if feature.options is not None and feature.options not in options:
            options.add(feature.options())
    return options
