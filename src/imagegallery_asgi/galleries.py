"""Galleries: make, read, change, delete, and what is in them."""

from uuid import UUID

from imagegallery import Fault, InvalidInput, Visibility
from imagegallery_asgi.answers import CursorList, GalleryDocument, ImageDocument, One, PageList
from imagegallery_asgi.call import Call
from imagegallery_asgi.documents import cursor_galleries, cursor_images, gallery_document, numbered_images
from imagegallery_asgi.schemas import CreateGallery, GalleriesQuery, GalleryImagesQuery, UpdateGallery

# One minute old is new enough for a visitor; who signs in sees every change at once.
_SHARED = {"Cache-Control": "public, max-age=60, stale-while-revalidate=30", "Vary": "Authorization, Cookie"}


async def list_galleries(call: Call, query: GalleriesQuery) -> CursorList[GalleryDocument]:
    page = await call.gallery.galleries.list(call.principal, view=query.view, cursor=query.cursor, limit=query.limit)
    if call.principal.user_id is None:
        call.headers.update(_SHARED)
    return cursor_galleries(page, call.principal, call.api_root)


async def create(call: Call, body: CreateGallery) -> One[GalleryDocument]:
    gallery = await call.gallery.galleries.create(
        call.principal, name=body.name, description=body.description, visibility=body.visibility
    )
    call.headers["Location"] = call.url(f"/galleries/{gallery.id}")
    return One(gallery_document(gallery, call.principal, call.api_root))


async def get(call: Call, gallery_id: UUID) -> One[GalleryDocument]:
    gallery = await call.gallery.galleries.get(call.principal, gallery_id)
    if call.principal.user_id is None and gallery.visibility is Visibility.PUBLIC:
        call.headers.update(_SHARED)
    return One(gallery_document(gallery, call.principal, call.api_root))


async def update(call: Call, gallery_id: UUID, body: UpdateGallery) -> One[GalleryDocument]:
    gallery = await call.gallery.galleries.update(
        call.principal,
        gallery_id,
        name=body.name,
        description=body.description,
        visibility=body.visibility,
        cover_image_id=body.cover_image_id,
    )
    return One(gallery_document(gallery, call.principal, call.api_root))


async def delete(call: Call, gallery_id: UUID) -> None:
    await call.gallery.galleries.delete(call.principal, gallery_id)


async def list_images(
    call: Call, gallery_id: UUID, query: GalleryImagesQuery
) -> CursorList[ImageDocument] | PageList[ImageDocument]:
    _check_one_way(query)
    answer = await _images(call, gallery_id, query)
    if call.principal.user_id is None and await _is_public(call, gallery_id):
        call.headers.update(_SHARED)
    return answer


async def remove_image(call: Call, gallery_id: UUID, image_id: UUID) -> None:
    await call.gallery.galleries.remove_image(call.principal, gallery_id, image_id)


async def _images(
    call: Call, gallery_id: UUID, query: GalleryImagesQuery
) -> CursorList[ImageDocument] | PageList[ImageDocument]:
    galleries, principal, order = call.gallery.galleries, call.principal, query.order
    if query.page is None:
        page = await galleries.list_images(principal, gallery_id, order=order, cursor=query.cursor, limit=query.limit)
        return cursor_images(page, principal, call.api_root)
    numbered = await galleries.list_images_page(principal, gallery_id, order=order, page=query.page, limit=query.limit)
    return numbered_images(numbered, principal, call.api_root)


async def _is_public(call: Call, gallery_id: UUID) -> bool:
    gallery = await call.gallery.galleries.get(call.principal, gallery_id)
    return gallery.visibility is Visibility.PUBLIC


def _check_one_way(query: GalleryImagesQuery) -> None:
    if query.page is not None and query.cursor is not None:
        faults = [Fault(("query", name), "page and cursor exclude each other") for name in ("page", "cursor")]
        raise InvalidInput("Ask by page or by cursor, not both.", faults)
