"""The routes for Uppy's S3 plugin: `uppy.wire` has the format, upload sessions do the work.

Uppy identifies an upload by ``uploadId`` and ``key``. Ours are the session's id, which is its owner's alone, and the
session's key, which is compared on every call and never trusted.
"""

from datetime import datetime
from uuid import UUID

from imagegallery import (
    InvalidInput,
    NotFound,
    Permission,
    TooLarge,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
    UploadRequest,
    UploadSession,
)
from imagegallery.access.permission import OWNER
from imagegallery.common.meta import parse_meta
from imagegallery.errors import EmptyFile, Fault, PartMismatch
from imagegallery.storage.protocol import ServesSignedUrls
from imagegallery.uploads.session.part_plan import ClaimedPart, SignedPart
from imagegallery_asgi.api.common import LIMITED, LONG_LIST, WRONG_FILE
from imagegallery_asgi.api.files import CONTENT_TYPE_FIELD, STATUS_FIELD
from imagegallery_asgi.framework.context import Call, public_origin
from imagegallery_asgi.framework.headers import quote_etag, unquote
from imagegallery_asgi.framework.operations import Operation, Repeats, declaring
from imagegallery_asgi.framework.parsing import parse_pairs, raise_faults, split_query
from imagegallery_asgi.uppy.wire import (
    BUCKET,
    AnyNumber,
    UppyBatchDocument,
    UppyBatchQuery,
    UppyCompletedDocument,
    UppyEmptyDocument,
    UppyFile,
    UppyKeyQuery,
    UppyMetadata,
    UppyMultipartDocument,
    UppyParams,
    UppyParamsDocument,
    UppyParts,
    UppySignedPartDocument,
    UppyStoredPartDocument,
    params_of,
)

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


@operation(
    "GET",
    "/uploads/uppy/s3/params",
    "Begin an upload in one request, for Uppy",
    repeats=Repeats.REFUSED,
    raises=(InvalidInput, NotFound, UnsupportedType, EmptyFile, TooLarge, *LIMITED),
    is_safe=False,
    tells_message=True,
    for_links=True,
    permission=Permission.NONE,
)
async def begin_uppy_upload(call: Call) -> UppyParamsDocument:
    """``filename``, ``type`` and of the metadata ``metadata[gallery_id]``, ``metadata[size]``, ``metadata[meta]``,
    ``metadata[visibility]`` and ``metadata[policy]`` as query."""
    faults: list[Fault] = []
    asked = parse_pairs(UppyParams, params_of(split_query(call.request.scope["query_string"])), ("query",), faults)
    raise_faults(faults)
    assert asked is not None
    session = await call.gallery.uploads.server.create_in_one_request(
        call.principal,
        filename=asked.filename,
        content_type=asked.type,
        size=asked.size,
        gallery_id=asked.gallery_id,
        meta=parse_meta(("query", "metadata", "meta"), asked.meta),
        visibility=asked.visibility,
        policy=asked.policy,
    )
    _no_store(call)
    return _form_or_put(call, session)


@operation(
    "POST",
    "/uploads/uppy/s3/multipart",
    "Begin an upload in parts, for Uppy",
    repeats=Repeats.REFUSED,
    raises=(NotFound, UnsupportedType, EmptyFile, *LIMITED),
    tells_message=True,
    for_links=True,
    permission=Permission.NONE,
)
async def create_uppy_multipart(call: Call, body: UppyFile) -> UppyMultipartDocument:
    metadata = body.metadata or UppyMetadata()
    session = await call.gallery.uploads.parts.begin(
        call.principal,
        filename=body.filename,
        content_type=body.type,
        size=metadata.size,
        gallery_id=metadata.gallery_id,
        meta=parse_meta(("body", "metadata", "meta"), metadata.meta),
        visibility=metadata.visibility,
        policy=metadata.policy,
        completes_itself=True,
    )
    _no_store(call)
    return UppyMultipartDocument(session.incoming_key, str(session.id), BUCKET)


@operation(
    "GET",
    "/uploads/uppy/s3/multipart/{upload_id}",
    "The parts that have arrived, for Uppy",
    raises=(NotFound,),
    needs_user=True,
    tells_message=True,
    for_links=True,
    permission=OWNER,
)
async def list_uppy_parts(call: Call, upload_id: UUID, query: UppyKeyQuery) -> tuple[UppyStoredPartDocument, ...]:
    await call.gallery.uploads.parts.get(call.principal, upload_id, key=query.key)
    parts = await call.gallery.uploads.parts.list(call.principal, upload_id)
    return tuple(UppyStoredPartDocument(part.number, quote_etag(part.etag), part.size) for part in parts)


