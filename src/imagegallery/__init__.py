"""An async image backend: upload sessions, variants, galleries and responsive URLs.

These are the public names; nothing inside the package imports them from here.
"""

from imagegallery.clock import Clock, utc_now
from imagegallery.errors import (
    BadImage,
    ChecksumMismatch,
    ConfigurationError,
    Conflict,
    EmptyFile,
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
    TooLarge,
    TypeMismatch,
    Unauthenticated,
    Unavailable,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
)
from imagegallery.galleries.gallery import MAX_DESCRIPTION, MAX_NAME, Gallery, ImageOrder, Visibility
from imagegallery.gallery import ImageGallery
from imagegallery.ids import new_id, parse_id
from imagegallery.images.image import MAX_ALT_TEXT, MAX_FILENAME, Image, ProcessingStatus, Variant
from imagegallery.images.metadata import Metadata
from imagegallery.images.responsive import Placeholder, Responsive, Source
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

__all__ = [
    "DEFAULT_LIMIT",
    "MAX_ALT_TEXT",
    "MAX_DESCRIPTION",
    "MAX_FILENAME",
    "MAX_LIMIT",
    "MAX_NAME",
    "MAX_PAGE",
    "UNSET",
    "BadImage",
    "ByteRange",
    "ChecksumMismatch",
    "Clock",
    "ConfigurationError",
    "Conflict",
    "CursorPage",
    "EmptyFile",
    "Failure",
    "Fault",
    "Forbidden",
    "Gallery",
    "Image",
    "ImageGallery",
    "ImageGalleryError",
    "ImageOrder",
    "InvalidCursor",
    "InvalidInput",
    "LeaseLost",
    "Metadata",
    "NotFound",
    "NumberedPage",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "ObjectStream",
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
    "Source",
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
    "Visibility",
    "new_id",
    "parse_id",
    "utc_now",
]
