"""An async image backend: upload sessions, variants, galleries and responsive URLs.

These are the public names; nothing inside the package imports them from here.
"""

from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.permission import OWNER, ROLES, Permission
from imagegallery.cache.stale_while_revalidate import CacheResult
from imagegallery.clock import Clock, utc_now
from imagegallery.disposition import attachment
from imagegallery.errors import (
    MAX_FAULTS,
    BadImage,
    ChecksumMismatch,
    ChunkMismatch,
    ConfigurationError,
    Conflict,
    DiskFull,
    DuplicateImage,
    EmptyFile,
    EventsGone,
    Failure,
    Fault,
    Forbidden,
    IdempotencyKeyReused,
    ImageGalleryError,
    InvalidCursor,
    InvalidInput,
    LeaseLost,
    LengthMismatch,
    NotFound,
    ObjectNotFound,
    OffsetMismatch,
    Overloaded,
    PartMismatch,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    SignatureExpired,
    SignatureInvalid,
    SizeMismatch,
    SlowReader,
    TooLarge,
    TooManyUploads,
    TypeMismatch,
    Unauthenticated,
    Unavailable,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
    UploadInterrupted,
    UploadLocked,
    UploadRateExceeded,
)
from imagegallery.events.event import DomainEvent, Event, GalleryEvent, OwnerEvent, UserEvent
from imagegallery.events.feed import Subscription
from imagegallery.galleries.gallery import MAX_DESCRIPTION, MAX_NAME, Gallery, ImageOrder
from imagegallery.galleries.pages import CachedPage, CachedPages, ListPlace, LoadedPage, PageTicket
from imagegallery.gallery import EVENT_TYPES, ImageGallery, OpenGallery
from imagegallery.ids import new_id, parse_id
from imagegallery.images.batch.batch import BatchAction, BatchResult
from imagegallery.images.duplicates.records import KnownFile
from imagegallery.images.duplicates.service import Lookalike, Lookalikes
from imagegallery.images.events import (
    GalleryChanged,
    ImageDeleted,
    ImageFailed,
    ImageReady,
    ImageRestored,
    UrlsClosed,
)
from imagegallery.images.image.image import MAX_ALT_TEXT, MAX_FILENAME, Image, LibraryOrder, ProcessingStatus, Variant
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.library.timeline import MonthColumns, MonthCount
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.metadata.metadata import Metadata
from imagegallery.images.presentation.responsive import Placeholder, Responsive, Source
from imagegallery.loopback import is_loopback
from imagegallery.pagination import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, CursorPage, NumberedPage
from imagegallery.principal import Principal
from imagegallery.queue.job import QueueStats
from imagegallery.rates.limiter import network_of
from imagegallery.settings import Settings
from imagegallery.storage.protocol import (
    ByteRange,
    ObjectInfo,
    ObjectStore,
    ObjectStream,
    Part,
    ReadMethod,
    ServesSignedUrls,
    SignedObject,
    UploadRequest,
)
from imagegallery.unset import UNSET, Unset
from imagegallery.uploads.events import ImageUploaded
from imagegallery.uploads.resumable.rules import UploadChecksum, UploadPiece
from imagegallery.uploads.session.part_plan import MAX_SIGNED_AT_ONCE, ClaimedPart, PartPlan, SignedPart, missing_parts
from imagegallery.uploads.session.policy import OnDuplicate, UploadPolicy
from imagegallery.uploads.session.session import Concatenation, UploadSession, UploadState
from imagegallery.uploads.signed import SignedUpload
from imagegallery.variants.events import VariantReady
from imagegallery.variants.preset import Preset
from imagegallery.webhooks.service import CreatedWebhook
from imagegallery.webhooks.signature import verify as verify_webhook
from imagegallery.webhooks.webhook import MAX_URL, Webhook

__all__ = [
    "DEFAULT_LIMIT",
    "EVENT_TYPES",
    "MAX_ALT_TEXT",
    "MAX_DESCRIPTION",
    "MAX_FAULTS",
    "MAX_FILENAME",
    "MAX_LIMIT",
    "MAX_NAME",
    "MAX_PAGE",
    "MAX_SIGNED_AT_ONCE",
    "MAX_URL",
    "OWNER",
    "ROLES",
    "UNSET",
    "Audience",
    "BadImage",
    "BatchAction",
    "BatchResult",
    "ByteRange",
    "CacheResult",
    "CachedPage",
    "CachedPages",
    "ChecksumMismatch",
    "ChunkMismatch",
    "ClaimedPart",
    "Clock",
    "Concatenation",
    "ConfigurationError",
    "Conflict",
    "CreatedWebhook",
    "CursorPage",
    "DiskFull",
    "DomainEvent",
    "DuplicateImage",
    "EmptyFile",
    "Event",
    "EventsGone",
    "Failure",
    "Fault",
    "Forbidden",
    "Gallery",
    "GalleryChanged",
    "GalleryEvent",
    "IdempotencyKeyReused",
    "Image",
    "ImageDeleted",
    "ImageFailed",
    "ImageFilter",
    "ImageGallery",
    "ImageGalleryError",
    "ImageOrder",
    "ImageReady",
    "ImageRestored",
    "ImageUploaded",
    "InvalidCursor",
    "InvalidInput",
    "KnownFile",
    "LeaseLost",
    "LengthMismatch",
    "LibraryOrder",
    "ListPlace",
    "LoadedPage",
    "Lookalike",
    "Lookalikes",
    "Metadata",
    "MonthColumns",
    "MonthCount",
    "NotFound",
    "NumberedPage",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "ObjectStream",
    "OffsetMismatch",
    "OnDuplicate",
    "OpenGallery",
    "Overloaded",
    "OwnerEvent",
    "PageTicket",
    "Part",
    "PartMismatch",
    "PartPlan",
    "Permission",
    "Placeholder",
    "PreconditionFailed",
    "Preset",
    "Principal",
    "ProcessingStatus",
    "QueueStats",
    "QuotaExceeded",
    "RateLimited",
    "ReadMethod",
    "Responsive",
    "ServesSignedUrls",
    "Settings",
    "SignatureExpired",
    "SignatureInvalid",
    "SignedObject",
    "SignedPart",
    "SignedUpload",
    "SizeMismatch",
    "SlowReader",
    "Source",
    "Subscription",
    "TakenAtSource",
    "TooLarge",
    "TooManyUploads",
    "TypeMismatch",
    "Unauthenticated",
    "Unavailable",
    "Unset",
    "UnsupportedType",
    "UploadChecksum",
    "UploadEnded",
    "UploadExpired",
    "UploadIncomplete",
    "UploadInterrupted",
    "UploadLocked",
    "UploadPiece",
    "UploadPolicy",
    "UploadRateExceeded",
    "UploadRequest",
    "UploadSession",
    "UploadState",
    "UrlsClosed",
    "UserEvent",
    "Variant",
    "VariantReady",
    "Visibility",
    "Webhook",
    "attachment",
    "is_loopback",
    "missing_parts",
    "network_of",
    "new_id",
    "parse_id",
    "utc_now",
    "verify_webhook",
]
