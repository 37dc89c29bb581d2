"""Uploads: upload sessions, and uploads in one call."""

from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from starlette.responses import Response

from imagegallery import (
    Conflict,
    DuplicateImage,
    Forbidden,
    Image,
    InvalidInput,
    NotFound,
    Permission,
    TooLarge,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
)
from imagegallery.access.permission import OWNER
from imagegallery.common.meta import parse_meta
from imagegallery.common.unset import Unset
from imagegallery.errors import EmptyFile, Fault, PartMismatch, UploadLocked
from imagegallery.uploads.session.part_plan import ClaimedPart
from imagegallery_asgi.api.common import BYTES, LIMITED, LONG_LIST, WRONG_FILE, WRONG_UPLOAD
from imagegallery_asgi.api.documents import (
    cursor_uploads,
    image_detail,
    part_url,
    stored_parts,
    upload_document,
)
from imagegallery_asgi.api.forms import IncomingForm
from imagegallery_asgi.api.galleries import gallery_condition, tagged_gallery
from imagegallery_asgi.api.requests import (
    AddImages,
    AddQuery,
    CompleteUpload,
    CreateUpload,
    SignParts,
    UploadForm,
    UploadsQuery,
)
from imagegallery_asgi.api.responses.common import CursorList, One
from imagegallery_asgi.api.responses.galleries import GalleryDetail
from imagegallery_asgi.api.responses.images import ImageDetail
from imagegallery_asgi.api.responses.uploads import SignedPartsDocument, StoredPartsDocument, UploadDocument
from imagegallery_asgi.framework.bodies import bounded, check_not_encoded, content_length, read_json
from imagegallery_asgi.framework.context import Call, exchange_of
from imagegallery_asgi.framework.endpoint import encoded, refuse_conditions
from imagegallery_asgi.framework.errors import UnsupportedBody
from imagegallery_asgi.framework.headers import disposition_filename, media_type, unquote
from imagegallery_asgi.framework.operations import JSON, Content, DeclaredAnswer, Operation, Repeats, declaring
from imagegallery_asgi.framework.parsing import raise_faults

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


# What generators of clients know comes first; any ``image/*`` is taken as well.
_FILE = (Content("multipart/form-data", UploadForm), BYTES)
_UPLOADED = {
    202: DeclaredAnswer("Uploaded; processing starts.", (Content(JSON, One[ImageDetail]),), headers=("Location",))
}
_FILES_HAVE_THEIR_OWN_SINCE = datetime(2026, 11, 30, tzinfo=UTC)
_UNTYPED = ("", "application/octet-stream", "binary/octet-stream")


@operation(
    "POST",
    "/uploads",
    "Begin an upload session",
    status=HTTPStatus.CREATED,
    raises=(NotFound, UnsupportedType, EmptyFile, *LIMITED, DuplicateImage, UploadLocked),
    repeats=Repeats.KEYED,
    for_links=True,
    permission=Permission.NONE,
)
async def create_upload(call: Call, body: CreateUpload) -> One[UploadDocument]:
    session = await call.gallery.uploads.create(
        call.principal,
        filename=body.filename,
        content_type=body.content_type,
        size=body.size,
        sha256=bytes.fromhex(body.sha256) if body.sha256 is not None else None,
        gallery_id=body.gallery_id,
        on_duplicate=body.on_duplicate,
        meta=body.meta,
        visibility=body.visibility,
        policy=body.policy,
        idempotency_key=call.idempotency_key,
    )
    call.headers.update({"Location": call.url(f"/uploads/{session.id}"), "Cache-Control": "no-store"})
    return One(upload_document(session, call.url))


@operation(
    "GET",
    "/uploads",
    "One's open uploads, newest first: `DELETE` gives one up",
    needs_user=True,
    permission=Permission.NONE,
)
async def list_uploads(call: Call, query: UploadsQuery) -> CursorList[UploadDocument]:
    page = await call.gallery.uploads.list(call.principal, cursor=query.cursor, limit=query.limit)
    return cursor_uploads(page, call.url)


@operation(
    "GET",
    "/uploads/{upload_id}",
    "One upload session",
    raises=(NotFound,),
    needs_user=True,
    for_links=True,
    permission=OWNER,
)
async def get_upload(call: Call, upload_id: UUID) -> One[UploadDocument]:
    session = await call.gallery.uploads.get(call.principal, upload_id)
    return One(upload_document(session, call.url))


