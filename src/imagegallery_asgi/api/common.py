"""What several packages' operations raise and take alike."""

from imagegallery import BadImage, DuplicateImage, QuotaExceeded, TooLarge, UnsupportedType
from imagegallery.errors import (
    ChecksumMismatch,
    DiskFull,
    EmptyFile,
    SizeMismatch,
    TooManyUploads,
    TypeMismatch,
    UploadRateExceeded,
)
from imagegallery_asgi.framework.errors import MalformedRequest, UnsupportedBody
from imagegallery_asgi.framework.operations import Content

IMAGE = Content("image/*")
BYTES = Content("application/octet-stream")
# Bytes of a list that names all parts of a large file, or a thousand files.
LONG_LIST = 1024 * 1024

WRONG_FILE = (EmptyFile, SizeMismatch, TypeMismatch, ChecksumMismatch, BadImage, QuotaExceeded, DuplicateImage)
LIMITED = (DiskFull, QuotaExceeded, TooManyUploads, UploadRateExceeded)
WRONG_UPLOAD = (DiskFull, MalformedRequest, UnsupportedBody, UnsupportedType, TooLarge, *WRONG_FILE)