@operation(
    "GET",
    "/uploads/uppy/s3/multipart/{upload_id}/{number}",
    "The URL of one part, for Uppy",
    raises=(NotFound, UploadExpired, UploadEnded, TooLarge, *WRONG_FILE),
    is_safe=False,
    tells_message=True,
    for_links=True,
    permission=OWNER,
)
async def sign_uppy_part(call: Call, upload_id: UUID, number: AnyNumber, query: UppyKeyQuery) -> UppySignedPartDocument:
    (part,) = await _sign(call, upload_id, query.key, (number,))
    return UppySignedPartDocument(_url(call, part.request), dict(part.request.headers), _seconds(call, part.expires_at))


@operation(
    "GET",
    "/uploads/uppy/s3/multipart/{upload_id}/batch",
    "URLs for some parts, for Uppy",
    raises=(NotFound, UploadExpired, UploadEnded, TooLarge, *WRONG_FILE),
    is_safe=False,
    tells_message=True,
    for_links=True,
    permission=OWNER,
)
async def sign_uppy_parts(call: Call, upload_id: UUID, query: UppyBatchQuery) -> UppyBatchDocument:
    numbers = tuple(map(int, query.partNumbers.split(",")))
    parts = await _sign(call, upload_id, query.key, numbers)
    return UppyBatchDocument({str(part.number): _url(call, part.request) for part in parts})


@operation(
    "POST",
    "/uploads/uppy/s3/multipart/{upload_id}/complete",
    "Join the parts and make them an image, for Uppy",
    raises=(NotFound, UploadExpired, UploadEnded, UploadIncomplete, PartMismatch, TooLarge, *WRONG_FILE),
    json_limit=LONG_LIST,
    tells_message=True,
    for_links=True,
    permission=OWNER,
)
async def complete_uppy_multipart(
    call: Call, upload_id: UUID, query: UppyKeyQuery, body: UppyParts
) -> UppyCompletedDocument:
    uploads = call.gallery.uploads
    await uploads.parts.get(call.principal, upload_id, key=query.key)
    claimed = [ClaimedPart(part.PartNumber, unquote(part.ETag)) for part in body.parts]
    with call.host.metrics.counted_upload():
        image = await uploads.parts.complete(call.principal, upload_id, claimed)
    return UppyCompletedDocument(_absolute(call, f"/images/{image.id}"), query.key, BUCKET)


@operation(
    "DELETE",
    "/uploads/uppy/s3/multipart/{upload_id}",
    "Give up an upload in parts, for Uppy",
    raises=(NotFound, UploadEnded),
    tells_message=True,
    for_links=True,
    permission=OWNER,
)
async def abort_uppy_multipart(call: Call, upload_id: UUID, query: UppyKeyQuery) -> UppyEmptyDocument:
    await call.gallery.uploads.parts.get(call.principal, upload_id, key=query.key)
    await call.gallery.uploads.cancel(call.principal, upload_id)
    return UppyEmptyDocument()


async def _sign(call: Call, upload_id: UUID, key: str, numbers: tuple[int, ...]) -> tuple[SignedPart, ...]:
    await call.gallery.uploads.parts.get(call.principal, upload_id, key=key)
    signed = await call.gallery.uploads.parts.sign(call.principal, upload_id, numbers)
    _no_store(call)
    return signed


def _form_or_put(call: Call, session: UploadSession) -> UppyParamsDocument:
    """Uppy 6 only sends forms here, and our own addresses accept the same upload as one."""
    request = session.request
    assert request is not None
    if request.method == "PUT" and isinstance(call.gallery.server.store, ServesSignedUrls):
        fields = {"key": session.incoming_key, CONTENT_TYPE_FIELD: session.content_type, STATUS_FIELD: "201"}
        request = UploadRequest("POST", request.url, fields=fields)
    return UppyParamsDocument(
        request.method,
        _url(call, request),
        dict(request.fields),
        dict(request.headers),
        _seconds(call, session.expires_at),
    )


def _url(call: Call, request: UploadRequest) -> str:
    return _absolute(call, request.url)


def _absolute(call: Call, url: str) -> str:
    """With scheme and host: Uppy parses URLs, and its page may come from elsewhere."""
    found = call.url(url)
    return f"{public_origin(call.request)}{found}" if found.startswith("/") else found


def _seconds(call: Call, expires_at: datetime) -> int:
    return max(0, int((expires_at - call.host.clock()).total_seconds()))


def _no_store(call: Call) -> None:
    """Signed URLs are secrets."""
    call.headers["Cache-Control"] = "no-store"
