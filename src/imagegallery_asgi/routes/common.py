"""What several rooms' operations raise and take alike."""

from imagegallery import (
    BadImage,
    ChecksumMismatch,
    DuplicateImage,
    EmptyFile,
    QuotaExceeded,
    SizeMismatch,
    TooLarge,
    TooManyUploads,
    TypeMismatch,
    UnsupportedType,
    UploadRateExceeded,
)
from imagegallery_asgi.errors import MalformedRequest, UnsupportedBody
from imagegallery_asgi.operations import Content

JSON = "application/json"
IMAGE = Content("image/*")
BYTES = Content("application/octet-stream")

WRONG_FILE = (EmptyFile, SizeMismatch, TypeMismatch, ChecksumMismatch, BadImage, QuotaExceeded, DuplicateImage)
LIMITED = (QuotaExceeded, TooManyUploads, UploadRateExceeded)
WRONG_UPLOAD = (MalformedRequest, UnsupportedBody, UnsupportedType, TooLarge, *WRONG_FILE)
