"""The composition root: a gallery's features, over the adapters that `imagegallery.backends` opens."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, TypeAlias, TypeVar

from imagegallery.access.authority import May
from imagegallery.administration import feature as administration
from imagegallery.administration.service import AdministrationService
from imagegallery.analyses import feature as analyses
from imagegallery.audit import feature as audit
from imagegallery.audit.service import AuditService
from imagegallery.backends import Backends, open_resources
from imagegallery.cache.protocol import Cache
from imagegallery.clock import Clock, utc_now
from imagegallery.common.attribute import AttributeOf
from imagegallery.common.background import Background
from imagegallery.common.task_context import TaskContext
from imagegallery.contributions import feature as contributions
from imagegallery.contributions.service import ContributionService
from imagegallery.errors import ConfigurationError, DiskFull, ObjectNotFound, Unavailable
from imagegallery.events import feature as events
from imagegallery.events.event import EventTypes
from imagegallery.events.service import EventService
from imagegallery.feature import Feature, Resources, event_types
from imagegallery.galleries import feature as galleries
from imagegallery.galleries.service import GalleryService
from imagegallery.images import feature as images
from imagegallery.images.duplicates import feature as duplicates
from imagegallery.images.service import ImageService
from imagegallery.images.trash import feature as trash
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.owners import feature as owners
from imagegallery.owners.service import OwnerService
from imagegallery.policies.policy import Policy, check_policy_name
from imagegallery.privacy import feature as privacy
from imagegallery.privacy.erasure_service import ErasureService
from imagegallery.privacy.export_service import ExportService
from imagegallery.queue.eager import EagerJobs
from imagegallery.queue.protocol import JobQueue
from imagegallery.queue.worker import Worker
from imagegallery.registry import Registers, Registry
from imagegallery.server_parts import ServerParts
from imagegallery.settings import Settings, load_feature
from imagegallery.sharing import feature as sharing
from imagegallery.sharing.service import ShareService
from imagegallery.storage.protocol import ObjectStore
from imagegallery.upkeep import feature as upkeep
from imagegallery.upkeep.service import UpkeepService
from imagegallery.uploads import feature as uploads
from imagegallery.uploads.service import UploadService
from imagegallery.variants import feature as variants
from imagegallery.variants.service import VariantService
from imagegallery.webhooks import feature as webhooks
from imagegallery.webhooks.service import WebhookService

# Asked in this order: a later one finds the services of earlier ones.
FEATURES: Final[Sequence[Feature]] = (
    analyses.FEATURE,
    variants.FEATURE,
    images.FEATURE,
    trash.FEATURE,
    duplicates.FEATURE,
    contributions.FEATURE,
    uploads.FEATURE,
    galleries.FEATURE,
    sharing.FEATURE,
    owners.FEATURE,
    administration.FEATURE,
    events.FEATURE,
    audit.FEATURE,
    webhooks.FEATURE,
    privacy.FEATURE,
    upkeep.FEATURE,
)
EVENT_TYPES: Final = event_types(FEATURES)
# No object is ever stored under this key; a response shows that the store is reachable.
READINESS_KEY: Final = "readiness"
NO_POLICIES: Final[Mapping[str, Policy]] = MappingProxyType({})
T = TypeVar("T")


class ImageGallery(Registers):
    """An open image gallery: one object, with a noun for each thing it does.

    Every call of ``galleries``, ``images``, ``uploads`` and ``shares`` names its `Principal`. ``variants`` makes
    variants outside of any gallery, ``events`` publishes events, ``webhooks`` sends them to other services, ``audit``
    tells who did what that matters for security, ``contributions`` are what others add by shares, ``exports`` tell
    owners all that is kept of them, ``erasures`` delete it, ``upkeep`` repairs inconsistencies, ``owners`` is for
    operators of the service, and ``server`` for those who serve it to others. Made by `open`, closed with that context.
    """

    settings = AttributeOf(Settings)
    galleries = AttributeOf(GalleryService)
    images = AttributeOf(ImageService)
    uploads = AttributeOf(UploadService)
    shares = AttributeOf(ShareService)
    owners = AttributeOf(OwnerService)
    variants = AttributeOf(VariantService)
    upkeep = AttributeOf(UpkeepService)
    events = AttributeOf(EventService)
    webhooks = AttributeOf(WebhookService)
    exports = AttributeOf(ExportService)
    erasures = AttributeOf(ErasureService)
    audit = AttributeOf(AuditService)
    administration = AttributeOf(AdministrationService)
    contributions = AttributeOf(ContributionService)
    server = AttributeOf(ServerParts)

    def __init__(self, settings: Settings, resources: Resources, registry: Registry) -> None:
        self.settings = settings
        self._resources = resources
        self._registry = registry
        self._workers: set[Worker] = set()
        for feature in resources.features:
            for service in feature.services(resources):
                resources.services.add(service)
        self.galleries = self.service(GalleryService)
        self.images = self.service(ImageService)
        self.uploads = self.service(UploadService)
        self.shares = self.service(ShareService)
        self.owners = self.service(OwnerService)
        self.variants = self.service(VariantService)
        self.upkeep = self.service(UpkeepService)
        self.events = self.service(EventService)
        self.webhooks = self.service(WebhookService)
        self.exports = self.service(ExportService)
        self.erasures = self.service(ErasureService)
        self.audit = self.service(AuditService)
        self.administration = self.service(AdministrationService)
        self.contributions = self.service(ContributionService)
        self.server = ServerParts(resources, settings.queue)

    @classmethod
    def define(
        cls,
        settings: "GivenSettings" = None,
        *,
        store: ObjectStore | None = None,
        queue: JobQueue | None = None,
        cache: Cache | None = None,
        engine: ImagingEngine | None = None,
        features: Sequence[Feature] = (),
        policies: Mapping[str, Policy] = NO_POLICIES,
        authorize: May | None = None,
    ) -> "Definition":
        """Define a gallery where code is written: any module registers the application's functions with it, and it
        is opened later, as often as needed.

        Args:
            settings: Or a function that returns them, called by `Definition.open`, or nothing: then they are given
                there, or read from the environment.
            store: An object store of the application's own, which the application closes, as the next three. The suites
                in `imagegallery.testing` test them.
            queue: A queue of the application's own.
            cache: A cache of pages for this process, of the application's own. Redis, if configured, is behind it.
            engine: An imaging engine of the application's own.
            features: The application's own, in addition to those of the settings and those of every gallery.
            policies: Named policies of uploads; settings with the same name stand before them.
            authorize: See `Registers.authorize`.

        Raises:
            ConfigurationError: For a name that no policy may have.
        """
        definition = Definition(settings, Backends(store, queue, cache, engine), features, policies=policies)
        if authorize is not None:
            definition.authorize(authorize)
        return definition

    @classmethod
    def open(
        cls,
        settings: "GivenSettings" = None,
        *,
        store: ObjectStore | None = None,
        queue: JobQueue | None = None,
        cache: Cache | None = None,
        engine: ImagingEngine | None = None,
        features: Sequence[Feature] = (),
        policies: Mapping[str, Policy] = NO_POLICIES,
        authorize: May | None = None,
        worker: bool = False,
        clock: Clock | None = None,
        local_clock: Clock = utc_now,
    ) -> "OpenGallery":
        """Make an async context manager that starts or connects to what the settings name, and migrates the schema.

        The same as `define` and `Definition.open`, whose arguments it takes.
        """
        definition = cls.define(
            settings, store=store, queue=queue, cache=cache, engine=engine, features=features, authorize=authorize
        )
        return definition.open(policies=policies, worker=worker, clock=clock, local_clock=local_clock)

    @property
    def event_types(self) -> EventTypes:
        """The types of its features' events."""
        return self._resources.event_types

    def service(self, kind: type[T]) -> T:
        """Return the service of this class that a feature brings.

        Raises:
            LookupError: If there is none.
        """
        return self._resources.services[kind]

    async def warnings(self) -> Sequence[str]:
        """Warnings for operators, while it works."""
        found = list(self._resources.attendance.warnings)
        try:
            await self._resources.space.check()
        except DiskFull as error:
            found.append(error.message)
        return found

    async def ready(self) -> None:
        """Check that the gallery works.

        Raises:
            Unavailable: If the database or the store does not respond, while a background task keeps failing, and after
                `ServerParts.retire`.
        """
        if self.server.is_retiring:
            raise Unavailable("This process is about to stop.")
        await self._resources.database.ping()
        with suppress(ObjectNotFound):
            await self.server.store.head(READINESS_KEY)
        if failing := self._resources.health.failing:
            raise Unavailable(f"This keeps failing: {', '.join(failing)}.")

    def worker(self) -> AbstractAsyncContextManager[Worker]:
        """Run a worker in this process while the context is open. On leaving, it finishes or returns its jobs.

        It works in a task of its own: the context may be entered in one task and left in another, and errors of its
        block pass unchanged. A worker that fails is logged, begins again, and is what `ready` raises if it keeps
        failing.
        """
        return TaskContext(self._work(), "imagegallery worker")

    @asynccontextmanager
    async def _work(self) -> AsyncIterator[Worker]:
        worker = self.server.make_worker()
        async with Background.running(self._resources.health) as background:
            await background.start(worker.run, "working")
            self._workers.add(worker)
            try:
                yield worker
                await worker.end()
            finally:
                self._workers.discard(worker)

    @asynccontextmanager
    async def eager(self) -> AsyncIterator[None]:
        """Do all jobs that a call makes necessary before it returns, while the context is open: what is uploaded has
        its variants, and functions that receive events have been called. For tests, in place of `worker`.
        """
        relay = self.server.make_event_relay()
        await relay.begin()
        with self._resources.database.after_commit(EagerJobs(self.server.make_worker(), relay.catch_up).run):
            yield

    async def _close(self) -> None:
        """End what is open in this process and needs what the gallery works with."""
        self.events.close()
        for worker in [*self._workers]:
            await worker.end()


