"""The gallery for applications without an event loop: Flask, Django, Celery, scripts, notebooks."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import attrs
from attrs import field, frozen

from imagegallery.administration.job_service import JobService
from imagegallery.administration.service import AdministrationService
from imagegallery.audit.service import AuditService
from imagegallery.cache.protocol import Cache
from imagegallery.common.attribute import AttributeOf
from imagegallery.contributions.service import ContributionService
from imagegallery.events.event import DomainEvent, Event
from imagegallery.events.handlers import Registration
from imagegallery.events.service import EventService
from imagegallery.feature import Feature
from imagegallery.galleries.service import GalleryService
from imagegallery.gallery import NO_POLICIES, Definition, GivenSettings, ImageGallery, OpenGallery
from imagegallery.images.batch.service import BatchService
from imagegallery.images.duplicates.service import DuplicateService
from imagegallery.images.library.service import LibraryService
from imagegallery.images.service import ImageService
from imagegallery.images.trash.service import TrashService
from imagegallery.images.words.service import TagService
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.owners.service import OwnerService
from imagegallery.policies.policy import Policy
from imagegallery.principal import Principal
from imagegallery.privacy.archive import Archive
from imagegallery.privacy.erasure_service import ErasureService
from imagegallery.privacy.export_service import ExportService
from imagegallery.queue.protocol import JobQueue
from imagegallery.registry import Registers
from imagegallery.sharing.link_service import LinkService
from imagegallery.sharing.received_service import ReceivedShareService
from imagegallery.sharing.service import ShareService
from imagegallery.storage.protocol import ByteRange, ObjectStore
from imagegallery.sync.face import Each, Face, Faced, ServiceCall, iterate
from imagegallery.sync.portal import Portal
from imagegallery.uploads.multipart.parts import UploadParts
from imagegallery.uploads.service import UploadService
from imagegallery.uploads.staged.upload import StagedFacts, StagedUpload
from imagegallery.variants.service import VariantService
from imagegallery.webhooks.service import WebhookService

T = TypeVar("T")
E = TypeVar("E", bound=DomainEvent)


class SyncGalleries(Face[GalleryService]):
    """`GalleryService`, waited for."""

    create = ServiceCall(GalleryService.create)
    get = ServiceCall(GalleryService.get)
    get_many = ServiceCall(GalleryService.get_many)
    access = ServiceCall(GalleryService.access)
    find_by_name = ServiceCall(GalleryService.find_by_name)
    list = ServiceCall(GalleryService.list)
    update = ServiceCall(GalleryService.update)
    delete = ServiceCall(GalleryService.delete)
    add_images = ServiceCall(GalleryService.add_images)
    remove_image = ServiceCall(GalleryService.remove_image)
    remove_images = ServiceCall(GalleryService.remove_images)
    move = ServiceCall(GalleryService.move)
    cookies = ServiceCall(GalleryService.cookies)
    list_images = ServiceCall(GalleryService.list_images)
    list_images_page = ServiceCall(GalleryService.list_images_page)


class SyncLibrary(Face[LibraryService]):
    """`LibraryService`, waited for."""

    list = ServiceCall(LibraryService.list)
    unattached = ServiceCall(LibraryService.unattached)
    timeline = ServiceCall(LibraryService.timeline)
    month = ServiceCall(LibraryService.month)


class SyncBatches(Face[BatchService]):
    """`BatchService`, waited for."""

    run = ServiceCall(BatchService.run)


class SyncDuplicates(Face[DuplicateService]):
    """`DuplicateService`, waited for."""

    check = ServiceCall(DuplicateService.check)
    list = ServiceCall(DuplicateService.list)
    dismiss = ServiceCall(DuplicateService.dismiss)


class SyncTrash(Face[TrashService]):
    """`TrashService`, waited for."""

    list = ServiceCall(TrashService.list)
    put = ServiceCall(TrashService.put)
    restore = ServiceCall(TrashService.restore)
    purge = ServiceCall(TrashService.purge)
    delete = ServiceCall(TrashService.delete)
    sweep = ServiceCall(TrashService.sweep)


class SyncTags(Face[TagService]):
    """`TagService`, waited for."""

    list = ServiceCall(TagService.list)
    rename = ServiceCall(TagService.rename)
    merge = ServiceCall(TagService.merge)
    delete = ServiceCall(TagService.delete)


class SyncImages(Face[ImageService]):
    """`ImageService`, waited for."""

    get = ServiceCall(ImageService.get)
    access = ServiceCall(ImageService.access)
    get_many = ServiceCall(ImageService.get_many)
    update = ServiceCall(ImageService.update)
    read_sidecar = ServiceCall(ImageService.read_sidecar)
    unattached = ServiceCall(ImageService.unattached)
    delete = ServiceCall(ImageService.delete)
    retry = ServiceCall(ImageService.retry)
    wait_until_ready = ServiceCall(ImageService.wait_until_ready)
    find_by_content = ServiceCall(ImageService.find_by_content)
    view = ServiceCall(ImageService.view)
    download_url = ServiceCall(ImageService.download_url)

    library = AttributeOf(SyncLibrary)
    batches = AttributeOf(SyncBatches)
    duplicates = AttributeOf(SyncDuplicates)
    trash = AttributeOf(SyncTrash)
    tags = AttributeOf(SyncTags)

    def __init__(self, portal: Portal) -> None:
        super().__init__(portal, lambda gallery: gallery.images)
        self.library = SyncLibrary(portal, lambda gallery: gallery.images.library)
        self.batches = SyncBatches(portal, lambda gallery: gallery.images.batches)
        self.duplicates = SyncDuplicates(portal, lambda gallery: gallery.images.duplicates)
        self.trash = SyncTrash(portal, lambda gallery: gallery.images.trash)
        self.tags = SyncTags(portal, lambda gallery: gallery.images.tags)


class SyncParts(Face[UploadParts]):
    """`UploadParts`, waited for."""

    begin = ServiceCall(UploadParts.begin)
    get = ServiceCall(UploadParts.get)
    sign = ServiceCall(UploadParts.sign)
    list = ServiceCall(UploadParts.list)
    complete = ServiceCall(UploadParts.complete)


@frozen
class SyncStagedUpload(StagedFacts):
    """A `StagedUpload` whose `attach` waits. It may be called in another thread, and after a fork."""

    _portal: Portal = field(repr=False, eq=False)
    _staged: StagedUpload = field(repr=False)

    attach = ServiceCall(StagedUpload.attach)

    @classmethod
    def of(cls, portal: Portal, staged: StagedUpload) -> Self:
        facts = {each.name: getattr(staged, each.name) for each in attrs.fields(StagedFacts)}
        return cls(**facts, portal=portal, staged=staged)

    @property
    def _service(self) -> StagedUpload:
        """Of the gallery that is open now."""
        return attrs.evolve(self._staged, attachments=self._portal.gallery.uploads.server.attachments)


class SyncUploads(Face[UploadService]):
    """`UploadService`, waited for."""

    add = ServiceCall(UploadService.add)
    create = ServiceCall(UploadService.create)
    get = ServiceCall(UploadService.get)
    list = ServiceCall(UploadService.list)
    room = ServiceCall(UploadService.room)
    complete = ServiceCall(UploadService.complete)
    claim = ServiceCall(UploadService.claim)
    stage = Faced(UploadService.stage, SyncStagedUpload.of)
    staged = Faced(UploadService.staged, SyncStagedUpload.of)
    cancel = ServiceCall(UploadService.cancel)
    sweep = ServiceCall(UploadService.sweep)

    parts = AttributeOf(SyncParts)

    def __init__(self, portal: Portal) -> None:
        super().__init__(portal, lambda gallery: gallery.uploads)
        self.parts = SyncParts(portal, lambda gallery: gallery.uploads.parts)

    def policies(self) -> Mapping[str | None, Policy]:
        """See `UploadService.policies`."""
        return self._service.policies()

    def takes_guests(self) -> bool:
        """See `UploadService.takes_guests`."""
        return self._service.takes_guests()


class SyncLinks(Face[LinkService]):
    """`LinkService`, waited for."""

    open = ServiceCall(LinkService.open)
    targets = ServiceCall(LinkService.targets)
    name_guest = ServiceCall(LinkService.name_guest)
    sweep = ServiceCall(LinkService.sweep)


class SyncReceivedShares(Face[ReceivedShareService]):
    """`ReceivedShareService`, waited for."""

    list = ServiceCall(ReceivedShareService.list)
    get = ServiceCall(ReceivedShareService.get)
    join = ServiceCall(ReceivedShareService.join)
    leave = ServiceCall(ReceivedShareService.leave)


class SyncShares(Face[ShareService]):
    """`ShareService`, waited for."""

    create = ServiceCall(ShareService.create)
    create_link = ServiceCall(ShareService.create_link)
    get = ServiceCall(ShareService.get)
    list = ServiceCall(ShareService.list)
    update = ServiceCall(ShareService.update)
    rotate_link = ServiceCall(ShareService.rotate_link)
    remove_link = ServiceCall(ShareService.remove_link)
    revoke = ServiceCall(ShareService.revoke)
    delete = ServiceCall(ShareService.delete)
    remove_recipient = ServiceCall(ShareService.remove_recipient)
    accesses = ServiceCall(ShareService.accesses)

    links = AttributeOf(SyncLinks)
    received = AttributeOf(SyncReceivedShares)

    def __init__(self, portal: Portal) -> None:
        super().__init__(portal, lambda gallery: gallery.shares)
        self.links = SyncLinks(portal, lambda gallery: gallery.shares.links)
        self.received = SyncReceivedShares(portal, lambda gallery: gallery.shares.received)


class SyncOwners(Face[OwnerService]):
    """`OwnerService`, waited for."""

    get = ServiceCall(OwnerService.get)
    all = Each(OwnerService.all)
    limit_storage = ServiceCall(OwnerService.limit_storage)


class SyncVariants(Face[VariantService]):
    """`VariantService`, waited for."""

    render = ServiceCall(VariantService.render)


class SyncWebhooks(Face[WebhookService]):
    """`WebhookService`, waited for."""

    create = ServiceCall(WebhookService.create)
    list = ServiceCall(WebhookService.list)
    get = ServiceCall(WebhookService.get)
    enable = ServiceCall(WebhookService.enable)
    delete = ServiceCall(WebhookService.delete)


class SyncAudit(Face[AuditService]):
    """`AuditService`, waited for."""

    list = ServiceCall(AuditService.list)
    all = ServiceCall(AuditService.all)


@frozen
class SyncArchive:
    """An `Archive` whose bytes come without waiting for them: ``size`` is in bytes, ``name`` one to save it under."""

    _portal: Portal = field(repr=False, eq=False)
    _archive: Archive

    @property
    def size(self) -> int:
        return self._archive.size

    @property
    def name(self) -> str:
        return self._archive.name

    def read(self, wanted: ByteRange | None = None) -> Iterator[bytes]:
        """See `Archive.read`."""
        return iterate(self._portal, self._archive.read(wanted))


class SyncExports(Face[ExportService]):
    """`ExportService`, waited for."""

    request = ServiceCall(ExportService.request)
    list = ServiceCall(ExportService.list)
    get = ServiceCall(ExportService.get)
    archive = Faced(ExportService.archive, SyncArchive)
    delete = ServiceCall(ExportService.delete)
    sweep = ServiceCall(ExportService.sweep)


class SyncJobs(Face[JobService]):
    """`JobService`, waited for."""

    counts = ServiceCall(JobService.counts)
    running = ServiceCall(JobService.running)
    dead = ServiceCall(JobService.dead)
    redrive = ServiceCall(JobService.redrive)
    discard = ServiceCall(JobService.discard)
    redrive_many = ServiceCall(JobService.redrive_many)
    discard_many = ServiceCall(JobService.discard_many)


class SyncAdministration(Face[AdministrationService]):
    """`AdministrationService`, waited for."""

    policy = ServiceCall(AdministrationService.policy)
    change_policy = ServiceCall(AdministrationService.change_policy)
    policy_versions = ServiceCall(AdministrationService.policy_versions)
    restore_policy = ServiceCall(AdministrationService.restore_policy)
    health = ServiceCall(AdministrationService.health)
    storage = ServiceCall(AdministrationService.storage)
    largest_owners = ServiceCall(AdministrationService.largest_owners)

    jobs = AttributeOf(SyncJobs)

    def __init__(self, portal: Portal) -> None:
        super().__init__(portal, lambda gallery: gallery.administration)
        self.jobs = SyncJobs(portal, lambda gallery: gallery.administration.jobs)


class SyncErasures(Face[ErasureService]):
    """`ErasureService`, waited for."""

    request = ServiceCall(ErasureService.request)
    get = ServiceCall(ErasureService.get)
    cancel = ServiceCall(ErasureService.cancel)
    all = Each(ErasureService.all)


class SyncContributions(Face[ContributionService]):
    """`ContributionService`, waited for."""

    list = ServiceCall(ContributionService.list)
    mine = ServiceCall(ContributionService.mine)
    count_pending = ServiceCall(ContributionService.count_pending)
    approve = ServiceCall(ContributionService.approve)
    reject = ServiceCall(ContributionService.reject)
    withdraw = ServiceCall(ContributionService.withdraw)


class SyncEvents(Face[EventService]):
    """`EventService`, waited for."""

    def __init__(self, portal: Portal, registers: Registers) -> None:
        super().__init__(portal, lambda gallery: gallery.events)
        self._registers = registers

    def on(self, kind: type[E], *, name: str | None = None) -> Registration[E]:
        """See `imagegallery.registry.Registers.on`."""
        return self._registers.on(kind, name=name)

    @contextmanager
    def subscribe(self, principal: Principal, *, after: str | None = None) -> Iterator[Iterator[Event[DomainEvent]]]:
        """See `EventService.subscribe`: ``with`` it, and iterate over what it gives."""
        with self._portal.enter(self._service.subscribe(principal, after=after)) as subscription:
            yield iterate(self._portal, subscription)


class SyncGallery(Registers):
    """An `ImageGallery` in a thread of its own: the same services, whose calls wait. Made by `open_gallery`.

    Functions are registered with its ``definition``, so before it is open, too, and stay so when it is opened again.
    """

    galleries = AttributeOf(SyncGalleries)
    images = AttributeOf(SyncImages)
    uploads = AttributeOf(SyncUploads)
    shares = AttributeOf(SyncShares)
    owners = AttributeOf(SyncOwners)
    variants = AttributeOf(SyncVariants)
    events = AttributeOf(SyncEvents)
    webhooks = AttributeOf(SyncWebhooks)
    exports = AttributeOf(SyncExports)
    erasures = AttributeOf(SyncErasures)
    audit = AttributeOf(SyncAudit)
    administration = AttributeOf(SyncAdministration)
    contributions = AttributeOf(SyncContributions)

    def __init__(self, portal: Portal, definition: Definition) -> None:
        self.definition = definition
        self._registry = definition._registry
        self._portal = portal
        self.galleries = SyncGalleries(portal, lambda gallery: gallery.galleries)
        self.images = SyncImages(portal)
        self.uploads = SyncUploads(portal)
        self.shares = SyncShares(portal)
        self.owners = SyncOwners(portal, lambda gallery: gallery.owners)
        self.variants = SyncVariants(portal, lambda gallery: gallery.variants)
        self.events = SyncEvents(portal, self)
        self.webhooks = SyncWebhooks(portal, lambda gallery: gallery.webhooks)
        self.exports = SyncExports(portal, lambda gallery: gallery.exports)
        self.erasures = SyncErasures(portal, lambda gallery: gallery.erasures)
        self.audit = SyncAudit(portal, lambda gallery: gallery.audit)
        self.administration = SyncAdministration(portal)
        self.contributions = SyncContributions(portal, lambda gallery: gallery.contributions)

    def call(self, function: Callable[[ImageGallery], Awaitable[T]]) -> T:
        """Wait for something of the asynchronous gallery that has no method here."""
        return self._portal.call(partial(function, self._portal.gallery))

    def enter(self, make: Callable[[ImageGallery], AbstractAsyncContextManager[T]]) -> AbstractContextManager[T]:
        """An asynchronous context of the gallery, for ``with``."""
        return self._portal.enter(make(self._portal.gallery))

    def each(self, items: AsyncIterator[T]) -> Iterator[T]:
        """What an asynchronous iterator of the gallery yields."""
        return iterate(self._portal, items)

    def worker(self) -> AbstractContextManager[object]:
        """See `ImageGallery.worker`: do queued jobs within the ``with`` block, with the handlers that it knows."""
        return self.enter(ImageGallery.worker)

    def ready(self) -> None:
        """See `ImageGallery.ready`."""
        self._portal.call(self._portal.gallery.ready)

    def warnings(self) -> Sequence[str]:
        """See `ImageGallery.warnings`."""
        return self._portal.call(self._portal.gallery.warnings)

    def close(self) -> None:
        """Close what is open, if anything is; the next call opens it again."""
        self._portal.close()

    def __enter__(self) -> Self:
        _ = self._portal.gallery
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_gallery(
    settings: GivenSettings | Definition = None,
    *,
    store: ObjectStore | None = None,
    queue: JobQueue | None = None,
    cache: Cache | None = None,
    engine: ImagingEngine | None = None,
    features: Sequence[Feature] = (),
    policies: Mapping[str, Policy] = NO_POLICIES,
    worker: bool = False,
) -> SyncGallery:
    """A gallery for callers without an event loop. See `ImageGallery.open` for what it takes.

    It is opened by the first call, in a thread, and anew in each process that is forked later, so that it may be a
    global of a web application. It is closed by ``close``, at the end of a ``with`` block over it, or when the
    interpreter ends. ``settings`` may be a function, which is called when it is opened; without them, they are read
    from the environment then. What `ImageGallery.define` returned can be given, too: then the rest takes precedence
    over what that was given.

    With ``worker`` this process does the queued jobs, too, for as long as it is open.
    """
    definition = settings if isinstance(settings, Definition) else ImageGallery.define(settings)

    def opening() -> OpenGallery:
        return definition.open(
            store=store,
            queue=queue,
            cache=cache,
            engine=engine,
            features=features,
            policies=policies,
            worker=worker,
        )

    return SyncGallery(Portal(opening), definition)
