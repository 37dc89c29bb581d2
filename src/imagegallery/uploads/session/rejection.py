"""Why an upload was rejected, stored so that the same error can be raised again. Pure."""

from collections.abc import Mapping

from attrs import frozen

from imagegallery.errors import (
    BadImage,
    ChecksumMismatch,
    Detail,
    DuplicateImage,
    EmptyFile,
    Forbidden,
    GalleryFull,
    ImageGalleryError,
    QuotaExceeded,
    Refused,
    SizeMismatch,
    TooLarge,
    TypeMismatch,
    WrongDimensions,
)

# Errors due to the file, the owner's storage or the owner's wish: trying again would not help.
REJECTIONS = (
    EmptyFile,
    TooLarge,
    SizeMismatch,
    TypeMismatch,
    ChecksumMismatch,
    BadImage,
    QuotaExceeded,
    DuplicateImage,
    WrongDimensions,
    GalleryFull,
)
# The same, and what the application says of a file that proved to be good.
VERDICTS = (*REJECTIONS, Refused, Forbidden)
_BY_CODE: Mapping[str, type[ImageGalleryError]] = {error.code: error for error in VERDICTS}


@frozen
class Rejection:
    """The code, message and details of the error that ended an upload."""

    code: str
    message: str
    details: Mapping[str, Detail]

    @classmethod
    def of(cls, error: ImageGalleryError) -> "Rejection":
        return cls(error.code, error.message, dict(error.details))

    def error(self) -> ImageGalleryError:
        """The error, equal in class, message and details."""
        details = dict(self.details)
        if self.code == BadImage.code:
            return BadImage(str(details.pop("reason")), self.message, **details)
        return _BY_CODE.get(self.code, Refused)(self.message, **details)
