"""Galleries: create, read, change, delete, and their images."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TypedDict
from uuid import UUID

import msgspec
from starlette.responses import Response

from imagegallery import Conflict, Gallery, ImageFilter, ImageOrder, InvalidInput, NotFound, Permission, StillReferenced
from imagegallery.errors import Fault
from imagegallery.galleries.pages import ListPlace, LoadedPage
from imagegallery_asgi.api.documents import (
    access_document,
    chosen_fields,
    cursor_galleries,
    cursor_pagination,
    gallery_detail,
    image_list,
    page_pagination,
)
from imagegallery_asgi.api.pages import (
    KEPT_LIMITS,
    UNKEPT_FIELDS,
    condition,
    loaded_page,
    page_answers,
    page_response,
    tag_of,
    unkept_response,
)
from imagegallery_asgi.api.requests import (
    CreateGallery,
    DeleteGalleryQuery,
    GalleriesQuery,
    GalleryImagesQuery,
    MoveImages,
    RemoveImages,
    UpdateGallery,
)
from imagegallery_asgi.api.responses.access import AccessDocument
from imagegallery_asgi.api.responses.common import CursorList, One
from imagegallery_asgi.api.responses.galleries import GalleryDetail, GalleryDocument
from imagegallery_asgi.api.responses.image_lists import ChosenImages, ChosenImagesPage, GalleryImages, GalleryImagesPage
from imagegallery_asgi.api.responses.images import GalleryImage
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, Repeats, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)


class _Selection(TypedDict):
    """The arguments of both ways through a gallery's images."""

    order: ImageOrder
    seed: int | None
    where: ImageFilter
    limit: int
    by_cookies: bool


@operation(
    "GET",
    "/galleries",
    "Galleries, newest first",
    answers=page_answers(CursorList[GalleryDocument]),
    holds_conditions=True,
    permission=Permission.NONE,
)
async def list_galleries(call: Call, query: GalleriesQuery) -> Response:
    async def load() -> CursorList[GalleryDocument]:
        galleries = call.gallery.galleries
        page = await galleries.list(
            call.principal,
            view="shared" if query.shared else query.view,
            where=query.filter,
            cursor=query.cursor,
            limit=query.limit,
        )
        return cursor_galleries(page, call.api_root, with_meta=query.with_meta)

    async def load_page() -> LoadedPage:
        document = await load()
        return loaded_page(document, document.pagination)

    if query.shared and query.view is not None:
        faults = [Fault(("query", name), "view and shared exclude each other") for name in ("view", "shared")]
        raise InvalidInput("Ask by view or for what is shared, not both.", faults)
    if call.principal.user_id is not None or query.shared or query.view == "own":
        return unkept_response(call, await load())
    is_kept = query.filter.is_empty and query.limit in KEPT_LIMITS
    place = ListPlace(f"{call.api_root} {query.limit} {query.with_meta}", None, query.cursor, may_be_kept=is_kept)
    return page_response(call, await call.gallery.server.pages.public_galleries(call.principal, place, load_page))


@operation(
    "POST",
    "/galleries",
    "Make a gallery",
    status=HTTPStatus.CREATED,
    raises=(Conflict,),
    repeats=Repeats.KEYED,
    permission=Permission.NONE,
)
async def create_gallery(call: Call, body: CreateGallery) -> One[GalleryDetail]:
    gallery = await call.gallery.galleries.create(
        call.principal,
        name=body.name,
        description=body.description,
        visibility=body.visibility,
        meta=body.meta,
        policy=body.policy,
        allowed_origins=body.allowed_origins,
        idempotency_key=call.idempotency_key,
    )
    call.headers["Location"] = call.url(f"/galleries/{gallery.id}")
    return tagged_gallery(call, gallery)


@operation(
    "GET",
    "/galleries/{gallery_id}",
    "One gallery",
    raises=(NotFound,),
    answers=page_answers(One[GalleryDetail]),
    holds_conditions=True,
    for_links=True,
    permission=Permission.VIEW,
)
async def get_gallery(call: Call, gallery_id: UUID) -> Response:
    async def load() -> bytes:
        gallery = await call.gallery.galleries.get(call.principal, gallery_id)
        return msgspec.json.encode(_document(call, gallery))

    page = await call.gallery.server.pages.gallery(call.principal, gallery_id, call.api_root, load)
    return page_response(call, page, is_record=True)


@operation(
    "PATCH",
    "/galleries/{gallery_id}",
    "Change a gallery",
    raises=(NotFound,),
    holds_conditions=True,
    permission=Permission.EDIT,
)
async def update_gallery(call: Call, gallery_id: UUID, body: UpdateGallery) -> One[GalleryDetail]:
    gallery = await call.gallery.galleries.update(
        call.principal,
        gallery_id,
        name=body.name,
        description=body.description,
        visibility=body.visibility,
        cover_image_id=body.cover_image_id,
        meta=body.meta,
        policy=body.policy,
        allowed_origins=body.allowed_origins,
        check=gallery_condition(call),
    )
    return tagged_gallery(call, gallery)