@operation(
    "DELETE",
    "/uploads/{upload_id}",
    "Give up an upload",
    raises=(NotFound, UploadEnded),
    for_links=True,
    permission=OWNER,
)
async def cancel_upload(call: Call, upload_id: UUID) -> None:
    await call.gallery.uploads.cancel(call.principal, upload_id)


@operation(
    "PUT",
    "/uploads/{upload_id}/content",
    "The file itself, where the session asks for it",
    raises=(NotFound, UploadExpired, UploadEnded, Conflict, *WRONG_UPLOAD),
    consumes=(BYTES,),
    for_links=True,
    permission=OWNER,
)
async def send_upload_content(call: Call, upload_id: UUID) -> One[UploadDocument]:
    """Receive the bytes, for stores that cannot receive them from clients."""
    check_not_encoded(call.request)
    data = bounded(call.request, call.gallery.uploads.policy.max_size)
    session = await call.gallery.uploads.server.receive(call.principal, upload_id, data)
    return One(upload_document(session, call.url))


@operation(
    "POST",
    "/uploads/{upload_id}/complete",
    "Check the file and make it an image; may be repeated",
    status=HTTPStatus.ACCEPTED,
    raises=(NotFound, UploadExpired, UploadEnded, UploadIncomplete, PartMismatch, TooLarge, *WRONG_FILE),
    consumes=(Content(JSON, CompleteUpload),),
    needs_body=False,
    json_limit=LONG_LIST,
    for_links=True,
    permission=OWNER,
)
async def complete_upload(call: Call, upload_id: UUID) -> One[ImageDetail]:
    """A body with the sent parts is optional."""
    body = await _completion(call)
    uploads = call.gallery.uploads
    with call.host.metrics.counted_upload():
        if body.parts is None:
            image = await uploads.complete(call.principal, upload_id)
        else:
            claimed = [ClaimedPart(part.number, unquote(part.etag)) for part in body.parts]
            image = await uploads.parts.complete(call.principal, upload_id, claimed)
    return One(image_detail(image, call.api_root))


@operation(
    "POST",
    "/uploads/{upload_id}/parts/sign",
    "URLs for up to 100 parts: more of them, or new ones",
    raises=(NotFound, UploadExpired, UploadEnded, TooLarge, *WRONG_FILE),
    for_links=True,
    permission=OWNER,
)
async def sign_upload_parts(call: Call, upload_id: UUID, body: SignParts) -> One[SignedPartsDocument]:
    signed = await call.gallery.uploads.parts.sign(call.principal, upload_id, body.numbers)
    call.headers["Cache-Control"] = "no-store"
    return One(SignedPartsDocument(tuple(part_url(part, call.url) for part in signed)))


@operation(
    "GET",
    "/uploads/{upload_id}/parts",
    "The parts that have arrived",
    raises=(NotFound,),
    needs_user=True,
    for_links=True,
    permission=OWNER,
)
async def list_upload_parts(call: Call, upload_id: UUID) -> One[StoredPartsDocument]:
    session = await call.gallery.uploads.parts.get(call.principal, upload_id)
    parts = await call.gallery.uploads.parts.list(call.principal, upload_id)
    return One(stored_parts(parts, session.part_plan, is_open=not session.state.is_ended))


@operation(
    "POST",
    "/images",
    "Upload a file into the library, in one call",
    raises=(InvalidInput, UploadLocked, *LIMITED, *WRONG_UPLOAD),
    repeats=Repeats.KEYED,
    consumes=_FILE,
    answers=_UPLOADED,
    permission=Permission.NONE,
)
async def upload_image(call: Call, query: AddQuery) -> Response:
    """The file as the whole body, of any ``image/*`` type too, or in a form."""
    return await _upload(call, None, query)


@operation(
    "POST",
    "/galleries/{gallery_id}/uploads",
    "Upload a file into a gallery, in one call",
    raises=(NotFound, InvalidInput, UploadLocked, *LIMITED, *WRONG_UPLOAD),
    repeats=Repeats.KEYED,
    consumes=_FILE,
    answers=_UPLOADED,
    for_links=True,
    permission=Permission.ADD_IMAGES,
)
async def upload_gallery_image(call: Call, gallery_id: UUID, query: AddQuery) -> Response:
    """The file as the whole body, of any ``image/*`` type too, or in a form."""
    return await _upload(call, gallery_id, query)


