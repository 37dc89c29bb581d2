"""Domain error to HTTP answer: one table, and problem details (RFC 9457)."""

from collections.abc import Mapping
from enum import IntEnum
from http import HTTPStatus
from typing import Annotated

import attrs
import msgspec
from attrs import frozen
from starlette.responses import Response

from imagegallery import (
    BadImage,
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
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
)
from imagegallery.errors import (
    ChecksumMismatch,
    ChunkMismatch,
    DiskFull,
    EmptyFile,
    EventsGone,
    Fault,
    GalleryFull,
    HookFailed,
    HotlinkRefused,
    LengthMismatch,
    LinkMoved,
    ObjectNotFound,
    OffsetMismatch,
    Overloaded,
    PasswordRequired,
    ShareEnded,
    SignatureExpired,
    SignatureInvalid,
    SizeMismatch,
    TypeMismatch,
    UploadLocked,
    VisitRequired,
    WrongDimensions,
    WrongPassword,
)
from imagegallery_asgi.framework.constraints import example

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


@frozen(slots=False)
class FaultDocument:
    path: Annotated[tuple[str, ...], example(("body", "name"))]
    message: Annotated[str, example("is required")]


@frozen(slots=False)
class Problem:
    """RFC 9457, with a stable ``code``, its ``details``, and the ``path`` of every fault of the input."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    details: Mapping[str, str | int | float | bool | None]
    faults: tuple[FaultDocument, ...]
    requestId: str  # noqa: N815 (a name of the wire)


@frozen(slots=False)
class MessagedProblem(Problem):
    """The same with the ``message`` that some clients show to people."""

    message: str


class MalformedRequest(ImageGalleryError):
    """The body is not what its ``Content-Type`` says: not JSON, not a form."""

    code = "malformed_request"


class HeadTooLarge(ImageGalleryError):
    """Method, address and headers of the request have more bytes than any client needs."""

    code = "head_too_large"


class BodyStalled(ImageGalleryError):
    """The rest of the request's body did not come, or came too slowly."""

    code = "body_stalled"


class InvalidToken(Unauthenticated):
    """A token came with the request, and it is not a valid one."""

    code = "invalid_token"


class RouteNotFound(ImageGalleryError):
    """No operation has this path."""

    code = "route_not_found"


class MethodNotAllowed(ImageGalleryError):
    """The path is there, but not for this method."""

    code = "method_not_allowed"


class KeyNotTaken(ImageGalleryError):
    """The request has an ``Idempotency-Key``, but its results cannot be recognised by one."""

    code = "idempotency_key_not_taken"


class UnsupportedVersion(ImageGalleryError):
    """The client speaks a version of tus that this service does not."""

    code = "unsupported_version"


class UploadGone(UploadEnded):
    """`UploadEnded`, where the upload is the resource that was asked for."""


class CompletedUpload(UploadGone):
    """An append to an upload that has become an image (the draft, "Completed Upload"); ``Location`` names it."""

    code = "completed_upload"


class MismatchingUploadOffset(OffsetMismatch):
    """`OffsetMismatch` as the IETF draft wants it told (draft-ietf-httpbis-resumable-upload, "Mismatching Offset")."""

    @property
    def members(self) -> Mapping[str, int]:
        return {"expected-offset": self.expected, "provided-offset": self.provided}


class DigestMismatch(ChunkMismatch):
    """`ChunkMismatch` in terms of RFC 9530."""

    code = "digest_mismatch"


class UnsupportedBody(ImageGalleryError):
    """The operation does not take a body of this ``Content-Type``."""

    code = "unsupported_body"


class StaleCondition(ImageGalleryError):
    """``If-Match`` or ``If-Unmodified-Since`` do not hold (any more)."""

    code = "condition_failed"


class RangeNotSatisfiable(ImageGalleryError):
    """The range asked for begins beyond the end of the object."""

    code = "range_not_satisfiable"