class Definition(Registers):
    """A gallery as code defines it: what `ImageGallery.define` is given, and the functions registered with it."""

    def __init__(
        self,
        settings: "GivenSettings",
        brought: Backends,
        features: Sequence[Feature],
        registry: Registry | None = None,
        policies: Mapping[str, Policy] = NO_POLICIES,
    ) -> None:
        self._settings = settings
        self._brought = brought
        self._features = features
        self._registry = Registry() if registry is None else registry
        self._policies = {check_policy_name(name): policy for name, policy in policies.items()}

    @property
    def policy_names(self) -> frozenset[str]:
        """Those of the named policies that code defines; settings may have more."""
        return frozenset((*self._policies, *self._registry.policies.names))

    def open(
        self,
        settings: "GivenSettings" = None,
        *,
        store: ObjectStore | None = None,
        queue: JobQueue | None = None,
        cache: Cache | None = None,
        engine: ImagingEngine | None = None,
        features: Sequence[Feature] = (),
        policies: Mapping[str, Policy] = NO_POLICIES,
        worker: bool = False,
        clock: Clock | None = None,
        local_clock: Clock = utc_now,
    ) -> "OpenGallery":
        """Make an async context manager that starts or connects to what the settings name, and migrates the schema.

        What is given here takes precedence over what was given to `ImageGallery.define`; ``features`` are added.

        Args:
            worker: Whether this process does queued jobs while the gallery is open: without any worker, no variants are
                made. It starts at once, and knows the functions registered by then; for those registered with the open
                gallery, enter `ImageGallery.worker` instead.
            clock: By default the database server's time, which all processes share (`imagegallery.database.clock`).
            local_clock: The clock that is corrected to that time.

        Raises:
            ValueError: For two features with the same name or event type.
            ConfigurationError: For a missing feature, and on entering for settings that cannot work.
            Unavailable: On entering, if a part does not respond.
        """
        brought = Backends(
            _first(store, self._brought.store),
            _first(queue, self._brought.queue),
            _first(cache, self._brought.cache),
            _first(engine, self._brought.engine),
        )
        definition = Definition(
            self._settings if settings is None else settings,
            brought,
            (*self._features, *features),
            self._registry,
            {**self._policies, **policies},
        )
        return OpenGallery(definition, clock, local_clock, has_worker=worker)

    def load_settings(self, config: Path | None = None) -> Settings:
        """The settings that it was given, or else those of the file ``config`` and the environment.

        Raises:
            ConfigurationError: For those that cannot be read, and a file in addition to what was given.
        """
        given = self._settings
        if given is None:
            return Settings.from_env(config, self._features)
        if config is not None:
            raise ConfigurationError("The application says what its settings are: leave --config out.")
        return given if isinstance(given, Settings) else given()


