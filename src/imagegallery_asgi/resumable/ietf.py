"""The IETF draft over the upload sessions: draft-ietf-httpbis-resumable-upload, interop version 8.

ASGI cannot send an interim response (104). The response to a request without all bytes has the upload's address
("Careful Upload Creation"). A request with all bytes can be resumed if it has an ``Idempotency-Key``: the same without
bytes is answered with the address, and how far it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from uuid import UUID

from starlette.responses import Response

from imagegallery import ImageGalleryError, TooLarge, UploadEnded, UploadSession, UploadState
from imagegallery.common.meta import parse_meta
from imagegallery.errors import ChunkMismatch, OffsetMismatch
from imagegallery.uploads.resumable.rules import UploadChecksum, UploadPiece
from imagegallery_asgi.api.documents import image_detail
from imagegallery_asgi.api.requests import ResumableQuery
from imagegallery_asgi.api.responses.common import One
from imagegallery_asgi.framework.bodies import content_length
from imagegallery_asgi.framework.context import Call, exchange_of
from imagegallery_asgi.framework.endpoint import encoded
from imagegallery_asgi.framework.errors import (
    CompletedUpload,
    DigestMismatch,
    MalformedRequest,
    MismatchingUploadOffset,
    UnsupportedBody,
)
from imagegallery_asgi.framework.headers import disposition_filename, media_type
from imagegallery_asgi.resumable import ietf_wire
from imagegallery_asgi.resumable.common import append_body, fields, in_its_terms, location, whole_or_nothing
from imagegallery_asgi.resumable.structured import serialize_boolean


async def create(call: Call, query: ResumableQuery, asked: ietf_wire.Append) -> Response:
    """Section "Upload Creation"."""
    announced, completes = content_length(call.request), bool(asked.completes)
    with _in_its_terms(call):
        session = await _begin(call, query, asked)
    if session.state is UploadState.COMPLETED:
        return await _respond_processed(call, session)  # the digest told that these bytes are in already
    if announced == 0 and not completes:
        return _respond_created(call, session)
    async with whole_or_nothing(call, session):
        checksums = _checksums(asked) if call.idempotency_key is None else asked.content_digests
        piece = UploadPiece(0, announced=announced, length=asked.length, completes=completes, checksums=checksums)
        session = await _append(call, session.id, piece)
        return await _respond_processed(call, session) if completes else _respond_created(call, session)


async def append(call: Call, upload_id: UUID) -> Response:
    """Section "Upload Append"."""
    if media_type(call.request.headers.get("Content-Type")) != ietf_wire.MEDIA_TYPE:
        raise UnsupportedBody(f"Send the bytes with Content-Type: {ietf_wire.MEDIA_TYPE}.")
    asked = ietf_wire.parse_append(fields(call.request))
    if asked.offset is None or asked.completes is None:
        raise MalformedRequest("Send Upload-Offset, and Upload-Complete: ?0 or ?1.")
    piece = UploadPiece(
        asked.offset,
        announced=content_length(call.request),
        length=asked.length,
        completes=asked.completes,
        may_repeat=False,
        checksums=_checksums(asked),
    )
    session = await _append(call, upload_id, piece)
    if session.state is UploadState.COMPLETED:
        return await _respond_processed(call, session)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_state(call, session))


async def _begin(call: Call, query: ResumableQuery, asked: ietf_wire.Append) -> UploadSession:
    headers = call.request.headers
    announced = content_length(call.request)
    length = announced if asked.completes and asked.length is None else asked.length
    return await call.gallery.uploads.server.resumable.create(
        call.principal,
        filename=query.filename or disposition_filename(headers.get("Content-Disposition")),
        content_type=headers.get("Content-Type"),
        size=length,
        sha256=asked.repr_sha256,
        gallery_id=query.gallery_id,
        meta=parse_meta(("query", "meta"), query.meta),
        visibility=query.visibility,
        policy=query.policy,
        completes_itself=False,
        on_duplicate=query.on_duplicate,
        idempotency_key=call.idempotency_key,
    )


async def _append(call: Call, upload_id: UUID, piece: UploadPiece) -> UploadSession:
    with _in_its_terms(call):
        try:
            return await append_body(call, upload_id, piece)
        except TooLarge as error:
            # What sends more than it may is not resumed: the draft has the upload end.
            await call.gallery.uploads.server.resumable.invalidate(call.principal, upload_id, error)
            call.host.metrics.ended_upload(error.code)
            raise
        except ImageGalleryError as error:
            session = await call.gallery.uploads.get(call.principal, upload_id)
            exchange_of(call.request).error_headers.update(_describe_failure(call, session, error))
            if isinstance(error, UploadEnded) and session.image_id is not None:
                raise CompletedUpload(error.message) from error
            raise


def _describe_failure(call: Call, session: UploadSession, error: ImageGalleryError) -> dict[str, str]:
    """Whether all of it came and was processed, so that no further try would help; how far it is; what it became."""
    processed = session.state in (UploadState.REJECTED, UploadState.COMPLETED)
    headers = {"Upload-Complete": serialize_boolean(processed)}
    if isinstance(error, OffsetMismatch):
        headers["Upload-Offset"] = str(error.expected)
    if isinstance(error, UploadEnded) and session.image_id is not None:
        headers["Location"] = call.url(f"/images/{session.image_id}")
    return headers


@contextmanager
def _in_its_terms(call: Call) -> Iterator[None]:
    """Errors as the draft, and RFC 9530, name them."""
    try:
        with in_its_terms():
            yield
    except OffsetMismatch as error:
        raise MismatchingUploadOffset(error.expected, error.provided) from error
    except ChunkMismatch as error:
        raise DigestMismatch(error.message) from error
    except TooLarge:
        max_size = call.gallery.uploads.policy.max_size
        exchange_of(call.request).error_headers.update(ietf_wire.limits(max_size))
        raise


def _checksums(asked: ietf_wire.Append) -> tuple[UploadChecksum, ...]:
    """What these bytes must have: their own digests; and the whole's, where they are the whole. Nothing is kept of such
    bytes if they break off: with a key, which lets the client go on, the whole's digest is checked at the end alone."""
    whole = bool(asked.completes) and not asked.offset
    return asked.content_digests + (asked.repr_digests if whole else ())


def _state(call: Call, session: UploadSession) -> dict[str, str]:
    max_size = call.gallery.uploads.policy.max_size
    limits = ietf_wire.limits(max_size, session, call.host.clock())
    return {**ietf_wire.progress(session), **limits, "Cache-Control": "no-store"}


def _respond_created(call: Call, session: UploadSession) -> Response:
    headers = {"Location": location(call, session), **_state(call, session)}
    return Response(status_code=HTTPStatus.CREATED, headers=headers)


async def _respond_processed(call: Call, session: UploadSession) -> Response:
    """As if the whole file had come in one request: the image, which is being processed."""
    if session.image_id is None:
        raise MalformedRequest("This upload is not complete.")
    image = await call.gallery.images.get(call.principal, session.image_id)
    headers = {
        "Location": call.url(f"/images/{image.id}"),
        **_state(call, session),
        **(ietf_wire.repr_digest(image.sha256) if image.sha256 else {}),
    }
    return encoded(One(image_detail(image, call.api_root)), HTTPStatus.ACCEPTED, headers)
