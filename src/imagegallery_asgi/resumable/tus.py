"""tus 1.0.0 over the upload sessions: https://tus.io/protocols/resumable-upload, whose sections are named here."""

from http import HTTPStatus
from uuid import UUID

import attrs
from starlette.responses import Response

from imagegallery import UploadSession, Visibility
from imagegallery.common.meta import parse_meta
from imagegallery.uploads.resumable.rules import UploadPiece
from imagegallery.uploads.session.session import Concatenation
from imagegallery_asgi.api.requests import ResumableQuery
from imagegallery_asgi.framework.bodies import content_length, is_empty
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.errors import UnsupportedBody
from imagegallery_asgi.framework.headers import media_type
from imagegallery_asgi.resumable import tus_wire
from imagegallery_asgi.resumable.common import append_body, fields, in_its_terms, location, whole_or_nothing


async def create(call: Call, query: ResumableQuery) -> Response:
    """Sections "Creation", "Creation With Upload", "Concatenation"."""
    asked = tus_wire.parse_creation(fields(call.request))
    metadata = attrs.evolve(
        asked.metadata,
        gallery_id=asked.metadata.gallery_id or query.gallery_id,
        filename=asked.metadata.filename or query.filename,
        meta=asked.metadata.meta or query.meta,
        visibility=asked.metadata.visibility or query.visibility,
        policy=asked.metadata.policy or query.policy,
    )
    if asked.parts is not None:
        session = await _concatenate(call, asked, asked.parts, metadata)
    else:
        brings_bytes = await _brings_bytes(call)
        with in_its_terms():
            session = await _begin(call, query, asked, metadata)
        if brings_bytes:
            session = await _first_piece(call, session)
    headers = {"Location": location(call, session), "Cache-Control": "no-store", **tus_wire.progress(session)}
    return Response(status_code=HTTPStatus.CREATED, headers=headers)


async def append(call: Call, upload_id: UUID) -> Response:
    """Section "PATCH", with "Checksum" and the deferred length."""
    if media_type(call.request.headers.get("Content-Type")) != tus_wire.MEDIA_TYPE:
        raise UnsupportedBody(f"Send the bytes with Content-Type: {tus_wire.MEDIA_TYPE}.")
    asked = fields(call.request)
    piece = UploadPiece(
        tus_wire.parse_offset(asked),
        announced=content_length(call.request),
        length=tus_wire.parse_length(asked),
        checksums=tus_wire.parse_checksum(asked.get("Upload-Checksum")),
    )
    with in_its_terms():
        session = await append_body(call, upload_id, piece)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=tus_wire.progress(session))


async def _begin(
    call: Call, query: ResumableQuery, asked: tus_wire.Creation, metadata: tus_wire.TusMetadata
) -> UploadSession:
    return await call.gallery.uploads.server.resumable.create(
        call.principal,
        filename=metadata.filename,
        content_type=metadata.content_type,
        size=asked.length,
        gallery_id=metadata.gallery_id,
        meta=parse_meta(("header", "Upload-Metadata", "meta"), metadata.meta),
        visibility=metadata.visibility or Visibility.PRIVATE,
        policy=metadata.policy,
        wire_metadata=metadata.raw,
        concatenation=Concatenation.PARTIAL if asked.is_partial else None,
        wire_concatenation=asked.concat,
        on_duplicate=query.on_duplicate,
        idempotency_key=call.idempotency_key,
    )


async def _concatenate(
    call: Call, asked: tus_wire.Creation, parts: tuple[UUID, ...], metadata: tus_wire.TusMetadata
) -> UploadSession:
    with call.host.metrics.counted_upload():
        return await call.gallery.uploads.server.resumable.concatenate(
            call.principal,
            parts,
            filename=metadata.filename,
            content_type=metadata.content_type,
            gallery_id=metadata.gallery_id,
            meta=parse_meta(("header", "Upload-Metadata", "meta"), metadata.meta),
            visibility=metadata.visibility or Visibility.PRIVATE,
            policy=metadata.policy,
            wire_metadata=metadata.raw,
            wire_concatenation=asked.concat or "",
        )


async def _brings_bytes(call: Call) -> bool:
    """Raises `UnsupportedBody` for a body of any other type than uploads have."""
    if media_type(call.request.headers.get("Content-Type")) == tus_wire.MEDIA_TYPE:
        return True
    if not await is_empty(call.request):
        raise UnsupportedBody(f"Send the first bytes with Content-Type: {tus_wire.MEDIA_TYPE}.")
    return False


async def _first_piece(call: Call, session: UploadSession) -> UploadSession:
    async with whole_or_nothing(call, session):
        checksums = tus_wire.parse_checksum(call.request.headers.get("Upload-Checksum"))
        piece = UploadPiece(0, announced=content_length(call.request), checksums=checksums)
        return await append_body(call, session.id, piece)
