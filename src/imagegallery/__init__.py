"""An async image backend: upload sessions, variants, galleries and responsive URLs.

These are the public names; nothing inside the package imports them from here.
"""

from imagegallery.cache.swr import CacheResult
from imagegallery.clock import Clock, utc_now
from imagegallery.errors import (
    BadImage,
    ChecksumMismatch,
    ConfigurationError,
    Conflict,
    EmptyFile,
    EventsGone,
    Failure,
    Fault,
    Forbidden,
    ImageGalleryError,
    InvalidCursor,
    InvalidInput,
    LeaseLost,
    NotFound,
    ObjectNotFound,
    PreconditionFailed,
    QuotaExceeded,
    SignatureExpired,
    SignatureInvalid,
    SizeMismatch,
    SlowReader,
    TooLarge,
    TypeMismatch,
    Unauthenticated,
    Unavailable,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
)
from imagegallery.events.event import (
    TYPES as EVENT_TYPES,
)
from imagegallery.events.event import (
    DomainEvent,
    Event,
    GalleryChanged,
    ImageDeleted,
    ImageFailed,
    ImageReady,
    ImageRestored,
    ImageUploaded,
    VariantReady,
)
from imagegallery.events.feed import Subscription
from imagegallery.galleries.gallery import MAX_DESCRIPTION, MAX_NAME, Gallery, ImageOrder, Visibility
from imagegallery.galleries.pages import CachedPage, CachedPages, ListPlace, LoadedPage, PageTicket
from imagegallery.gallery import ImageGallery, OpenGallery
from imagegallery.ids import new_id, parse_id
from imagegallery.images.batch import BatchAction, BatchResult
from imagegallery.images.filter import ImageFilter
from imagegallery.images.image import MAX_ALT_TEXT, MAX_FILENAME, Image, LibraryOrder, ProcessingStatus, Variant
from imagegallery.images.metadata import Metadata
from imagegallery.images.responsive import Placeholder, Responsive, Source
from imagegallery.images.timeline import MonthColumns, MonthCount
from imagegallery.pagination import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, CursorPage, NumberedPage
from imagegallery.principal import Principal
from imagegallery.queue.job import QueueStats
from imagegallery.settings import Settings
from imagegallery.storage.protocol import (
    ByteRange,
    ObjectInfo,
    ObjectStore,
    ObjectStream,
    ServesSignedUrls,
    SignedObject,
    UploadRequest,
)
from imagegallery.unset import UNSET, Unset
from imagegallery.uploads.policy import UploadPolicy
from imagegallery.uploads.session import UploadSession, UploadState
from imagegallery.variants.preset import Preset
from imagegallery.webhooks.service import CreatedWebhook
from imagegallery.webhooks.signature import verify as verify_webhook
from imagegallery.webhooks.webhook import MAX_URL, Webhook

__all__ = [
    "DEFAULT_LIMIT",
    "EVENT_TYPES",
    "MAX_ALT_TEXT",
    "MAX_DESCRIPTION",
    "MAX_FILENAME",
    "MAX_LIMIT",
    "MAX_NAME",
    "MAX_PAGE",
    "MAX_URL",
    "UNSET",
    "BadImage",
    "BatchAction",
    "BatchResult",
    "ByteRange",
    "CacheResult",
    "CachedPage",
    "CachedPages",
    "ChecksumMismatch",
    "Clock",
    "ConfigurationError",
    "Conflict",
    "CreatedWebhook",
    "CursorPage",
    "DomainEvent",
    "EmptyFile",
    "Event",
    "EventsGone",
    "Failure",
    "Fault",
    "Forbidden",
    "Gallery",
    "GalleryChanged",
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
    "LeaseLost",
    "LibraryOrder",
    "ListPlace",
    "LoadedPage",
    "Metadata",
    "MonthColumns",
    "MonthCount",
    "NotFound",
    "NumberedPage",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "ObjectStream",
    "OpenGallery",
    "PageTicket",
    "Placeholder",
    "PreconditionFailed",
    "Preset",
    "Principal",
    "ProcessingStatus",
    "QueueStats",
    "QuotaExceeded",
    "Responsive",
    "ServesSignedUrls",
    "Settings",
    "SignatureExpired",
    "SignatureInvalid",
    "SignedObject",
    "SizeMismatch",
    "SlowReader",
    "Source",
    "Subscription",
    "TooLarge",
    "TypeMismatch",
    "Unauthenticated",
    "Unavailable",
    "Unset",
    "UnsupportedType",
    "UploadEnded",
    "UploadExpired",
    "UploadIncomplete",
    "UploadPolicy",
    "UploadRequest",
    "UploadSession",
    "UploadState",
    "Variant",
    "VariantReady",
    "Visibility",
    "Webhook",
    "new_id",
    "parse_id",
    "utc_now",
    "verify_webhook",
]
