"""All errors, as one small tree of exceptions.

Each class has a stable, machine-readable ``code``. The HTTP package maps classes to statuses in one table and ignores
messages. Messages are for the person who made the request: they name the limit or the rule, and never contain a token,
a key or a path of the server.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Self

from attrs import frozen


@frozen
class Fault:
    """One fault in one part of the input.

    ``path`` names the part as the caller wrote it: ``("body", "image_ids", "3")`` or ``("query", "limit")``.
    """

    path: tuple[str, ...]
    message: str


@frozen
class Failure:
    """Why an image could not be processed: a stable ``code`` and one sentence for people."""

    code: str
    message: str


Detail = str | int | float | bool | None


class ImageGalleryError(Exception):
    """Base of all errors that this library raises on purpose."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **details: Detail) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Detail] = details

    @property
    def full_message(self) -> str:
        """The message with its notes (`add_note`), which are for operators, not for clients."""
        return " ".join([self.message, *getattr(self, "__notes__", ())])


# --- who is asking, and for what ---------------------------------------------------------------------------


class Unauthenticated(ImageGalleryError):
    """The operation needs a signed-in user."""

    code = "unauthenticated"


class NameRequired(Unauthenticated):
    """A visitor by a link has to give a name first, under which they add images."""

    code = "name_required"


class Forbidden(ImageGalleryError):
    """The principal may see this, but not do that to it."""

    code = "forbidden"


class HotlinkRefused(Forbidden):
    """The gallery does not let this page show its images."""

    code = "hotlink_refused"


class NotFound(ImageGalleryError):
    """No such thing, or none that this principal may know about (the two must look the same)."""

    code = "not_found"

    @classmethod
    def of(cls, kind: str) -> Self:
        """The same words for everything missing or invisible: ``There is no such image.``"""
        return cls(f"There is no such {kind}.")


class SignatureInvalid(ImageGalleryError):
    """A signed URL was altered, or used for something it was not signed for."""

    code = "signature_invalid"


class SignatureExpired(ImageGalleryError):
    """A signed URL has expired."""

    code = "signature_expired"


class ShareEnded(ImageGalleryError):
    """The share is over for all who have its link, for ``reason``: ``revoked``, ``expired`` or ``exhausted``."""

    code = "share_ended"

    def __init__(self, message: str, *, reason: str = "revoked") -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


class PasswordRequired(Unauthenticated):
    """The link has a password, which has to be given first."""

    code = "password_required"


class WrongPassword(Unauthenticated):
    """This is not the password of the link."""

    code = "wrong_password"


class VisitRequired(Unauthenticated):
    """The link opens a limited number of times: open it first, and show the visit that this gives."""

    code = "visit_required"


class LinkMoved(ImageGalleryError):
    """The link has another name now: ``slug``."""

    code = "link_moved"

    def __init__(self, message: str, *, slug: str = "") -> None:
        super().__init__(message, slug=slug)
        self.slug = slug


# --- input -------------------------------------------------------------------------------------------------


class Refused(ImageGalleryError):
    """What the sender wants is refused, and the sender can mend it: other input, another file, more room. Base of all
    such errors. A hook of the application raises it with words for the sender.
    """

    code = "refused"


MAX_FAULTS: Final = 50
"""The most faults reported for one input; the rest appear when these are corrected."""


class InvalidInput(Refused):
    """The input does not have the documented form; ``faults`` are the first `MAX_FAULTS` faults."""

    code = "invalid_input"

    def __init__(self, message: str, faults: Sequence[Fault] = (), **details: Detail) -> None:
        super().__init__(message, **details)
        self.faults: tuple[Fault, ...] = tuple(faults[:MAX_FAULTS])


class InvalidCursor(InvalidInput):
    """A cursor that this list did not issue: malformed, or from another list, order or filter."""

    code = "invalid_cursor"


class IdempotencyKeyReused(InvalidInput):
    """The key came before, with another request. A new request needs a new key."""

    code = "idempotency_key_reused"


class UnsupportedType(Refused):
    """This policy does not accept the declared media type."""

    code = "unsupported_type"


class TooLarge(Refused):
    """More bytes than the policy, or than was declared."""

    code = "too_large"


class EmptyFile(Refused):
    """An upload of zero bytes."""

    code = "empty_file"


class QuotaExceeded(Refused):
    """The owner has no storage left for this file."""

    code = "quota_exceeded"


