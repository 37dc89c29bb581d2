"""Domain error to HTTP answer: one table, and problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from attrs import frozen
from starlette.responses import Response

from imagegallery import (
    BadImage,
    ChecksumMismatch,
    Conflict,
    EmptyFile,
    EventsGone,
    Fault,
    Forbidden,
    ImageGalleryError,
    InvalidInput,
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
    UploadExpired,
)
from imagegallery_asgi.answers import FaultDocument, Problem

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


class MalformedRequest(ImageGalleryError):
    """The body is not what its ``Content-Type`` says: not JSON, not a form."""

    code = "malformed_request"


class InvalidToken(Unauthenticated):
    """A token came with the request, and it is not a valid one."""

    code = "invalid_token"


class RouteNotFound(ImageGalleryError):
    """No operation has this path."""

    code = "route_not_found"


class MethodNotAllowed(ImageGalleryError):
    """The path is there, but not for this method."""

    code = "method_not_allowed"


class UnsupportedBody(ImageGalleryError):
    """The operation does not take a body of this ``Content-Type``."""

    code = "unsupported_body"


class RangeNotSatisfiable(ImageGalleryError):
    """The range asked for begins beyond the end of the object."""

    code = "range_not_satisfiable"


class InternalError(ImageGalleryError):
    """Something went wrong that is nobody's business but the log's."""

    code = "internal_error"


@frozen
class Row:
    """How a class of errors is answered. ``title`` is the same for every error of the class (RFC 9457)."""

    status: HTTPStatus
    title: str


# The class itself or its nearest ancestor in this table decides.
TABLE: Mapping[type[ImageGalleryError], Row] = {
    MalformedRequest: Row(HTTPStatus.BAD_REQUEST, "The body cannot be read"),
    Unauthenticated: Row(HTTPStatus.UNAUTHORIZED, "Sign in first"),
    Forbidden: Row(HTTPStatus.FORBIDDEN, "Not allowed"),
    SignatureInvalid: Row(HTTPStatus.FORBIDDEN, "The signed URL is not valid"),
    SignatureExpired: Row(HTTPStatus.FORBIDDEN, "The signed URL has expired"),
    QuotaExceeded: Row(HTTPStatus.FORBIDDEN, "The storage is full"),
    NotFound: Row(HTTPStatus.NOT_FOUND, "Not found"),
    ObjectNotFound: Row(HTTPStatus.NOT_FOUND, "Not found"),
    RouteNotFound: Row(HTTPStatus.NOT_FOUND, "No such address"),
    MethodNotAllowed: Row(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed here"),
    Conflict: Row(HTTPStatus.CONFLICT, "Not possible in the present state"),
    PreconditionFailed: Row(HTTPStatus.CONFLICT, "Already there, or changed meanwhile"),
    EventsGone: Row(HTTPStatus.GONE, "The events are no longer kept"),
    UploadExpired: Row(HTTPStatus.GONE, "The upload session has expired"),
    TooLarge: Row(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large"),
    UnsupportedBody: Row(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported kind of body"),
    UnsupportedType: Row(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported kind of image"),
    RangeNotSatisfiable: Row(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "The range is beyond the end"),
    InvalidInput: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid input"),
    EmptyFile: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "The file is empty"),
    TypeMismatch: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Not of the declared type"),
    SizeMismatch: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Not of the declared size"),
    ChecksumMismatch: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Not of the declared checksum"),
    BadImage: Row(HTTPStatus.UNPROCESSABLE_ENTITY, "Not a usable image"),
    Unavailable: Row(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later"),
    ImageGalleryError: Row(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong"),
}


def row_of(error: type[ImageGalleryError]) -> Row:
    """The row of the nearest class in the table."""
    return next(TABLE[base] for base in error.__mro__ if base in TABLE)


def problem(error: ImageGalleryError, request_id: str) -> Problem:
    """The document that tells the client what went wrong. An internal error's own words stay inside."""
    row = row_of(type(error))
    internal = row.status is HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(
        type="about:blank" if internal else f"urn:imagegallery:problem:{error.code}",
        title=row.title,
        status=row.status.value,
        detail="The error was logged under this request id." if internal else error.message,
        code=InternalError.code if internal else error.code,
        details={} if internal else dict(error.details),
        faults=tuple(FaultDocument(each.path, each.message) for each in faults_of(error)),
        requestId=request_id,
    )


def faults_of(error: ImageGalleryError) -> tuple[Fault, ...]:
    return error.faults if isinstance(error, InvalidInput) else ()


def problem_response(error: ImageGalleryError, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that failed; never cached."""
    document = problem(error, request_id)
    return Response(
        msgspec.json.encode(document),
        status_code=document.status,
        headers={"Cache-Control": "no-store", **_extra_headers(error, document.status), **(headers or {})},
        media_type=PROBLEM_TYPE,
    )


def _extra_headers(error: ImageGalleryError, status: int) -> dict[str, str]:
    """RFC 6750 section 3 and RFC 9110 section 10.2.3."""
    if isinstance(error, InvalidToken):
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}
