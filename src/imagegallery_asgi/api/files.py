"""Objects by address: public variants for everybody, and whatever a signed URL allows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote, urlsplit
from uuid import UUID
from xml.sax.saxutils import escape

import msgspec
from attrs import frozen
from starlette.responses import Response

from imagegallery import (
    Clock,
    InvalidInput,
    NotFound,
    Permission,
    PreconditionFailed,
    TooLarge,
    UploadEnded,
    UploadExpired,
)
from imagegallery.errors import DiskFull, HotlinkRefused, ObjectNotFound, SignatureExpired, SignatureInvalid
from imagegallery.galleries.files import GalleryFiles
from imagegallery.images.public_files import PublicFiles
from imagegallery.storage.keys import content_type_of
from imagegallery.storage.protocol import (
    ByteRange,
    LocalObjects,
    ObjectInfo,
    ObjectStore,
    ServesDownloads,
    SignedObject,
)
from imagegallery.uploads.signed import SignedUpload
from imagegallery_asgi.api.common import BYTES, IMAGE, WRONG_FILE
from imagegallery_asgi.api.forms import IncomingForm
from imagegallery_asgi.api.origins import asking_page, own_origins
from imagegallery_asgi.api.requests import ObjectForm
from imagegallery_asgi.api.responses.common import One
from imagegallery_asgi.api.responses.galleries import GalleryCookiesDocument
from imagegallery_asgi.framework.bodies import check_not_encoded, content_length
from imagegallery_asgi.framework.constraints import example
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.errors import MalformedRequest, RangeNotSatisfiable, UnsupportedBody
from imagegallery_asgi.framework.headers import media_type, quote_etag
from imagegallery_asgi.framework.object_response import ObjectResponse, OpenedObject, Representation, ServedObject
from imagegallery_asgi.framework.operations import JSON, Content, DeclaredAnswer, Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

# Of a cache in front.
EDGE, EDGE_CHECK = "X-Edge-Secret", "X-Edge-Checked"
ObjectKey = Annotated[str, example("library/images/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52/medium-nr3kq7wz2d.webp")]
Token = Annotated[str, example("eyJrIjoiaW5jb21pbmcifQ.c2lnbmVk")]
_OBJECT = {
    200: DeclaredAnswer("The whole object.", (IMAGE, BYTES), headers=("ETag", "Last-Modified", "Accept-Ranges")),
    206: DeclaredAnswer("The range asked for.", (IMAGE, BYTES), headers=("ETag", "Content-Range")),
    304: DeclaredAnswer("Not changed since.", headers=("ETag",)),
}
_STORED = {204: DeclaredAnswer("Stored. Complete the session now, unless it completes itself.", headers=("ETag",))}
_POSTED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<PostResponse><Location>/api/v1/uploads/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52</Location>"
    "<Key>incoming/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52</Key>"
    '<ETag>"5d41402abc4b2a76b9719d911017c592"</ETag></PostResponse>'
)
_STORED_FORM = {
    **_STORED,
    201: DeclaredAnswer(
        "The same, where the form asks for it with `success_action_status`.",
        (Content("application/xml", example=_POSTED),),
        headers=("ETag", "Location"),
    ),
}


# Fields of a form that S3 has, too.
CONTENT_TYPE_FIELD, STATUS_FIELD = "Content-Type", "success_action_status"
_CREATED = """\
<?xml version="1.0" encoding="UTF-8"?>
<PostResponse><Location>{location}</Location><Key>{key}</Key><ETag>{etag}</ETag></PostResponse>"""


@operation(
    "GET",
    "/files/{key:path}",
    "A public variant",
    raises=(NotFound, HotlinkRefused, ObjectNotFound, RangeNotSatisfiable),
    answers=_OBJECT,
    answers_head=True,
    needs_principal=False,
    holds_conditions=True,
    permission=Permission.NONE,
)
async def get_file(call: Call, key: ObjectKey) -> Response:
    """A variant of an image that everybody may see now; its key changes with its bytes. What only some pages may show
    (`allowed_origins` of its galleries) depends on the headers `Origin`, `Referer` and `Sec-Fetch-…` of browsers, and
    only they may keep it: `Cache-Control` is `private`."""
    rule = await call.gallery.service(PublicFiles).find(key)
    rule.require(asking_page(call.request.headers), own_origins(call))
    return await _serve(call, _PublicFile(call.gallery.server.store, key, rule.cache_control))


@operation(
    "GET",
    "/galleries/{gallery_id}/files/{key:path}",
    "A variant of an image in this gallery",
    raises=(NotFound, HotlinkRefused, ObjectNotFound, RangeNotSatisfiable),
    answers=_OBJECT,
    answers_head=True,
    needs_principal=False,
    holds_conditions=True,
    permission=Permission.NONE,
)
async def get_gallery_file(call: Call, gallery_id: UUID, key: ObjectKey) -> Response:
    """The same as at `/files/{key}`, for a gallery that everybody may see now; of a private one for clients with the
    cookies of `POST /galleries/{gallery_id}/cookies`."""
    headers = call.request.headers
    cache_control = await call.gallery.service(GalleryFiles).cache_control(
        gallery_id,
        key,
        asking_page(headers),
        own_origins(call),
        cookies=call.request.cookies,
        edge=(headers.get(EDGE), headers.get(EDGE_CHECK)),
    )
    return await _serve(call, _PublicFile(call.gallery.server.store, key, cache_control))


@operation(
    "POST",
    "/galleries/{gallery_id}/cookies",
    "Cookies for all files of a gallery",
    raises=(NotFound,),
    answers={
        200: DeclaredAnswer(
            "Set.", (Content("application/json", One[GalleryCookiesDocument]),), headers=("Set-Cookie",)
        )
    },
    needs_user=False,
    permission=Permission.VIEW,
)
async def make_gallery_cookies(call: Call, gallery_id: UUID) -> Response:
    """They open all variants of its images below `url`, as lists with `urls=gallery` have them. Like signed URLs they
    work until `expires_at`, whatever happens to the gallery."""
    made = await call.gallery.galleries.cookies(call.principal, gallery_id)
    url = call.url(made.url)
    document = One(GalleryCookiesDocument(url, made.expires_at))
    response = Response(msgspec.json.encode(document), headers={"Cache-Control": "no-store"}, media_type=JSON)
    is_secure = call.request.url.scheme == "https" or url.startswith("https:")
    for each in made.cookies:
        response.set_cookie(
            each.name,
            each.value,
            expires=made.expires_at,
            path=urlsplit(url).path,
            domain=each.domain,
            secure=is_secure,
            httponly=True,
            samesite="lax",
        )
    return response


@frozen
class _PublicFile:
    store: ObjectStore
    key: str
    cache_control: str

    async def describe(self) -> Representation:
        return self._representation(await self.store.head(self.key))

    @asynccontextmanager
    async def open(self, byte_range: ByteRange | None) -> AsyncIterator[OpenedObject]:
        async with self.store.get(self.key, byte_range) as stream:
            yield OpenedObject(self._representation(stream.info), stream.chunks)

    def _representation(self, info: ObjectInfo) -> Representation:
        return Representation.of(info, content_type_of(self.key), self.cache_control)


@operation(
    "GET",
    "/objects/{token:path}",
    "What a signed URL allows to read",
    raises=(SignatureInvalid, SignatureExpired, NotFound, ObjectNotFound, RangeNotSatisfiable),
    answers=_OBJECT,
    answers_head=True,
    needs_principal=False,
    holds_conditions=True,
    permission=Permission.NONE,
)
async def get_object(call: Call, token: Token) -> Response:
    downloads = call.gallery.server.downloads
    if downloads is None:
        raise _elsewhere()
    return await _serve(call, _SignedObject(downloads, token, call.host.clock))


@frozen
class _SignedObject:
    downloads: ServesDownloads
    token: str
    clock: Clock

    async def describe(self) -> Representation:
        return self._representation(await self.downloads.describe(self.token))

    @asynccontextmanager
    async def open(self, byte_range: ByteRange | None) -> AsyncIterator[OpenedObject]:
        async with self.downloads.open(self.token, byte_range) as stream:
            yield OpenedObject(self._representation(stream.object), stream.chunks)

    def _representation(self, signed: SignedObject) -> Representation:
        cache_control = f"private, max-age={_seconds_left(signed.expires_at, self.clock())}"
        return Representation.of(signed.info, signed.content_type, cache_control, signed.download_as)


@operation(
    "PUT",
    "/objects/{token:path}",
    "The upload that a signed URL allows",
    raises=(
        SignatureInvalid,
        SignatureExpired,
        NotFound,
        UploadExpired,
        UploadEnded,
        DiskFull,
        PreconditionFailed,
        TooLarge,
        *WRONG_FILE,
        ObjectNotFound,
        UnsupportedBody,
    ),
    consumes=(BYTES,),
    answers=_STORED,
    needs_principal=False,
    permission=Permission.NONE,
)
async def put_object(call: Call, token: Token) -> Response:
    """Receive the upload, or the part, that the token allows."""
    check_not_encoded(call.request)
    upload = await call.gallery.uploads.server.signed.find(token)
    etag = await call.gallery.uploads.server.signed.accept(
        upload,
        call.request.stream(),
        content_type=call.request.headers.get("Content-Type", ""),
        content_length=content_length(call.request),
    )
    await _complete(call, upload)
    return Response(status_code=204, headers=_stored(etag))


@operation(
    "POST",
    "/objects/{token:path}",
    "The same upload as a form",
    raises=(
        SignatureInvalid,
        SignatureExpired,
        MalformedRequest,
        InvalidInput,
        NotFound,
        UploadExpired,
        UploadEnded,
        DiskFull,
        PreconditionFailed,
        TooLarge,
        *WRONG_FILE,
        ObjectNotFound,
        UnsupportedBody,
    ),
    consumes=(Content("multipart/form-data", ObjectForm),),
    answers=_STORED_FORM,
    needs_principal=False,
    permission=Permission.NONE,
)
async def post_object(call: Call, token: Token) -> Response:
    """The same as a form, as browsers send it to S3, with S3's response (API reference, "POST Object")."""
    check_not_encoded(call.request)
    upload = await call.gallery.uploads.server.signed.find(token)
    content_type = call.request.headers.get("Content-Type", "")
    if media_type(content_type) != "multipart/form-data":
        raise UnsupportedBody("Send multipart/form-data.")
    form = await IncomingForm.open(call.request.stream(), content_type, any_fields=True)
    asked_type = form.given(CONTENT_TYPE_FIELD) or upload.session.content_type
    etag = await call.gallery.uploads.server.signed.accept(upload, form.file(), content_type=asked_type)
    await _complete(call, upload)
    status = form.given(STATUS_FIELD)
    if status == str(HTTPStatus.CREATED.value):
        location = call.url(f"/uploads/{upload.session.id}")
        return Response(
            _CREATED.format(location=location, key=escape(upload.session.incoming_key), etag=quote_etag(etag)),
            status_code=HTTPStatus.CREATED,
            headers={**_stored(etag), "Location": location},
            media_type="application/xml",
        )
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_stored(etag))


async def _complete(call: Call, upload: SignedUpload) -> None:
    if upload.completes:
        with call.host.metrics.counted_upload():
            await call.gallery.uploads.server.signed.complete(upload)


def _stored(etag: str) -> dict[str, str]:
    return {"ETag": quote_etag(etag), "Cache-Control": "no-store"}


async def _serve(call: Call, served: ServedObject) -> Response:
    """Send the object, or have the proxy in front send its file, if the settings say that there is one."""
    delivery, store = call.gallery.settings.delivery, call.gallery.server.store
    if not isinstance(store, LocalObjects) or (delivery.accel_redirect is None and not delivery.x_sendfile):
        return ObjectResponse(served)
    it = await served.describe()
    told = (
        {"X-Sendfile": str(store.local_path(it.key))}
        if delivery.accel_redirect is None
        else {"X-Accel-Redirect": f"{delivery.accel_redirect}{quote(it.key)}"}
    )
    return Response(headers={**it.headers(), "Content-Type": it.content_type, **told})


def _elsewhere() -> NotFound:
    return NotFound("This service's objects have addresses of their own.")


def _seconds_left(expires_at: datetime, now: datetime) -> int:
    return max(0, int((expires_at - now).total_seconds()))
