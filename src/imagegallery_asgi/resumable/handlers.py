"""One address for uploads that come little by little: tus 1.0.0 and the IETF draft, told apart by their headers.

tus clients send ``Tus-Resumable`` with everything (`resumable.tus`); the draft's send ``Upload-Complete`` with bytes,
and a media type of its own (`resumable.ietf`). Questions and cancelling are alike, and answered in the asker's terms.
"""

from uuid import UUID

from starlette.responses import Response

from imagegallery import Conflict, NotFound, Permission, TooLarge, UploadExpired, UploadIncomplete, UploadSession
from imagegallery.access.permission import OWNER
from imagegallery.errors import ChunkMismatch, LengthMismatch, OffsetMismatch, UploadInterrupted, UploadLocked
from imagegallery_asgi.api.common import BYTES, LIMITED, WRONG_FILE, WRONG_UPLOAD
from imagegallery_asgi.api.requests import ResumableQuery
from imagegallery_asgi.api.responses.common import One
from imagegallery_asgi.api.responses.images import ImageDetail
from imagegallery_asgi.framework.bodies import check_not_encoded
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.errors import (
    CompletedUpload,
    DigestMismatch,
    MalformedRequest,
    UnsupportedVersion,
    UploadGone,
)
from imagegallery_asgi.framework.operations import JSON, Content, DeclaredAnswer, Operation, Repeats, declaring
from imagegallery_asgi.resumable import ietf as resumable_ietf
from imagegallery_asgi.resumable import ietf_wire, tus_wire
from imagegallery_asgi.resumable import tus as resumable_tus
from imagegallery_asgi.resumable.common import fields, in_its_terms, is_tus

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

_UPLOAD = DeclaredAnswer("How far it is.", headers=("Upload-Offset", "Cache-Control"))
_OPTIONS = {204: DeclaredAnswer("What is offered.", headers=("Tus-Version", "Tus-Extension", "Upload-Limit"))}
_PIECES = (Content(tus_wire.MEDIA_TYPE), Content(ietf_wire.MEDIA_TYPE))
_OVER = (NotFound, UnsupportedVersion, UploadGone, UploadExpired, UploadLocked)
_WRONG_PIECE = (UploadInterrupted, UploadIncomplete, OffsetMismatch, LengthMismatch, ChunkMismatch, DigestMismatch)


_NO_STORE = {"Cache-Control": "no-store"}


@operation(
    "POST",
    "/uploads/resumable",
    "Begin an upload that comes little by little (tus 1.0.0 or the IETF draft)",
    raises=(*_OVER, *LIMITED, *_WRONG_PIECE, *WRONG_UPLOAD),
    consumes=(*_PIECES, BYTES),
    needs_body=False,
    repeats=Repeats.KEYED,
    answers={
        201: DeclaredAnswer("Begun, at `Location`.", headers=("Location", "Upload-Offset")),
        202: DeclaredAnswer("The whole file came with it: the image.", (Content(JSON, One[ImageDetail]),)),
    },
    for_links=True,
    permission=Permission.NONE,
)
async def create_resumable_upload(call: Call, query: ResumableQuery) -> Response:
    """tus "Creation" and its kin, or the draft's "Upload Creation". Repeated with its `Idempotency-Key`, also without
    the bytes, it answers where the upload is and how far it has come."""
    check_not_encoded(call.request)
    if is_tus(call.request):
        return await resumable_tus.create(call, query)
    asked = ietf_wire.parse_append(fields(call.request))
    if asked.completes is None:
        raise MalformedRequest("Send Tus-Resumable: 1.0.0, or Upload-Complete: ?0 or ?1.")
    return await resumable_ietf.create(call, query, asked)


@operation(
    "GET",
    "/uploads/{upload_id}/resumable",
    "How far an upload has come; completes one that was cut short after its last byte",
    also_at="/uploads/resumable/{upload_id}",
    raises=(*_OVER, UploadIncomplete, TooLarge, *WRONG_FILE),
    answers={204: _UPLOAD},
    answers_head=True,
    names_any_id=True,
    is_safe=False,
    for_links=True,
    permission=OWNER,
)
async def get_resumable_upload(call: Call, upload_id: UUID) -> Response:
    """tus "HEAD", or the draft's "Offset Retrieval"."""
    with in_its_terms():
        session = await call.gallery.uploads.server.resumable.look(call.principal, upload_id)
    return Response(status_code=204, headers={**_NO_STORE, **_description(call, session)})


@operation(
    "PATCH",
    "/uploads/{upload_id}/resumable",
    "More bytes of an upload; the last ones make it an image",
    also_at="/uploads/resumable/{upload_id}",
    raises=(*_OVER, CompletedUpload, *_WRONG_PIECE, *WRONG_UPLOAD),
    consumes=_PIECES,
    needs_body=False,
    answers={
        202: DeclaredAnswer("The image (IETF draft).", (Content(JSON, One[ImageDetail]),)),
        204: DeclaredAnswer("As far as `Upload-Offset`.", headers=("Upload-Offset",)),
    },
    names_any_id=True,
    for_links=True,
    permission=OWNER,
)
async def append_resumable_upload(call: Call, upload_id: UUID) -> Response:
    """tus "PATCH", or the draft's "Upload Append"."""
    check_not_encoded(call.request)
    if is_tus(call.request):
        return await resumable_tus.append(call, upload_id)
    return await resumable_ietf.append(call, upload_id)


@operation(
    "DELETE",
    "/uploads/{upload_id}/resumable",
    "Give up an upload; an image that it has become stays",
    also_at="/uploads/resumable/{upload_id}",
    raises=(NotFound, UnsupportedVersion, UploadLocked, Conflict),
    answers={204: DeclaredAnswer("Given up.")},
    names_any_id=True,
    for_links=True,
    permission=OWNER,
)
async def cancel_resumable_upload(call: Call, upload_id: UUID) -> Response:
    """tus "Termination", or the draft's "Upload Cancellation". An image that an upload has become stays."""
    await call.gallery.uploads.server.resumable.terminate(call.principal, upload_id)
    return Response(status_code=204)


@operation(
    "OPTIONS",
    "/uploads/resumable",
    "What resumable uploads are offered",
    answers=_OPTIONS,
    needs_principal=False,
    for_links=True,
    permission=Permission.NONE,
)
async def get_resumable_options(call: Call) -> Response:
    """tus "OPTIONS", and the draft's "Limits"."""
    max_size = call.gallery.uploads.policy.max_size
    return Response(status_code=204, headers={**tus_wire.options(max_size), **ietf_wire.options(max_size)})


@operation(
    "OPTIONS",
    "/uploads/{upload_id}/resumable",
    "What resumable uploads are offered",
    also_at="/uploads/resumable/{upload_id}",
    answers=_OPTIONS,
    needs_principal=False,
    for_links=True,
    permission=Permission.NONE,
)
async def get_resumable_upload_options(call: Call, upload_id: UUID) -> Response:
    """The same, asked of an upload."""
    return await get_resumable_options(call)


def _description(call: Call, session: UploadSession) -> dict[str, str]:
    if is_tus(call.request):
        return tus_wire.description(session)
    max_size = call.gallery.uploads.policy.max_size
    limits = ietf_wire.limits(max_size, session, call.host.clock())
    return {**ietf_wire.description(session), **limits}
