"""The library: lists of images, single images, their variants and originals, and the trash."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from uuid import UUID

import attrs
import msgspec
from starlette.responses import RedirectResponse, Response

from imagegallery import (
    Conflict,
    Image,
    InvalidInput,
    LibraryOrder,
    NotFound,
    Permission,
    StillReferenced,
    TooLarge,
)
from imagegallery.common.unset import UNSET
from imagegallery.errors import Fault
from imagegallery.galleries.pages import ListPlace, LoadedPage
from imagegallery.images.words.sidecars import MAX_SIDECAR
from imagegallery.storage.protocol import ReadMethod
from imagegallery_asgi.api.common import BYTES, IMAGE
from imagegallery_asgi.api.documents import (
    access_document,
    batch_document,
    chosen_fields,
    cursor_pagination,
    image_choice,
    image_detail,
    image_list,
    month_document,
    timeline_document,
    trash_list,
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
    BatchImages,
    DeleteQuery,
    FilterQuery,
    ImageQuery,
    LibraryQuery,
    Month,
    TimelineMonthQuery,
    TimelineQuery,
    UpdateImage,
    ViewQuery,
)
from imagegallery_asgi.api.responses.access import AccessDocument
from imagegallery_asgi.api.responses.common import CursorPagination, One
from imagegallery_asgi.api.responses.image_lists import ChosenImages, ImageChoice, LibraryImages, TrashedImages
from imagegallery_asgi.api.responses.images import BatchDocument, ImageDetail, ImageSummary
from imagegallery_asgi.api.responses.timeline import MonthDocument, TimelineDocument
from imagegallery_asgi.framework.bodies import bounded, check_not_encoded
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.headers import accepted_formats
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation, declaring

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

_SIDECAR = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""
_REDIRECT = {
    200: DeclaredAnswer("The image itself, for clients that follow.", (IMAGE, BYTES)),
    302: DeclaredAnswer("The image is at `Location`.", headers=("Location",)),
}


_IN_LIBRARY = ("order", "share")
_FILTERS = tuple(field.name for field in attrs.fields(FilterQuery))


@operation(
    "GET",
    "/images",
    "The library by time, or the trash",
    answers=page_answers(LibraryImages | TrashedImages | ChosenImages),
    holds_conditions=True,
    needs_user=True,
    for_links=True,
    permission=Permission.NONE,
)
async def list_images(call: Call, query: LibraryQuery) -> Response:
    images, fields = call.gallery.images, chosen_fields(query.fields)
    _check_own_order(query)
    if query.trashed:
        page = await images.trash.list(call.principal, where=query.filter, cursor=query.cursor, limit=query.limit)
        return unkept_response(call, trash_list(page, call.api_root, images.trash.retention, fields))
    if query.unattached:
        page = await images.unattached(call.principal, cursor=query.cursor, limit=query.limit)
        return unkept_response(
            call, image_list(page.items, cursor_pagination(page), call.api_root, ImageSummary, fields)
        )
    order = query.order or LibraryOrder.CREATED_AT

    async def load() -> tuple[object, CursorPagination]:
        page = await images.library.list(
            call.principal,
            share_id=query.share,
            order=order,
            where=query.filter,
            cursor=query.cursor,
            limit=query.limit,
        )
        pagination = cursor_pagination(page)
        return image_list(page.items, pagination, call.api_root, ImageSummary, fields), pagination

    async def load_page() -> LoadedPage:
        return loaded_page(*await load())

    if query.share is not None or call.principal.link is not None:
        return unkept_response(call, (await load())[0])
    name = f"{call.api_root} {order} {query.limit} {','.join(fields)}"
    is_common = query.filter.is_empty and query.limit in KEPT_LIMITS and UNKEPT_FIELDS.isdisjoint(fields)
    is_kept = is_common and call.host.choices.admit(",".join(fields), call.host.clock())
    place = ListPlace(name, None, query.cursor, may_be_kept=is_kept)
    return page_response(call, await call.gallery.server.pages.library(call.principal, place, load_page))


@operation(
    "GET",
    "/images/timeline",
    "How many images each month has",
    needs_user=True,
    for_links=True,
    permission=Permission.NONE,
)
async def get_timeline(call: Call, query: TimelineQuery) -> One[TimelineDocument]:
    library = call.gallery.images.library
    months = await library.timeline(call.principal, share_id=query.share, where=query.filter, part_size=query.part_size)
    return One(timeline_document(months))


@operation(
    "GET",
    "/images/timeline/{month}/images",
    "All images of a month or of a part of it, in columns",
    needs_user=True,
    for_links=True,
    also_at="/images/timeline/{month}",
    permission=Permission.NONE,
)
async def get_timeline_month(call: Call, month: Month, query: TimelineMonthQuery) -> One[MonthDocument]:
    library = call.gallery.images.library
    columns = await library.month(call.principal, month, share_id=query.share, where=query.filter, cursor=query.cursor)
    return One(month_document(columns))


@operation(
    "POST",
    "/images/batch",
    "Do one thing to up to 1,000 images; one result each",
    raises=(NotFound,),
    permission=Permission.NONE,
)
async def batch_images(call: Call, body: BatchImages) -> One[BatchDocument]:
    results = await call.gallery.images.batches.run(
        call.principal,
        body.action,
        body.ids,
        gallery_id=body.gallery_id,
        tags=body.tags,
        rating=UNSET if isinstance(body.rating, msgspec.UnsetType) else body.rating,
    )
    return One(batch_document(results))


@operation(
    "GET",
    "/images/{image_id}",
    "One image",
    raises=(NotFound,),
    answers=page_answers(One[ImageDetail] | One[ImageChoice]),
    holds_conditions=True,
    for_links=True,
    permission=Permission.VIEW,
)
async def get_image(call: Call, image_id: UUID, query: ImageQuery) -> Response:
    image, fields = await call.gallery.images.get(call.principal, image_id), chosen_fields(query.fields)
    told = image_choice(image, call.api_root, fields) if fields else image_detail(image, call.api_root)
    return unkept_response(call, One(told), updated_at=image.updated_at)


@operation(
    "GET",
    "/images/{image_id}/access",
    "Who may do what with it, and by which share",
    raises=(NotFound,),
    needs_user=True,
    permission=Permission.DELETE,
)
async def get_image_access(call: Call, image_id: UUID) -> One[AccessDocument]:
    """For its owner alone. All shares add up that reach it: of itself, of a gallery that it is in, of the library."""
    return One(access_document(await call.gallery.images.access(call.principal, image_id)))


@operation(
    "PATCH",
    "/images/{image_id}",
    "Change an image",
    raises=(NotFound,),
    holds_conditions=True,
    permission=Permission.EDIT,
)
async def update_image(call: Call, image_id: UUID, body: UpdateImage) -> One[ImageDetail]:
    image = await call.gallery.images.update(
        call.principal,
        image_id,
        alt_text=body.alt_text,
        filename=body.filename,
        is_favorite=body.is_favorite,
        is_archived=body.is_archived,
        meta=body.meta,
        visibility=body.visibility,
        tags=body.tags,
        title=body.title,
        description=body.description,
        rating=UNSET if isinstance(body.rating, msgspec.UnsetType) else body.rating,
        check=_condition(call),
    )
    return _tagged(call, image)


@operation(
    "PUT",
    "/images/{image_id}/sidecar",
    "Say of an image what an XMP sidecar says of it",
    raises=(NotFound, TooLarge),
    consumes=(Content("application/rdf+xml", example=_SIDECAR), BYTES),
    permission=Permission.EDIT,
)
async def read_image_sidecar(call: Call, image_id: UUID) -> One[ImageDetail]:
    """Its tags, title, description, rating and people take the place of the image's; what it does not say stays. Up to
    a mebibyte."""
    check_not_encoded(call.request)
    sidecar = b"".join([chunk async for chunk in bounded(call.request, MAX_SIDECAR)])
    return _tagged(call, await call.gallery.images.read_sidecar(call.principal, image_id, sidecar))


@operation(
    "DELETE",
    "/images/{image_id}",
    "Move an image to the trash, or delete it permanently",
    raises=(NotFound, StillReferenced),
    holds_conditions=True,
    permission=Permission.DELETE,
)
async def delete_image(call: Call, image_id: UUID, query: DeleteQuery) -> None:
    trash = call.gallery.images.trash
    delete_image = trash.delete if query.permanent else trash.put
    await delete_image(call.principal, image_id, check=_condition(call))


@operation(
    "POST",
    "/images/{image_id}/restore",
    "Bring an image back from the trash; may be repeated",
    raises=(NotFound,),
    holds_conditions=True,
    permission=Permission.DELETE,
)
async def restore_image(call: Call, image_id: UUID) -> One[ImageDetail]:
    return _tagged(call, await call.gallery.images.trash.restore(call.principal, image_id, check=_condition(call)))


@operation(
    "POST",
    "/images/{image_id}/retry",
    "Process a failed image again",
    status=HTTPStatus.ACCEPTED,
    raises=(NotFound, Conflict),
    holds_conditions=True,
    permission=Permission.EDIT,
)
async def retry_image(call: Call, image_id: UUID) -> One[ImageDetail]:
    return _tagged(call, await call.gallery.images.retry(call.principal, image_id, check=_condition(call)))


@operation(
    "GET",
    "/images/{image_id}/view",
    "To the best variant for `Accept`",
    raises=(NotFound,),
    answers=_REDIRECT,
    for_links=True,
    permission=Permission.VIEW,
)
async def view_image(call: Call, image_id: UUID, query: ViewQuery) -> Response:
    """302 to the best variant; with ``format``, to that format or a more widely shown one."""
    variant = await call.gallery.images.view(
        call.principal,
        image_id,
        variant=query.variant,
        accepts=accepted_formats(call.request.headers.get("Accept")),
        image_format=query.format,
        method=_read_method(call),
    )
    # Browsers name the page that shows the image to its file, too, which our usual policy keeps from them.
    call.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    return _redirect(call, variant.url)


@operation(
    "GET",
    "/images/{image_id}/download",
    "To the original, or to what a share allows of it",
    raises=(NotFound,),
    answers=_REDIRECT,
    for_links=True,
    permission=Permission.DOWNLOAD,
)
async def download_image(call: Call, image_id: UUID) -> Response:
    """302 to a short-lived address: of the original, for its owner and those whose share shows all its metadata; of a
    copy without what a share hides, made for the first who asks; or of the largest variant, where a share allows no
    more."""
    url = await call.gallery.images.download_url(call.principal, image_id, method=_read_method(call))
    return _redirect(call, url)


def _tagged(call: Call, image: Image) -> One[ImageDetail]:
    """The image, with its ETag for the next change."""
    document = _document(call, image)
    call.headers["ETag"] = tag_of(document)
    return document


def _condition(call: Call) -> Callable[[Image], None] | None:
    return condition(call, partial(_document, call))


def _document(call: Call, image: Image) -> One[ImageDetail]:
    return One(image_detail(image, call.api_root))


def _read_method(call: Call) -> ReadMethod:
    """A client that asks with HEAD follows with HEAD (RFC 9110 section 15.4.3)."""
    return "HEAD" if call.request.method == "HEAD" else "GET"


def _redirect(call: Call, url: str) -> Response:
    """The target may be signed for this principal and moment: nobody may store it."""
    unkept = {"Cache-Control": "private, no-store", "Vary": "Accept, Authorization, Cookie"}
    return RedirectResponse(call.url(url), 302, {**unkept, **call.headers})


def _check_own_order(query: LibraryQuery) -> None:
    """The trash, and what nothing uses, are lists of their own."""
    chosen = [name for name in ("trashed", "unattached") if getattr(query, name)]
    meaningless = _IN_LIBRARY if query.trashed else (*_IN_LIBRARY, *_FILTERS)
    given = [*(name for name in meaningless if getattr(query, name) is not None), *chosen[1:]]
    if chosen and given:
        faults = [Fault(("query", name), f"has no meaning with {chosen[0]}") for name in given]
        raise InvalidInput(f"The {chosen[0]} images have one order.", faults)