class RateLimited(ImageGalleryError):
    """Too many requests in too little time. Retry after ``retry_after`` seconds."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after


class UploadRateExceeded(RateLimited):
    """Too many uploads in too little time."""

    code = "upload_rate_exceeded"


class TypeMismatch(Refused):
    """The bytes are not what the upload declared them to be."""

    code = "type_mismatch"


class SizeMismatch(Refused):
    """More or fewer bytes arrived than the upload declared."""

    code = "size_mismatch"


class ChecksumMismatch(Refused):
    """The SHA-256 of the bytes is not the declared one."""

    code = "checksum_mismatch"


class LengthMismatch(Refused):
    """The length of a whole upload was given in two ways that differ."""

    code = "inconsistent_upload_length"


class ChunkMismatch(Refused):
    """The bytes of a request do not have the checksum that came with it; none of them was kept."""

    code = "chunk_checksum_mismatch"


class BadImage(Refused):
    """The bytes claim to be an image and cannot be shown, for ``reason``: ``undecodable``, ``unsupported``,
    ``truncated``,
    ``too_many_pixels``, ``too_many_frames``, ``too_many_scans``, ``decoder_missing``, ``decoder_crashed``,
    ``decoder_timeout``, ``decoder_out_of_memory`` or ``rendering_empty``.
    """

    code = "bad_image"

    def __init__(self, reason: str, message: str, **details: Detail) -> None:
        super().__init__(message, reason=reason, **details)
        self.reason = reason

    @property
    def failure(self) -> Failure:
        return Failure(self.reason, self.message)


class WrongDimensions(Refused):
    """The picture is too small, too large or of the wrong shape for the policy that it was uploaded under."""

    code = "wrong_dimensions"


# --- state -------------------------------------------------------------------------------------------------


class Conflict(ImageGalleryError):
    """The state does not allow this."""

    code = "conflict"


class DuplicateImage(Conflict, Refused):
    """The owner has this file already, as the image ``image_id``, and asked to be informed."""

    code = "duplicate"


class GalleryFull(Conflict, Refused):
    """The gallery's policy allows no more images; remove one first."""

    code = "gallery_full"


class TooManyUploads(Conflict, Refused):
    """The owner has too many open uploads; complete or cancel one first."""

    code = "too_many_open_uploads"


class AlreadyUsed(Conflict, Refused):
    """The image is in use already, as the image ``image_id``: it was claimed or attached, or is in a gallery."""

    code = "already_used"


class StillReferenced(Conflict):
    """Records of the application refer to this, by its foreign key ``constraint`` of its ``table`` (``None``: a trigger
    refused), so it cannot be deleted. Both are for operators, not for clients."""

    code = "still_referenced"

    def __init__(self, message: str, *, table: str | None = None, constraint: str | None = None) -> None:
        super().__init__(message)
        self.table = table
        self.constraint = constraint
        if constraint is not None:
            self.add_note(f"By {constraint} of {table}.")


class UploadIncomplete(Conflict):
    """``complete`` was called before the bytes arrived."""

    code = "upload_incomplete"


class PartMismatch(Conflict):
    """A part of an upload differs from what was planned or claimed; it can be sent again."""

    code = "part_mismatch"


class UploadEnded(Conflict):
    """The upload session was cancelled, rejected or deleted; start a new one."""

    code = "upload_ended"


class OffsetMismatch(Conflict):
    """Bytes for another place than the end of what has arrived, which is ``expected``."""

    code = "offset_mismatch"

    def __init__(self, expected: int, provided: int) -> None:
        super().__init__(
            f"{expected:,} bytes have arrived; what follows cannot begin at {provided:,}.",
            expected=expected,
            provided=provided,
        )
        self.expected = expected
        self.provided = provided


class UploadInterrupted(Conflict):
    """Another request for the same upload came, so this one stopped. What had arrived is kept."""

    code = "upload_interrupted"


class UploadLocked(ImageGalleryError):
    """Another request is still working on the same upload; try again in a moment."""

    code = "upload_locked"


class UploadExpired(ImageGalleryError):
    """The upload session's time is over; start a new one."""

    code = "upload_expired"


class EventsGone(ImageGalleryError):
    """Events cannot be resumed from there: some later ones were deleted. Read the current state instead."""

    code = "events_gone"


class SlowReader(ImageGalleryError):
    """A subscriber fell too far behind and was dropped; it can resume after the last event it got."""

    code = "slow_reader"


# --- parts beneath us --------------------------------------------------------------------------------------


class ObjectNotFound(ImageGalleryError):
    """The object store holds nothing under this key."""

    code = "object_not_found"


class PreconditionFailed(ImageGalleryError):
    """A conditional write found something else."""

    code = "precondition_failed"


class LeaseLost(ImageGalleryError):
    """Another worker holds this job now; nothing more may be written for it."""

    code = "lease_lost"


class DiskFull(ImageGalleryError):
    """The disk of this service is almost full: the rest is reserved for the database."""

    code = "disk_full"


class Unavailable(ImageGalleryError):
    """A part of this service does not respond. Trying again later may help."""

    code = "unavailable"


class Overloaded(Unavailable):
    """Too much work waits already. Retry after ``retry_after`` seconds."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after


class HookFailed(Unavailable):
    """A function of the application that had to be asked failed, or did not answer in time."""

    code = "hook_failed"


class ConfigurationError(ImageGalleryError):
    """The settings cannot work; raised once, at start, in one line."""

    code = "configuration_error"


def first_cause(error: BaseException) -> BaseException:
    """The first error in nested exception groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def only_cause(error: BaseException) -> BaseException:
    """The error that exception groups wrapped, if there was only one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