def _first(given: T | None, otherwise: T | None) -> T | None:
    return otherwise if given is None else given


GivenSettings: TypeAlias = Settings | Callable[[], Settings] | None


class OpenGallery(Registers, AbstractAsyncContextManager[ImageGallery]):
    """The result of `ImageGallery.open`: enter it with ``async with``, or give its `lifespan` to an ASGI host.

    It may be made, and passed to `imagegallery_asgi.create_app`, long before it is opened: then `gallery` is set.
    Reopened after closing, it is a new gallery; it can be open once at a time. A task of its own holds it open: it may
    be entered in one task and left in another, and if it is open at the end of its event loop, it is closed then.
    """

    def __init__(self, definition: Definition, clock: Clock | None, local_clock: Clock, *, has_worker: bool) -> None:
        self.definition = definition
        self._settings = definition.load_settings()
        own = (*map(load_feature, self._settings.features), *definition._features)
        self.features: Sequence[Feature] = (*FEATURES, *dict.fromkeys(own))
        self.event_types = event_types(self.features)
        self._registry = definition._registry
        self._clock = clock
        self._local_clock = local_clock
        self._has_worker = has_worker
        self._held: TaskContext[ImageGallery] | None = None
        self._gallery: ImageGallery | None = None

    @property
    def gallery(self) -> ImageGallery:
        """The gallery, while it is open. Raises `RuntimeError` before and after."""
        if self._gallery is None:
            raise RuntimeError("The gallery is not open: open it in the lifespan of the application.")
        return self._gallery

    async def __aenter__(self) -> ImageGallery:
        if self._held is not None and self._held.is_held:
            raise RuntimeError("The gallery is open already.")
        self._held = TaskContext(self._opened(), "imagegallery")
        return await self._held.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            await self._held.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[ImageGallery]:
        configured = {**self.definition._policies, **self._settings.policies}
        registry = self._registry.of_gallery(self.event_types, configured)
        async with open_resources(
            self._settings, self.definition._brought, self.features, registry.by_class(), self._clock, self._local_clock
        ) as resources:
            gallery = ImageGallery(self._settings, resources, registry)
            async with gallery.worker() if self._has_worker else nullcontext():
                self._gallery = gallery
                try:
                    yield gallery
                finally:
                    self._gallery = None
                    await gallery._close()

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[dict[str, ImageGallery]]:
        """An ASGI lifespan (Starlette, FastAPI) with the open gallery as ``imagegallery`` in the state of requests."""
        async with self as gallery:
            yield {"imagegallery": gallery}
