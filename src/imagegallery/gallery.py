"""The composition root: settings become parts, parts become services. Nothing else imports the adapters."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import TracebackType

import anyio
import attrs
from attrs import frozen

from imagegallery.clock import Clock, utc_now
from imagegallery.database.embedded import EmbeddedPostgres
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database
from imagegallery.galleries.service import GalleryService
from imagegallery.images.delivery import Delivery
from imagegallery.images.jobs import PURGE_OBJECTS
from imagegallery.images.purge import PurgeObjects
from imagegallery.images.service import ImageService
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.imaging.sandbox import SandboxedEngine
from imagegallery.queue.observer import WorkerObserver
from imagegallery.queue.periodic import Periodic
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.protocol import Queue
from imagegallery.queue.worker import JobHandler, Worker
from imagegallery.settings import Settings
from imagegallery.storage.filesystem import FilesystemStore
from imagegallery.storage.protocol import ObjectStore
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.signing import UrlSigner
from imagegallery.uploads.service import UploadService
from imagegallery.variants.processing import Processing
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
async def open_renderer(settings: Settings) -> AsyncIterator[VariantService]:
    """Making variants in a folder, with nothing but the imaging engine."""
    async with SandboxedEngine.open(settings.imaging) as engine:
        yield VariantService(engine, settings.variants.presets)


@frozen
class _Parts:
    """The adapters in use, chosen by the settings; services get them as the protocols they are."""

    database: Database
    store: ObjectStore
    queue: PostgresQueue
    engine: ImagingEngine
    scratch: Scratch


@asynccontextmanager
async def _open_parts(settings: Settings, clock: Clock) -> AsyncIterator[_Parts]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        await migrate(database)
        scratch = await stack.enter_async_context(Scratch.open(settings.scratch_dir))
        secret = await anyio.to_thread.run_sync(settings.load_secret)
        store = await stack.enter_async_context(FilesystemStore(settings.objects_dir, UrlSigner(secret, clock), clock))
        engine = await stack.enter_async_context(SandboxedEngine.open(settings.imaging))
        yield _Parts(database, store, PostgresQueue(database, settings.queue, clock), engine, scratch)


class ImageGallery:
    """An open image gallery: one object, and a noun for each thing it does.

    ``galleries``, ``images`` and ``uploads`` are services whose every call names its `Principal`; ``variants`` makes
    variants outside of any gallery. Opened with `open`, closed when that context ends.
    """

    def __init__(self, settings: Settings, parts: _Parts, clock: Clock) -> None:
        delivery = Delivery(parts.store, settings.delivery, clock)
        self.settings = settings
        self.store = parts.store
        self.queue: Queue = parts.queue
        self.galleries = GalleryService(parts.database, delivery, clock)
        self.images = ImageService(
            parts.database,
            parts.queue,
            delivery,
            clock,
            ladder=settings.variants.ladder,
        )
        self.uploads = UploadService(
            parts.database,
            parts.store,
            parts.engine,
            parts.queue,
            parts.scratch,
            self.images,
            settings.uploads,
            clock,
        )
        self.variants = VariantService(parts.engine, settings.variants.presets)
        self._parts = parts
        self._clock = clock

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock = utc_now) -> "OpenGallery":
        """An async context manager: starts or connects to what the settings name, and brings the schema up to date.

        Raises `ConfigurationError` when the settings cannot work and `Unavailable` when a part does not answer.
        """
        return OpenGallery(settings, clock)

    async def ready(self) -> None:
        """Raises `Unavailable` if the database or the store does not answer."""
        await self._parts.database.ping()

    def make_worker(self, observer: WorkerObserver | None = None) -> Worker:
        """A worker over this gallery's queue; its ``run`` works until ``stop`` is called or it is cancelled."""
        return Worker(
            self._parts.queue,
            self._handlers(),
            self.settings.queue,
            self._clock,
            periodic=[Periodic("expired uploads", self.settings.upkeep_interval, self._sweep_uploads)],
            observer=observer,
        )

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """A worker in this process while the context is open; on leaving it finishes or hands back what it holds."""
        worker = self.make_worker()
        async with anyio.create_task_group() as tasks:
            await tasks.start(worker.run)
            try:
                yield worker
            finally:
                worker.stop()

    def _handlers(self) -> Mapping[str, JobHandler]:
        parts = self._parts
        processing = Processing(
            parts.database,
            parts.store,
            parts.queue,
            parts.queue,
            parts.engine,
            parts.scratch,
            self.settings.variants,
            self._clock,
        )
        return {**processing.handlers(), PURGE_OBJECTS: PurgeObjects(parts.store)}

    async def _sweep_uploads(self) -> None:
        await self.uploads.sweep()


class OpenGallery(AbstractAsyncContextManager[ImageGallery]):
    """What `ImageGallery.open` answers: ``async with`` it, or give its `lifespan` to an ASGI host."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> ImageGallery:
        parts = await self._stack.enter_async_context(_open_parts(self._settings, self._clock))
        return ImageGallery(self._settings, parts, self._clock)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[dict[str, ImageGallery]]:
        """An ASGI lifespan (Starlette, FastAPI): the open gallery as the ``imagegallery`` of the request's state."""
        async with self as gallery:
            yield {"imagegallery": gallery}
