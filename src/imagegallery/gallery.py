"""The composition root: parts (`imagegallery.backends`) become services."""

import importlib.util
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from types import TracebackType
from typing import Final

import anyio
import attrs

from imagegallery.backends import Backends, OpenBackends, open_parts
from imagegallery.background import Background
from imagegallery.cache.protocol import Cache
from imagegallery.clock import Clock, utc_now
from imagegallery.errors import DiskFull, ObjectNotFound, Unavailable
from imagegallery.events.event import event_types
from imagegallery.events.relay import Relay
from imagegallery.events.service import EventService
from imagegallery.feature import Feature
from imagegallery.galleries import feature as galleries
from imagegallery.galleries.service import GalleryService
from imagegallery.images import feature as images
from imagegallery.images.jobs import PURGE_OBJECTS
from imagegallery.images.presentation.urls import ImageUrls
from imagegallery.images.service import ImageService
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.imaging.signature import HEIC_TYPES
from imagegallery.owners.service import OwnerService
from imagegallery.queue.observer import WorkerObserver
from imagegallery.queue.periodic import Periodic, keep_up, once_for_all
from imagegallery.queue.protocol import JobQueue, Queue
from imagegallery.queue.worker import JobHandler, Worker
from imagegallery.settings import Settings
from imagegallery.storage.protocol import ObjectStore
from imagegallery.upkeep.service import UpkeepService
from imagegallery.uploads import feature as uploads
from imagegallery.uploads.bucket_events.arrivals import Arrivals
from imagegallery.uploads.service import UploadService
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.variants import feature as variants
from imagegallery.variants.processing import Processing
from imagegallery.variants.service import VariantService
from imagegallery.webhooks.delivery import DELIVER, DeliverWebhook, WebhookConsumer
from imagegallery.webhooks.service import WebhookService
from imagegallery.webhooks.transport import Sender

# No object is ever stored under it; a store that can say so answers.
READINESS_KEY = "readiness"
# How soon relaying is taken up again after the database, or the message queue, was away.
RELAY_PAUSE = timedelta(seconds=1)

FEATURES: Final[Sequence[Feature]] = (uploads.FEATURE, variants.FEATURE, images.FEATURE, galleries.FEATURE)
EVENT_TYPES: Final = event_types(kind for feature in FEATURES for kind in feature.events)


