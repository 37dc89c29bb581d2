"""Names for annotations: services, options, protocols, and what may be passed.

    from imagegallery.types import FileSource, UploadService


    def keep(uploads: UploadService, file: FileSource) -> None: ...

What an application makes or catches is in `imagegallery` itself. Nothing inside the package imports from here.
"""

from imagegallery.access.audience import VisibilityLike
from imagegallery.access.options import SharingOptions
from imagegallery.analyses.analysis import AnalysisOptions
from imagegallery.audit.options import AuditOptions
from imagegallery.audit.service import AuditService
from imagegallery.aws.options import AwsOptions
from imagegallery.cache.policy import CacheOptions
from imagegallery.cache.protocol import Cache
from imagegallery.common.meta import JsonValue, Meta
from imagegallery.contributions.service import ContributionService
from imagegallery.database.host.choice import HostConnection
from imagegallery.database.options import DatabaseOptions
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.events.event import DomainEvent, EventOptions
from imagegallery.events.handlers import Handler
from imagegallery.events.service import EventService
from imagegallery.feature import Feature
from imagegallery.galleries.gallery import GalleryViewLike, ImageOrderLike
from imagegallery.galleries.service import GalleryService
from imagegallery.http_options import ClientLimits, JwtOptions
from imagegallery.ids import Id
from imagegallery.images.batch.batch import BatchActionLike
from imagegallery.images.batch.service import BatchService
from imagegallery.images.duplicates.service import DuplicateService
from imagegallery.images.image.image import LibraryOrderLike, ProcessingStatusLike
from imagegallery.images.library.service import LibraryService
from imagegallery.images.service import ImageService
from imagegallery.images.trash.service import TrashOptions, TrashService
from imagegallery.imaging.limits import ImagingOptions
from imagegallery.imaging.protocol import ImagingEngine
from imagegallery.owners.service import OwnerService
from imagegallery.policies.policy import OnDuplicateLike
from imagegallery.privacy.export_service import ExportService
from imagegallery.privacy.options import PrivacyOptions
from imagegallery.queue.job import QueueOptions
from imagegallery.queue.protocol import JobQueue
from imagegallery.queue.worker import Worker
from imagegallery.rates.options import RateOptions
from imagegallery.redis.options import RedisOptions
from imagegallery.server_parts import ServerParts
from imagegallery.sharing.input import DownloadLike, MetadataLike, PermissionsLike, TargetLike
from imagegallery.sharing.link_service import LinkService
from imagegallery.sharing.received_service import ReceivedShareService
from imagegallery.sharing.service import ShareService
from imagegallery.storage.options import StorageOptions
from imagegallery.storage.protocol import ObjectStore
from imagegallery.sync.gallery import SyncGallery
from imagegallery.upkeep.service import UpkeepService
from imagegallery.uploads.multipart.parts import UploadParts
from imagegallery.uploads.service import UploadService
from imagegallery.uploads.source import FileSource
from imagegallery.variants.preset import VariantOptions
from imagegallery.variants.service import VariantService
from imagegallery.webhooks.service import WebhookService
from imagegallery.webhooks.webhook import WebhookOptions

__all__ = [
    "AnalysisOptions",
    "AuditOptions",
    "AuditService",
    "AwsOptions",
    "BatchActionLike",
    "BatchService",
    "Cache",
    "CacheOptions",
    "ClientLimits",
    "ContributionService",
    "DatabaseOptions",
    "DeliveryOptions",
    "DomainEvent",
    "DownloadLike",
    "DuplicateService",
    "EventOptions",
    "EventService",
    "ExportService",
    "Feature",
    "FileSource",
    "GalleryService",
    "GalleryViewLike",
    "Handler",
    "HostConnection",
    "Id",
    "ImageOrderLike",
    "ImageService",
    "ImagingEngine",
    "ImagingOptions",
    "JobQueue",
    "JsonValue",
    "JwtOptions",
    "LibraryOrderLike",
    "LibraryService",
    "LinkService",
    "Meta",
    "MetadataLike",
    "ObjectStore",
    "OnDuplicateLike",
    "OwnerService",
    "PermissionsLike",
    "PrivacyOptions",
    "ProcessingStatusLike",
    "QueueOptions",
    "RateOptions",
    "ReceivedShareService",
    "RedisOptions",
    "ServerParts",
    "ShareService",
    "SharingOptions",
    "StorageOptions",
    "SyncGallery",
    "TargetLike",
    "TrashOptions",
    "TrashService",
    "UpkeepService",
    "UploadParts",
    "UploadService",
    "VariantOptions",
    "VariantService",
    "VisibilityLike",
    "WebhookOptions",
    "WebhookService",
    "Worker",
]
