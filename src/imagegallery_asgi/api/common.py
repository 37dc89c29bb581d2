"""What several packages' operations raise and take alike."""

from imagegallery import BadImage, DuplicateImage, QuotaExceeded, Refused, TooLarge, UnsupportedType
from imagegallery.errors import (
    ChecksumMismatch,
    DiskFull,
    EmptyFile,
    GalleryFull,
    HookFailed,
    SizeMismatch,
    TooManyUploads,
    TypeMismatch,
    UploadRateExceeded,
    WrongDimensions,
)
from imagegallery_asgi.framework.errors import MalformedRequest, UnsupportedBody
from imagegallery_asgi.framework.operations import Content

IMAGE = Content("image/*")
BYTES = Content("application/octet-stream")
# Bytes of a list that names all parts of a large file, or a thousand files.
LONG_LIST = 1024 * 1024

# What an upload's policy, and the application itself, say of a file.
REFUSED = (WrongDimensions, GalleryFull, Refused, HookFailed)
WRONG_FILE = (
    EmptyFile,
    SizeMismatch,
    TypeMismatch,
    ChecksumMismatch,
    BadImage,
    QuotaExceeded,
    DuplicateImage,
    *REFUSED,
)
LIMITED = (DiskFull, QuotaExceeded, GalleryFull, TooManyUploads, UploadRateExceeded)
WRONG_UPLOAD = (DiskFull, MalformedRequest, UnsupportedBody, UnsupportedType, TooLarge, *WRONG_FILE)