class ImageGallery:
    """An open image gallery: one object, and a noun for each thing it does.

    ``galleries``, ``images`` and ``uploads`` are services whose every call names its `Principal`; ``pages`` keeps what
    was encoded of galleries for those who ask next; ``rates`` says who has to wait; ``variants`` makes
    variants outside of any gallery, ``events`` tells what happens, ``webhooks`` tells others, ``upkeep`` puts things in
    order; ``owners`` is for whoever runs the service. Opened with `open`, closed when that context ends.
    """

    def __init__(self, settings: Settings, parts: OpenBackends, clock: Clock) -> None:
        self._delivery = delivery = ImageUrls(parts.private_urls, settings.delivery, clock)
        self.settings = settings
        self.store = parts.store
        self.downloads = parts.downloads
        self.queue: Queue = parts.queue
        self.galleries = GalleryService(parts.database, delivery, clock)
        self.pages = parts.pages
        self.rates = parts.rates
        self.images = ImageService(
            parts.database,
            parts.outbox,
            delivery,
            clock,
            ladder=settings.variants.ladder,
            trash=settings.trash,
        )
        self.uploads = UploadService(
            parts.database,
            parts.store,
            parts.engine,
            parts.outbox,
            parts.scratch,
            self.images,
            _decodable(settings.uploads),
            clock,
            parts.rates,
            parts.space,
        )
        self.owners = OwnerService(parts.database)
        self.variants = VariantService(parts.engine, settings.variants.all_presets)
        self.upkeep = UpkeepService(parts.database, parts.store, parts.outbox, settings.variants.all_presets, clock)
        self.events = EventService(parts.database, EVENT_TYPES, settings.events, clock)
        self._sender = Sender(settings.webhooks.timeout, settings.webhooks.allow_private)
        self.webhooks = WebhookService(parts.database, self._sender, EVENT_TYPES, settings.webhooks, clock)
        self._parts = parts
        self._is_retiring = False
        self._clock = clock

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        store: ObjectStore | None = None,
        queue: JobQueue | None = None,
        cache: Cache | None = None,
        engine: ImagingEngine | None = None,
        worker: bool = False,
        clock: Clock | None = None,
        local_clock: Clock = utc_now,
    ) -> "OpenGallery":
        """An async context manager: starts or connects to what the settings name, and brings the schema up to date.

        A ``store``, ``queue``, ``cache`` or ``engine`` of the application's own takes the place of what the settings
        name, and stays the application's to close; the suites in `imagegallery.testing` prove one. ``cache`` keeps
        pages for this process; Redis, where it is set, stands behind it.

        With ``worker`` this process does the queued jobs, too, for as long as the gallery is open: without one,
        somewhere, no variants are made. It begins at once, and so knows none of the application's own event handlers;
        for those, register them and then enter `worker`.

        Without a ``clock`` it goes by the database server's time, as all its processes do: ``local_clock`` corrected by
        how far it is off (`imagegallery.database.clock`).

        Raises `ConfigurationError` when the settings cannot work and `Unavailable` when a part does not answer.
        """
        return OpenGallery(settings, Backends(store, queue, cache, engine), clock, local_clock, has_worker=worker)

    def retire(self) -> None:
        """From now on `ready` says no, while everything else works on: load balancers are to look elsewhere before
        this process stops."""
        self._is_retiring = True

    async def warnings(self) -> Sequence[str]:
        """What whoever runs the service had better see to, while it works on."""
        found = list(self._parts.attendance.warnings)
        try:
            await self._parts.space.check()
        except DiskFull as error:
            found.append(error.message)
        return found

    async def ready(self) -> None:
        """Raises `Unavailable` if the database or the store does not answer, while a task that has to go on in the
        background keeps failing, and after `retire`."""
        if self._is_retiring:
            raise Unavailable("This process is about to stop.")
        await self._parts.database.ping()
        with suppress(ObjectNotFound):
            await self.store.head(READINESS_KEY)
        if failing := self._parts.health.failing:
            raise Unavailable(f"This keeps failing: {', '.join(failing)}.")

    @property
    def task_failures(self) -> Mapping[str, int]:
        """How often which of the tasks that go on in the background failed, and were begun again."""
        return self._parts.health.failures

    def make_worker(self, observer: WorkerObserver | None = None) -> Worker:
        """A worker over this gallery's queue; its ``run`` works until ``stop`` is called or it is cancelled."""
        return Worker(
            self._parts.queue,
            self._handlers(),
            self.settings.queue,
            self._clock,
            periodic=self._periodic(),
            observer=observer,
            apart={DELIVER: self.settings.webhooks.max_at_once},
        )

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """A worker in this process while the context is open; on leaving it finishes or hands back what it holds."""
        worker = self.make_worker()
        async with Background.running(self._parts.health) as background:
            await background.start(worker.run, "working")
            try:
                yield worker
            finally:
                worker.stop()
                await worker.stopped()

    async def relay(self) -> None:
        """Pass events and jobs on to the workers until cancelled, through outages of any part. Every worker does so,
        too, unless ``queue.relay_in_worker`` is off; any number may, at once."""
        async with anyio.create_task_group() as tasks:
            for task in self._relays():
                tasks.start_soon(keep_up, task)

    def _handlers(self) -> Mapping[str, JobHandler]:
        parts = self._parts
        processing = Processing(
            parts.database,
            parts.store,
            parts.queue,
            parts.outbox,
            parts.engine,
            parts.scratch,
            self.settings.variants,
            self._delivery,
            self._clock,
        )
        deliveries = DeliverWebhook(
            parts.database, parts.queue, parts.outbox, self._sender, EVENT_TYPES, self.settings.webhooks, self._clock
        )
        return {
            **processing.handlers(),
            PURGE_OBJECTS: PurgeObjects(parts.database, parts.store),
            **deliveries.handlers(),
            **self.events.job_handlers(),
        }

    def _periodic(self) -> Sequence[Periodic]:
        interval = self.settings.upkeep_interval
        upkeep = [
            Periodic("expired uploads", interval, self._sweep_uploads),
            Periodic("expired trash", interval, self._sweep_trash),
            Periodic("old events", interval, self._prune_events),
        ]
        tasks = [once_for_all(task, self._parts.database, self._clock) for task in upkeep]
        if self.settings.queue.relay_in_worker:
            tasks += self._relays()
        return [*tasks, *self._arrivals()]

    def _relays(self) -> Sequence[Periodic]:
        parts = self._parts
        consumers = [WebhookConsumer(), *self.events.consumers()]
        events = Relay(parts.database, parts.outbox, EVENT_TYPES, consumers, self._clock)
        relays = [Periodic("relaying events", RELAY_PAUSE, events.run)]
        if parts.relay is not None:
            relays.append(Periodic("relaying jobs", RELAY_PAUSE, parts.relay.run))
        return relays

    def _arrivals(self) -> Sequence[Periodic]:
        mailbox, s3 = self._parts.arrivals, self.settings.storage.s3
        if mailbox is None or s3.bucket is None:
            return []
        arrivals = Arrivals(mailbox, self.uploads, bucket=s3.bucket, prefix=s3.prefix)
        return [Periodic("uploads that arrived", RELAY_PAUSE, arrivals.run)]

    async def _prune_events(self) -> None:
        await self.events.prune()

    async def _sweep_uploads(self) -> None:
        await self.uploads.sweep()

    async def _sweep_trash(self) -> None:
        await self.images.trash.sweep()


