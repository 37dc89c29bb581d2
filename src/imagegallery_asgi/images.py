"""The library: images one by one, how to see them, and the original."""

from uuid import UUID

from starlette.responses import RedirectResponse, Response

from imagegallery import NotFound
from imagegallery_asgi.answers import CursorList, ImageDocument, One
from imagegallery_asgi.call import Call
from imagegallery_asgi.documents import cursor_images, image_document
from imagegallery_asgi.headers import accepted_formats
from imagegallery_asgi.schemas import LibraryQuery, UpdateImage, ViewQuery


async def list_images(call: Call, query: LibraryQuery) -> CursorList[ImageDocument]:
    page = await call.gallery.images.list_owned(call.principal, cursor=query.cursor, limit=query.limit)
    return cursor_images(page, call.principal, call.api_root)


async def get(call: Call, image_id: UUID) -> One[ImageDocument]:
    image = await call.gallery.images.get(call.principal, image_id)
    return One(image_document(image, call.principal, call.api_root))


async def update(call: Call, image_id: UUID, body: UpdateImage) -> One[ImageDocument]:
    image = await call.gallery.images.update(
        call.principal,
        image_id,
        alt_text=body.alt_text,
        filename=body.filename,
        is_favorite=body.is_favorite,
        is_archived=body.is_archived,
    )
    return One(image_document(image, call.principal, call.api_root))


async def delete(call: Call, image_id: UUID) -> None:
    await call.gallery.images.delete(call.principal, image_id)


async def retry(call: Call, image_id: UUID) -> One[ImageDocument]:
    image = await call.gallery.images.retry(call.principal, image_id)
    return One(image_document(image, call.principal, call.api_root))


async def view(call: Call, image_id: UUID, query: ViewQuery) -> Response:
    """302 to the best variant; with ``format``, to that format or nothing."""
    accepts = (query.format,) if query.format else accepted_formats(call.request.headers.get("Accept"))
    variant = await call.gallery.images.view(call.principal, image_id, variant=query.variant, accepts=accepts)
    if query.format not in (None, variant.format):
        raise NotFound("This image has no variant in that format.")
    return _redirect(call.url(variant.url))


async def download(call: Call, image_id: UUID) -> Response:
    """302 to a short-lived address of the original, for its owner."""
    return _redirect(call.url(await call.gallery.images.download_url(call.principal, image_id)))


def _redirect(url: str) -> Response:
    """The target may be signed for this principal and this moment: nobody else's, and not for later."""
    return RedirectResponse(url, 302, {"Cache-Control": "private, no-store", "Vary": "Accept, Authorization, Cookie"})
