"""The page: one document at the address of every view, and the files that it loads."""

from collections.abc import Awaitable, Callable
from typing import Final

import anyio.to_thread
from attrs import evolve
from starlette.responses import Response

from imagegallery import InvalidInput, NotFound, Permission
from imagegallery.ids import as_id
from imagegallery_asgi.api.embedding import VISITOR
from imagegallery_asgi.api.sites import Site
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation, declaring
from imagegallery_asgi.page.answer import page_answer
from imagegallery_asgi.page.assets import page_assets
from imagegallery_asgi.page.pictures import alternates, image_answer, pictures_answer, previews, public_contents

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)
FILES: list[Operation] = []
file_operation = declaring(FILES)

HTML: Final = {200: DeclaredAnswer("The page.", (Content("text/html"),))}
FILE: Final = {
    200: DeclaredAnswer("The file.", tuple(map(Content, ("text/javascript", "text/css", "application/json"))))
}
_VIEWS: Final = (
    "/",
    "/galleries",
    "/trash",
    "/archive",
    "/duplicates",
    "/shares",
    "/shared-with-me",
    "/inbox",
    "/admin",
    "/account",
    "/sign-in",
)
_VIEWS_OF_ONE: Final = ("/images/{name}", "/shares/{name}", "/shared-with-me/{name}", "/admin/{name}")

View = Callable[..., Awaitable[Response]]


def _view(*paths: str) -> Callable[[View], View]:
    """Declares a view at each of these addresses."""

    def declare(handler: View) -> View:
        for path in paths:
            operation("GET", path, "A view", answers=HTML, needs_principal=False, permission=Permission.NONE)(handler)
        return handler

    return declare


@_view(*_VIEWS)
async def get_view(call: Call) -> Response:
    """A view of what is one's own."""
    return await page_answer(call)


@_view(*_VIEWS_OF_ONE)
async def get_view_of_one(call: Call, name: str) -> Response:
    """A view of one thing; the page itself asks for it."""
    return await page_answer(call)


@_view("/galleries/{gallery_id}")
async def get_gallery_view(call: Call, gallery_id: str) -> Response:
    """The view of a gallery; what everybody may see of it is there without JavaScript, too. Its address also has what
    the page's programs keep there: filters and an order."""
    try:
        id_, cursor = as_id(gallery_id, "gallery_id"), call.request.query_params.get("cursor")
        contents = await public_contents(call, id_, cursor, address=f"/galleries/{id_}")
    except (NotFound, InvalidInput):
        return await page_answer(call)
    shown = evolve(contents, below=f"{call.root}/galleries/{id_}")
    head = previews(contents, Site.of(call).api) + alternates(call, contents, id_)
    return await pictures_answer(call, shown, head)


@_view("/galleries/{gallery_id}/images/{image_id}")
async def get_gallery_image_view(call: Call, gallery_id: str, image_id: str) -> Response:
    """The view of an image in a gallery; one that everybody may see is there without JavaScript, too."""
    try:
        image = await call.gallery.images.get(VISITOR, as_id(image_id, "image_id"))
        gallery = await call.gallery.galleries.get(VISITOR, as_id(gallery_id, "gallery_id"))
    except (NotFound, InvalidInput):
        return await page_answer(call)
    return await image_answer(call, image, f"{call.root}/galleries/{gallery.id}")


@file_operation(
    "GET",
    "/page/{digest}/{name:path}",
    "A file of the page",
    raises=(NotFound,),
    answers=FILE,
    needs_principal=False,
    permission=Permission.NONE,
)
async def get_asset(call: Call, digest: str, name: str) -> Response:
    """A program, a style or a text of the page; those of an earlier release are gone. Raises `NotFound`."""
    assets = await anyio.to_thread.run_sync(page_assets)
    found = assets.by_name.get(name) if digest == assets.digest else None
    if found is None:
        raise NotFound.of("file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found.content, media_type=found.media_type, headers=headers)