def _decodable(policy: UploadPolicy) -> UploadPolicy:
    """The policy less the types whose decoder is not installed: better refused at the start than after the upload."""
    if importlib.util.find_spec("pillow_heif") is not None:
        return policy
    return attrs.evolve(policy, allowed_types=tuple(each for each in policy.allowed_types if each not in HEIC_TYPES))


class OpenGallery(AbstractAsyncContextManager[ImageGallery]):
    """What `ImageGallery.open` answers: ``async with`` it, or give its `lifespan` to an ASGI host.

    It may be made, and handed to `imagegallery_asgi.create_app`, long before it is opened: `gallery` is there from
    then on. Opened again after it was closed, it is a new gallery; once at a time.
    """

    def __init__(
        self, settings: Settings, brought: Backends, clock: Clock | None, local_clock: Clock, *, has_worker: bool
    ) -> None:
        self._settings = settings
        self._brought = brought
        self._clock = clock
        self._local_clock = local_clock
        self._has_worker = has_worker
        self._stack = AsyncExitStack()
        self._gallery: ImageGallery | None = None

    @property
    def gallery(self) -> ImageGallery:
        """The gallery, while it is open. Raises `RuntimeError` before and after."""
        if self._gallery is None:
            raise RuntimeError("The gallery is not open: open it in the lifespan of the application.")
        return self._gallery

    async def __aenter__(self) -> ImageGallery:
        if self._gallery is not None:
            raise RuntimeError("The gallery is open already.")
        opening = open_parts(self._settings, self._brought, self._clock, self._local_clock)
        parts = await self._stack.enter_async_context(opening)
        self._gallery = ImageGallery(self._settings, parts, parts.clock)
        if self._has_worker:
            await self._stack.enter_async_context(self._gallery.worker())
        return self._gallery

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if self._gallery is not None:
            self._gallery.events.close()
        self._gallery = None
        return await self._stack.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[dict[str, ImageGallery]]:
        """An ASGI lifespan (Starlette, FastAPI): the open gallery as the ``imagegallery`` of the request's state."""
        async with self as gallery:
            yield {"imagegallery": gallery}