@operation(
    "POST",
    "/galleries/{gallery_id}/images",
    "Add images of the library",
    raises=(NotFound,),
    repeats=Repeats.KEYED,
    consumes=(Content(JSON, AddImages),),
    answers={200: DeclaredAnswer("The images are in the gallery.", (Content(JSON, One[GalleryDetail]),))},
    query_is_deprecated=True,
    holds_conditions=True,
    permission=Permission.ADD_IMAGES,
)
async def add_gallery_images(call: Call, gallery_id: UUID, query: AddQuery) -> Response:
    """A file instead of the ids is deprecated: `POST /galleries/{gallery_id}/uploads` takes it."""
    if media_type(call.request.headers.get("Content-Type")) != JSON:
        _say_deprecated(call, successor=f"/galleries/{gallery_id}/uploads")
        refuse_conditions(call.request, is_there=False)
        return await _upload(call, gallery_id, query)
    check_not_encoded(call.request)
    return await _add_existing(call, gallery_id)


def _say_deprecated(call: Call, *, successor: str) -> None:
    """RFC 9745, and RFC 5829 for what comes after it; in the answer, whether it is a success or not."""
    description = f'<{call.url("/openapi.json")}>; rel="deprecation"; type="application/json"'
    headers = {
        "Deprecation": f"@{int(_FILES_HAVE_THEIR_OWN_SINCE.timestamp())}",
        "Link": f'<{call.url(successor)}>; rel="successor-version", {description}',
    }
    call.headers.update(headers)
    exchange_of(call.request).error_headers.update(headers)


async def _upload(call: Call, gallery_id: UUID | None, query: AddQuery) -> Response:
    check_not_encoded(call.request)
    kind = media_type(call.request.headers.get("Content-Type"))
    with call.host.metrics.counted_upload():
        image = await _add_new(call, gallery_id, query, kind)
    call.headers["Location"] = call.url(f"/images/{image.id}")
    return encoded(One(image_detail(image, call.api_root)), HTTPStatus.ACCEPTED, call.headers)


async def _completion(call: Call) -> CompleteUpload:
    faults: list[Fault] = []
    body = await read_json(CompleteUpload, call.request, call.json_limit, faults, if_any=True)
    raise_faults(faults)
    return body or CompleteUpload()


async def _add_existing(call: Call, gallery_id: UUID) -> Response:
    faults: list[Fault] = []
    body = await read_json(AddImages, call.request, call.json_limit, faults)
    raise_faults(faults)
    gallery = await call.gallery.galleries.add_images(
        call.principal, gallery_id, body.image_ids if body else (), check=gallery_condition(call)
    )
    return encoded(tagged_gallery(call, gallery), 200, call.headers)


async def _add_new(call: Call, gallery_id: UUID | None, query: AddQuery, kind: str) -> Image:
    if kind == "multipart/form-data":
        return await _add_form(call, gallery_id, query)
    if kind not in _UNTYPED and not kind.startswith("image/"):
        raise UnsupportedBody("Send an image, or multipart/form-data.")
    headers = call.request.headers
    return await call.gallery.uploads.add(
        call.principal,
        call.request.stream(),
        filename=query.filename or disposition_filename(headers.get("Content-Disposition")),
        content_type=kind,
        size=content_length(call.request),
        gallery_id=gallery_id,
        on_duplicate=query.on_duplicate,
        meta=parse_meta(("query", "meta"), query.meta),
        visibility=query.visibility,
        policy=query.policy,
        idempotency_key=call.idempotency_key,
    )


async def _add_form(call: Call, gallery_id: UUID | None, query: AddQuery) -> Image:
    form = await IncomingForm.open(call.request.stream(), call.request.headers["Content-Type"])
    image = await call.gallery.uploads.add(
        call.principal,
        form.file(),
        filename=query.filename or form.filename,
        content_type=form.content_type,
        gallery_id=gallery_id,
        on_duplicate=query.on_duplicate,
        meta=parse_meta(("body", "meta"), form.fields.meta),
        visibility=form.fields.visibility,
        policy=query.policy or form.policy,
        idempotency_key=call.idempotency_key,
    )
    if isinstance(form.fields.alt_text, Unset) or (call.idempotency_key and image.alt_text):
        return image  # a repetition changes nothing that was written meanwhile
    with suppress(Forbidden):  # of who adds it by a share, and may not edit
        return await call.gallery.images.update(call.principal, image.id, alt_text=form.fields.alt_text)
    return image
