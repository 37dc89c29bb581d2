"""An async image backend: upload sessions, variants, galleries and responsive URLs.

These are the names that most applications need; the reference lists the rest with their modules. Nothing inside the
package imports them from here.
"""

from imagegallery.access.audience import Visibility
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock, utc_now
from imagegallery.errors import (
    AlreadyUsed,
    BadImage,
    ConfigurationError,
    Conflict,
    DuplicateImage,
    Forbidden,
    ImageGalleryError,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    Refused,
    StillReferenced,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
)
from imagegallery.events.event import Event
from imagegallery.events.feed import Subscription
from imagegallery.galleries.filter import GalleryFilter
from imagegallery.galleries.gallery import Gallery, ImageOrder
from imagegallery.gallery import Definition, ImageGallery, OpenGallery
from imagegallery.ids import new_id
from imagegallery.images.batch.batch import BatchAction, BatchResult
from imagegallery.images.events import (
    GalleryChanged,
    ImageDeleted,
    ImageFailed,
    ImagePurged,
    ImageReady,
    ImageRestored,
    ImageUploaded,
    UrlsClosed,
)
from imagegallery.images.image.image import Image, LibraryOrder, ProcessingStatus, Variant
from imagegallery.images.library.filter import ImageFilter
from imagegallery.images.metadata.metadata import Metadata
from imagegallery.images.presentation.picture import picture
from imagegallery.images.presentation.responsive import Responsive, Source
from imagegallery.pagination import CursorPage, NumberedPage
from imagegallery.policies.policy import OnDuplicate, Policy
from imagegallery.principal import Principal, Role
from imagegallery.settings import Settings
from imagegallery.storage.protocol import UploadRequest
from imagegallery.uploads.completion.acceptance import NewImage
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession, UploadState
from imagegallery.uploads.staged.upload import StagedUpload
from imagegallery.variants.events import VariantReady
from imagegallery.variants.preset import Preset
from imagegallery.webhooks.signature import verify as verify_webhook
from imagegallery.webhooks.webhook import Webhook

__all__ = [
    "AlreadyUsed",
    "BadImage",
    "BatchAction",
    "BatchResult",
    "Clock",
    "ConfigurationError",
    "Conflict",
    "CursorPage",
    "Definition",
    "DuplicateImage",
    "Event",
    "Forbidden",
    "Gallery",
    "GalleryChanged",
    "GalleryFilter",
    "Image",
    "ImageDeleted",
    "ImageFailed",
    "ImageFilter",
    "ImageGallery",
    "ImageGalleryError",
    "ImageOrder",
    "ImagePurged",
    "ImageReady",
    "ImageRestored",
    "ImageUploaded",
    "InvalidInput",
    "LibraryOrder",
    "Metadata",
    "NewImage",
    "NotFound",
    "NumberedPage",
    "OnDuplicate",
    "OpenGallery",
    "Permission",
    "Policy",
    "PreconditionFailed",
    "Preset",
    "Principal",
    "ProcessingStatus",
    "QuotaExceeded",
    "RateLimited",
    "Refused",
    "Responsive",
    "Role",
    "Settings",
    "Source",
    "StagedUpload",
    "StillReferenced",
    "Subscription",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedType",
    "UploadEnded",
    "UploadExpired",
    "UploadIncomplete",
    "UploadPolicy",
    "UploadRequest",
    "UploadSession",
    "UploadState",
    "UrlsClosed",
    "Variant",
    "VariantReady",
    "Visibility",
    "Webhook",
    "new_id",
    "picture",
    "utc_now",
    "verify_webhook",
]
