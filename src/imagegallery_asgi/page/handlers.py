"""The page: one document at the address of every view, and the files that it loads."""

from collections.abc import Awaitable, Callable
from typing import Final

import anyio.to_thread
from starlette.responses import Response

from imagegallery import NotFound, Permission
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation, declaring
from imagegallery_asgi.page.assets import page_assets
from imagegallery_asgi.page.document import POLICY, page_document
from imagegallery_asgi.page.languages import COOKIE, language_of

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

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
    """The view of a gallery."""
    return await page_answer(call)


@_view("/galleries/{gallery_id}/images/{image_id}")
async def get_gallery_image_view(call: Call, gallery_id: str, image_id: str) -> Response:
    """The view of an image in a gallery."""
    return await page_answer(call)


@operation(
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
    assets = page_assets()
    found = assets.by_name.get(name) if digest == assets.digest else None
    if found is None:
        raise NotFound.of("file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found.content, media_type=found.media_type, headers=headers)


async def page_answer(call: Call, *, title: str | None = None, head: str = "", body: str | None = None) -> Response:
    """The document, with this in it before its programs have run."""
    language = language_of(call.request.cookies.get(COOKIE), call.request.headers.get("Accept-Language"))
    given = {name: text for name, text in (("title", title), ("body", body)) if text is not None}
    document = await anyio.to_thread.run_sync(lambda: page_document(call.root, language, head=head, **given))
    policy = "; ".join(f"{name} {sources}" for name, sources in POLICY.items())
    headers = {
        "Content-Security-Policy": policy,
        "Content-Language": language,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Language, Cookie",
    }
    return Response(document, media_type="text/html", headers=headers)
