"""Objects by address: public variants for everybody, and whatever a signed URL allows its bearer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from starlette.responses import Response

from imagegallery import ByteRange, NotFound, ObjectInfo, ServesSignedUrls, UploadSession
from imagegallery_asgi.bodies import check_not_encoded, content_length
from imagegallery_asgi.call import Call
from imagegallery_asgi.errors import RangeNotSatisfiable, UnsupportedBody
from imagegallery_asgi.forms import IncomingForm
from imagegallery_asgi.headers import media_type
from imagegallery_asgi.middleware import exchange_of
from imagegallery_asgi.serving import Open, OpenObject, PlannedResponse, Representation, plan

_FOR_EVER = "public, max-age=31536000, immutable"


async def get_public(call: Call, key: str) -> Response:
    """A variant of an image that is publicly visible now; its key changes whenever its bytes do."""
    found = await call.gallery.images.open_public(key)
    info = await call.gallery.store.head(found.key)

    @asynccontextmanager
    async def open_object(byte_range: ByteRange | None) -> AsyncIterator[OpenObject]:
        async with call.gallery.store.get(found.key, byte_range) as stream:
            yield OpenObject(stream.info, stream.chunks)

    return _answer(call, Representation.of(info, found.content_type, _FOR_EVER), open_object)


async def get_signed(call: Call, token: str) -> Response:
    downloads = call.gallery.downloads
    if downloads is None:
        raise _elsewhere()
    signed = await downloads.describe(token)

    @asynccontextmanager
    async def open_object(byte_range: ByteRange | None) -> AsyncIterator[OpenObject]:
        async with downloads.open(token, byte_range) as stream:
            yield OpenObject(stream.object.info, stream.chunks)

    cache_control = f"private, max-age={_seconds_left(signed.expires_at, call.host.clock())}"
    it = Representation.of(signed.info, signed.content_type, cache_control, signed.download_as)
    return _answer(call, it, open_object)


async def put_signed(call: Call, token: str) -> Response:
    """The one upload, or the part of one, that the token allows."""
    store = _signed_urls(call)
    check_not_encoded(call.request)
    awaited = await call.gallery.uploads.check_awaited(store.upload_key(token))
    info = await store.accept(
        token,
        call.request.stream(),
        content_type=call.request.headers.get("Content-Type", ""),
        content_length=content_length(call.request),
    )
    return await _arrived(call, awaited, info)


async def post_signed(call: Call, token: str) -> Response:
    """The same in a form, as browsers send one to S3: the fields are for stores that want them."""
    store = _signed_urls(call)
    check_not_encoded(call.request)
    awaited = await call.gallery.uploads.check_awaited(store.upload_key(token))
    content_type = call.request.headers.get("Content-Type", "")
    if media_type(content_type) != "multipart/form-data":
        raise UnsupportedBody("Send multipart/form-data.")
    form = await IncomingForm.open(call.request.stream(), content_type, any_fields=True)
    info = await store.accept(token, form.file(), content_type=form.content_type or "")
    return await _arrived(call, awaited, info)


async def _arrived(call: Call, session: UploadSession, info: ObjectInfo) -> Response:
    if session.ends_on_arrival:
        with call.host.metrics.counted_upload():
            await call.gallery.uploads.arrived(session)
    return Response(status_code=204, headers={"ETag": f'"{info.etag}"', "Cache-Control": "no-store"})


def _answer(call: Call, it: Representation, open_object: Open) -> Response:
    request = call.request
    try:
        return PlannedResponse(plan(request.method, request.headers, it), it, open_object)
    except RangeNotSatisfiable:
        exchange_of(request).error_headers["Content-Range"] = f"bytes */{it.size}"
        raise


def _signed_urls(call: Call) -> ServesSignedUrls:
    if not isinstance(call.gallery.store, ServesSignedUrls):
        raise _elsewhere()
    return call.gallery.store


def _elsewhere() -> NotFound:
    return NotFound("This service's objects have addresses of their own.")


def _seconds_left(expires_at: datetime, now: datetime) -> int:
    return max(0, int((expires_at - now).total_seconds()))