@operation(
    "DELETE",
    "/galleries/{gallery_id}",
    "Delete a gallery",
    raises=(NotFound, StillReferenced),
    holds_conditions=True,
    permission=Permission.DELETE,
)
async def delete_gallery(call: Call, gallery_id: UUID, query: DeleteGalleryQuery) -> None:
    await call.gallery.galleries.delete(
        call.principal, gallery_id, with_images=query.with_images, check=gallery_condition(call)
    )


@operation(
    "GET",
    "/galleries/{gallery_id}/access",
    "Who may do what with it, and by which share",
    raises=(NotFound,),
    needs_user=True,
    permission=Permission.DELETE,
)
async def get_gallery_access(call: Call, gallery_id: UUID) -> One[AccessDocument]:
    """For its owner alone. All shares that reach it add up."""
    return One(access_document(await call.gallery.galleries.access(call.principal, gallery_id)))


@operation(
    "GET",
    "/galleries/{gallery_id}/images",
    "Its images",
    raises=(NotFound,),
    answers=page_answers(GalleryImages | GalleryImagesPage | ChosenImages | ChosenImagesPage),
    holds_conditions=True,
    for_links=True,
    permission=Permission.VIEW,
)
async def list_gallery_images(call: Call, gallery_id: UUID, query: GalleryImagesQuery) -> Response:
    _check_one_way(query)

    async def load() -> LoadedPage:
        return await _load_images(call, gallery_id, query)

    chosen = chosen_fields(query.fields)
    fields = ",".join(chosen)
    # Anybody can invent seeds, filters and choices, each a list of its own: cached, they would displace everything
    # else.
    is_common = query.order is not ImageOrder.RANDOM and query.filter.is_empty and query.limit in KEPT_LIMITS
    is_common = is_common and UNKEPT_FIELDS.isdisjoint(chosen)
    is_kept = is_common and call.host.choices.admit(fields, call.host.clock())
    name = f"{call.api_root} {query.order} {query.limit} {query.urls} {fields}"
    place = ListPlace(name, query.page, query.cursor, may_be_kept=is_kept)
    return page_response(call, await call.gallery.server.pages.images(call.principal, gallery_id, place, load))


@operation(
    "POST",
    "/galleries/{gallery_id}/images/move",
    "Change the order: put images before or after another one",
    raises=(NotFound,),
    holds_conditions=True,
    permission=Permission.EDIT,
)
async def move_gallery_images(call: Call, gallery_id: UUID, body: MoveImages) -> One[GalleryDetail]:
    gallery = await call.gallery.galleries.move(
        call.principal,
        gallery_id,
        body.image_ids,
        before=body.before,
        after=body.after,
        check=gallery_condition(call),
    )
    return tagged_gallery(call, gallery)


@operation(
    "POST",
    "/galleries/{gallery_id}/images/remove",
    "Take images out; they stay in the library",
    raises=(NotFound,),
    holds_conditions=True,
    permission=Permission.EDIT,
)
async def remove_gallery_images(call: Call, gallery_id: UUID, body: RemoveImages) -> One[GalleryDetail]:
    gallery = await call.gallery.galleries.remove_images(
        call.principal, gallery_id, body.image_ids, check=gallery_condition(call)
    )
    return tagged_gallery(call, gallery)


@operation(
    "DELETE",
    "/galleries/{gallery_id}/images/{image_id}",
    "Take an image out; it stays in the library",
    raises=(NotFound,),
    holds_conditions=True,
    permission=Permission.EDIT,
)
async def remove_gallery_image(call: Call, gallery_id: UUID, image_id: UUID) -> None:
    await call.gallery.galleries.remove_image(call.principal, gallery_id, image_id, check=gallery_condition(call))


def tagged_gallery(call: Call, gallery: Gallery) -> One[GalleryDetail]:
    """The gallery, with its ETag for the next change."""
    document = _document(call, gallery)
    call.headers["ETag"] = tag_of(document)
    return document


def gallery_condition(call: Call) -> Callable[[Gallery], None] | None:
    """The condition in the request on the gallery that it changes."""
    return condition(call, partial(_document, call))


def _document(call: Call, gallery: Gallery) -> One[GalleryDetail]:
    return One(gallery_detail(gallery, call.api_root, call.gallery.uploads.policies().get(gallery.policy)))


async def _load_images(call: Call, gallery_id: UUID, query: GalleryImagesQuery) -> LoadedPage:
    galleries, principal, fields = call.gallery.galleries, call.principal, chosen_fields(query.fields)
    selection = _Selection(
        order=query.order, seed=query.seed, where=query.filter, limit=query.limit, by_cookies=query.urls == "gallery"
    )
    if query.page is None:
        page = await galleries.list_images(principal, gallery_id, cursor=query.cursor, **selection)
        pagination = cursor_pagination(page)
        return loaded_page(image_list(page.items, pagination, call.api_root, GalleryImage, fields), pagination)
    numbered = await galleries.list_images_page(principal, gallery_id, page=query.page, **selection)
    counted = page_pagination(numbered)
    return loaded_page(image_list(numbered.items, counted, call.api_root, GalleryImage, fields), counted)


def _check_one_way(query: GalleryImagesQuery) -> None:
    if query.page is not None and query.cursor is not None:
        faults = [Fault(("query", name), "page and cursor exclude each other") for name in ("page", "cursor")]
        raise InvalidInput("Ask by page or by cursor, not both.", faults)