class FormatNotOffered(ImageGalleryError):
    """The document is wanted in a format that it does not come in."""

    code = "format_not_offered"


class InternalError(ImageGalleryError):
    """Something went wrong that is nobody's business but the log's."""

    code = "internal_error"


class TusStatus(IntEnum):
    """Statuses that tus has added to HTTP's (its section "Checksum")."""

    CHECKSUM_MISMATCH = 460


@frozen
class Row:
    """How a class of errors is answered. ``title`` is the same for every error of the class (RFC 9457)."""

    status: HTTPStatus | TusStatus
    title: str


# The class itself or its nearest ancestor in this table decides.
TABLE: Mapping[type[ImageGalleryError], Row] = {
    MalformedRequest: Row(HTTPStatus.BAD_REQUEST, "The body cannot be read"),
    Unauthenticated: Row(HTTPStatus.UNAUTHORIZED, "Sign in first"),
    HotlinkRefused: Row(HTTPStatus.FORBIDDEN, "Not for that page"),
    PasswordRequired: Row(HTTPStatus.UNAUTHORIZED, "The link has a password"),
    WrongPassword: Row(HTTPStatus.UNAUTHORIZED, "Not the password"),
    VisitRequired: Row(HTTPStatus.UNAUTHORIZED, "Open the link first"),
    LinkMoved: Row(HTTPStatus.PERMANENT_REDIRECT, "The link has another name"),
    ShareEnded: Row(HTTPStatus.GONE, "The share has ended"),
    Forbidden: Row(HTTPStatus.FORBIDDEN, "Not allowed"),
    SignatureInvalid: Row(HTTPStatus.FORBIDDEN, "The signed URL is not valid"),
    SignatureExpired: Row(HTTPStatus.FORBIDDEN, "The signed URL has expired"),
    QuotaExceeded: Row(HTTPStatus.FORBIDDEN, "The storage is full"),
    NotFound: Row(HTTPStatus.NOT_FOUND, "Not found"),
    ObjectNotFound: Row(HTTPStatus.NOT_FOUND, "Not found"),
    RouteNotFound: Row(HTTPStatus.NOT_FOUND, "No such address"),
    MethodNotAllowed: Row(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed here"),
    KeyNotTaken: Row(HTTPStatus.BAD_REQUEST, "No idempotency key is taken here"),
    DuplicateImage: Row(HTTPStatus.CONFLICT, "In the library already"),
    Conflict: Row(HTTPStatus.CONFLICT, "Not possible in the present state"),
    PreconditionFailed: Row(HTTPStatus.CONFLICT, "Already there, or changed meanwhile"),
    EventsGone: Row(HTTPStatus.GONE, "The events are no longer kept"),
    UploadGone: Row(HTTPStatus.GONE, "The upload is over"),
    UploadLocked: Row(HTTPStatus.LOCKED, "Another request is at work on it"),
    BodyStalled: Row(HTTPStatus.REQUEST_TIMEOUT, "The body did not come"),
    HeadTooLarge: Row(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's head is too large"),
    FormatNotOffered: Row(HTTPStatus.NOT_IMPLEMENTED, "Not in that format"),
    UnsupportedVersion: Row(HTTPStatus.PRECONDITION_FAILED, "Unsupported version of the protocol"),
    LengthMismatch: Row(HTTPStatus.BAD_REQUEST, "Inconsistent lengths of one upload"),
    ChunkMismatch: Row(TusStatus.CHECKSUM_MISMATCH, "Not of the announced checksum"),
    DigestMismatch: Row(HTTPStatus.BAD_REQUEST, "Not of the announced digest"),
    UploadExpired: Row(HTTPStatus.GONE, "The upload session has expired"),
    TooLarge: Row(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large"),
    UnsupportedBody: Row(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported kind of body"),
    UnsupportedType: Row(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported kind of image"),
    StaleCondition: Row(HTTPStatus.PRECONDITION_FAILED, "Changed meanwhile"),
    RangeNotSatisfiable: Row(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "The range is beyond the end"),
    InvalidInput: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid input"),
    Refused: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Refused"),
    EmptyFile: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "The file is empty"),
    TypeMismatch: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Not of the declared type"),
    SizeMismatch: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Not of the declared size"),
    ChecksumMismatch: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Not of the declared checksum"),
    BadImage: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Not a usable image"),
    WrongDimensions: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Not of the wanted size in pixels"),
    GalleryFull: Row(HTTPStatus.CONFLICT, "The gallery is full"),
    HookFailed: Row(HTTPStatus.SERVICE_UNAVAILABLE, "The application's own check failed"),
    RateLimited: Row(HTTPStatus.TOO_MANY_REQUESTS, "Too often; try again later"),
    Overloaded: Row(HTTPStatus.SERVICE_UNAVAILABLE, "Too much to do; try again later"),
    DiskFull: Row(HTTPStatus.INSUFFICIENT_STORAGE, "The service's disk is full"),
    Unavailable: Row(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later"),
    ImageGalleryError: Row(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong"),
}


# Problem types that others have defined.
_REGISTERED: Mapping[type[ImageGalleryError], str] = {
    MismatchingUploadOffset: "https://iana.org/assignments/http-problem-types#mismatching-upload-offset",
    CompletedUpload: "https://iana.org/assignments/http-problem-types#completed-upload",
    LengthMismatch: "https://iana.org/assignments/http-problem-types#inconsistent-upload-length",
}


def row_of(error: type[ImageGalleryError]) -> Row:
    """The row of the nearest class in the table."""
    return next(TABLE[base] for base in error.__mro__ if base in TABLE)


def problem(error: ImageGalleryError, request_id: str) -> Problem:
    """The document that tells the client what went wrong. An internal error's own words stay inside."""
    row = row_of(type(error))
    internal = row.status is HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(
        type="about:blank" if internal else _type(error),
        title=row.title,
        status=row.status.value,
        detail="The error was logged under this request id." if internal else error.message,
        code=InternalError.code if internal else error.code,
        details={} if internal else dict(error.details),
        faults=tuple(FaultDocument(each.path, each.message) for each in faults_of(error)),
        requestId=request_id,
    )


def _type(error: ImageGalleryError) -> str:
    return _REGISTERED.get(type(error), f"urn:imagegallery:problem:{error.code}")


def faults_of(error: ImageGalleryError) -> tuple[Fault, ...]:
    return error.faults if isinstance(error, InvalidInput) else ()


def problem_response(
    error: ImageGalleryError,
    request_id: str,
    headers: Mapping[str, str] | None = None,
    *,
    tells_message: bool = False,
) -> Response:
    """The answer to a request that failed; never cached."""
    document = problem_document(error, request_id, tells_message=tells_message)
    members = error.members if isinstance(error, MismatchingUploadOffset) else {}
    return Response(
        msgspec.json.encode({**msgspec.to_builtins(document), **members}),
        status_code=document.status,
        headers={"Cache-Control": "no-store", **_extra_headers(error, document.status), **(headers or {})},
        media_type=PROBLEM_TYPE,
    )


def problem_document(error: ImageGalleryError, request_id: str, *, tells_message: bool) -> Problem:
    """`problem`, with a ``message`` too where clients show one."""
    document = problem(error, request_id)
    if not tells_message:
        return document
    return MessagedProblem(**attrs.asdict(document, recurse=False), message=_message(document))


def _message(document: Problem) -> str:
    """All that a person needs to know, in one text: Uppy shows nothing else."""
    return " ".join([document.detail, *(f"{fault.path[-1]}: {fault.message}." for fault in document.faults)])


def _extra_headers(error: ImageGalleryError, status: int) -> dict[str, str]:
    """RFC 6750 section 3 and RFC 9110 section 10.2.3."""
    if isinstance(error, InvalidToken):
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, RateLimited | Overloaded):
        return {"Retry-After": str(error.retry_after)}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}
