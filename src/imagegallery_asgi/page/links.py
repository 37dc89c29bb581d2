"""The page of a share's link: its pictures, or a form for its password. The page's programs draw the same once they
run; without JavaScript it is all there is."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from html import escape
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qs, quote
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from imagegallery import Forbidden, ImageGalleryError, NotFound, Permission, Principal, Unauthenticated
from imagegallery.access.hotlinks import OWN_PAGES
from imagegallery.errors import (
    LinkMoved,
    Overloaded,
    PasswordRequired,
    RateLimited,
    ShareEnded,
    VisitRequired,
    WrongPassword,
)
from imagegallery.galleries.files import GalleryFiles
from imagegallery.sharing.link import OpenedShare
from imagegallery_asgi.api.embedding import FeedQuery
from imagegallery_asgi.api.origins import own_origins
from imagegallery_asgi.api.sites import Site
from imagegallery_asgi.framework.constraints import example
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.errors import row_of
from imagegallery_asgi.framework.links import open_link, visit_cookies
from imagegallery_asgi.framework.operations import LINK, Content, Operation, declaring
from imagegallery_asgi.page.answer import NO_FRAMES, page_answer, texts_for
from imagegallery_asgi.page.document import asset_url
from imagegallery_asgi.page.pictures import (
    HTML,
    PAGE_LIMIT,
    Contents,
    alternates,
    frames_of,
    image_answer,
    pictures_answer,
    previews,
)

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

LinkName = Annotated[str, example("kT3v0c2mQy7rZ9xL4bWn8sHd")]
# A form of one password.
_MAX_FORM: Final = 4096
_FORM: Final = Content("application/x-www-form-urlencoded")


@operation("GET", LINK, "What a link shows", answers=HTML, needs_principal=False, permission=Permission.NONE)
async def show_share(call: Call, link: LinkName, query: FeedQuery) -> Response:
    """Its pictures, or a form. A link that opens a limited number of times waits for somebody to press the button, so
    that no preview uses it up."""
    return await _entered(call, link, query)


@operation(
    "GET",
    f"{LINK}/galleries/{{gallery_id}}",
    "One of several galleries that a link shows",
    answers=HTML,
    needs_principal=False,
    permission=Permission.NONE,
)
async def show_shared_gallery(call: Call, link: LinkName, gallery_id: UUID, query: FeedQuery) -> Response:
    return await _entered(call, link, query, gallery_id)


@operation(
    "GET",
    f"{LINK}/images/{{image_id}}",
    "One of the pictures that a link shows",
    answers=HTML,
    needs_principal=False,
    permission=Permission.NONE,
)
async def show_shared_image(call: Call, link: LinkName, image_id: UUID) -> Response:
    return await _entered_image(call, link, image_id, "")


@operation(
    "GET",
    f"{LINK}/galleries/{{gallery_id}}/images/{{image_id}}",
    "One of the pictures of a gallery that a link shows",
    answers=HTML,
    needs_principal=False,
    permission=Permission.NONE,
)
async def show_shared_gallery_image(call: Call, link: LinkName, gallery_id: UUID, image_id: UUID) -> Response:
    return await _entered_image(call, link, image_id, f"/galleries/{gallery_id}")


@operation(
    "POST",
    LINK,
    "Open a link by the form of its page",
    consumes=(_FORM,),
    answers=HTML,
    needs_principal=False,
    is_safe=True,  # what somebody sees by it changes nothing
    permission=Permission.NONE,
)
async def enter_share(call: Call, link: LinkName) -> Response:
    try:
        password = await _password_of(call.request.stream())
        opened = await open_link(
            call.gallery, call.request, begins=True, password=password, visitor=await _signed_in(call)
        )
    except ImageGalleryError as error:
        return await _refused(call, link, error)
    return _with_visit(call, opened, RedirectResponse(_address(call.root, link), HTTPStatus.SEE_OTHER))


@operation(
    "GET",
    f"/embed{LINK}",
    "What a link shows, for a frame",
    answers=HTML,
    needs_principal=False,
    permission=Permission.NONE,
)
async def embed_share(call: Call, link: LinkName, query: FeedQuery) -> Response:
    """Nothing is counted. A link with a password, or with a limited number of views, opens in a window of its own."""
    try:
        opened = await open_link(call.gallery, call.request, begins=False)
        contents = await _contents(call, link, opened, query, below=None)
        head = _head(call, opened, contents)
        return await pictures_answer(call, contents, head, frames=await _frames(call, opened), has_programs=False)
    except (PasswordRequired, VisitRequired) as error:
        texts, address = await texts_for(call), _address(Site.of(call).root, link)
        leads_on = (
            f'<p><a class="button" href="{escape(address)}" target="_blank" rel="noopener">'
            f"{escape(texts['open.window'])}</a></p>"
        )
        return await _message(call, texts["untitled"], leads_on, row_of(type(error)).status, frames="*")
    except ImageGalleryError as error:
        return await _refused(call, link, error, frames="*")


async def _entered(call: Call, link: str, query: FeedQuery, gallery_id: UUID | None = None) -> Response:
    """The page; and a visit begins, if what was asked for can be seen without being let in first."""
    try:
        opened = await _let_in(call)
        here = _address(call.root, link) + ("" if gallery_id is None else f"/galleries/{gallery_id}")
        contents = await _contents(call, link, opened, query, gallery_id, below=here if call.host.has_page else None)
    except ImageGalleryError as error:
        return await _refused(call, link, error)
    return _with_visit(call, opened, await pictures_answer(call, contents, _head(call, opened, contents)))


async def _entered_image(call: Call, link: str, image_id: UUID, place: str) -> Response:
    """The page of one image; ``place`` is that of its gallery below the link."""
    try:
        opened = await _let_in(call)
        image = await call.gallery.images.get(opened.principal, image_id)
    except ImageGalleryError as error:
        return await _refused(call, link, error)
    return _with_visit(call, opened, await image_answer(call, image, _address(call.root, link) + place))


async def _let_in(call: Call) -> OpenedShare:
    """The link, opened; and a visit begins, unless only the head of the page is asked for."""
    opened = await open_link(call.gallery, call.request, begins=False)
    if call.request.method == "HEAD":
        return opened
    return await open_link(call.gallery, call.request, begins=True, visitor=await _signed_in(call))


async def _contents(
    call: Call,
    link: str,
    opened: OpenedShare,
    query: FeedQuery,
    gallery_id: UUID | None = None,
    *,
    below: str | None,
) -> Contents:
    """What who came by the link sees. Raises `NotFound`."""
    principal, galleries = opened.principal, call.gallery.galleries
    address, page = _address(Site.of(call).root, link), _address(call.root, link)
    targets = await call.gallery.shares.links.targets(opened)
    gallery_ids = [each.gallery_id for each in targets if each.gallery_id is not None]
    image_ids = [each.image_id for each in targets if each.image_id is not None]
    if gallery_id is None and len(gallery_ids) == len(targets) == 1:
        [gallery_id] = gallery_ids
    if gallery_id is not None:
        gallery = await galleries.get(principal, gallery_id)
        shown = await galleries.list_images(principal, gallery_id, cursor=query.cursor, limit=PAGE_LIMIT)
        return Contents(gallery.name, gallery.description, shown.items, address, shown.next_cursor, below)
    named = [
        (f"{page}/galleries/{each.id}", each.name)
        for each in (await galleries.get_many(principal, gallery_ids)).values()
    ]
    title, note = (await texts_for(call))["untitled"], opened.share.note
    if any(each.is_library for each in targets):
        shown = await call.gallery.images.library.list(principal, cursor=query.cursor, limit=PAGE_LIMIT)
        return Contents(title, note, shown.items, address, shown.next_cursor, below, named)
    images = (await call.gallery.images.get_many(principal, image_ids)).values()
    return Contents(title, note, tuple(images), address, None, below, named)


def _head(call: Call, opened: OpenedShare, contents: Contents) -> str:
    """Of a link with a password nobody learns anything but by it, and a preview is for everybody."""
    if opened.share.has_password:
        return ""
    return previews(contents, Site.of(call).api) + alternates(call, contents)


async def _refused(call: Call, link: str, error: ImageGalleryError, *, frames: str = NO_FRAMES) -> Response:
    """A form, or a page that says why there is none. Raises what is not about the link."""
    status, texts = row_of(type(error)).status, await texts_for(call)
    match error:
        case LinkMoved():
            return RedirectResponse(_address(call.root, error.slug), HTTPStatus.FOUND)
        case WrongPassword():
            form = _form(link, call, texts, with_password=True, is_wrong=True)
            return await _message(call, texts["password.title"], form, status)
        case PasswordRequired():
            return await _message(
                call, texts["password.title"], _form(link, call, texts, with_password=True), status, frames=frames
            )
        case VisitRequired():
            form = _form(link, call, texts, with_password=False)
            return await _message(call, texts["limited.title"], form, HTTPStatus.OK)
        case ShareEnded():
            return await _message(
                call, texts["ended.title"], _said(texts[f"ended.{error.reason}"]), status, frames=frames
            )
        case NotFound():
            return await _message(call, texts["missing.title"], _said(texts["missing.text"]), status, frames=frames)
        case RateLimited() | Overloaded():
            answer = await _message(call, texts["busy.title"], _said(texts["busy.text"]), status, frames=frames)
            answer.headers["Retry-After"] = str(error.retry_after)
            return answer
    raise error


def _said(text: str) -> str:
    return f'<p class="soft">{escape(text)}</p>'


async def _message(call: Call, title: str, body: str, status: int, *, frames: str = NO_FRAMES) -> Response:
    styles = f'<link rel="stylesheet" href="{escape(asset_url(call.root, "style/pictures.css"))}">\n'
    shown = f'<div class="made said">\n<h1>{escape(title)}</h1>\n{body}\n</div>'
    has_programs = frames == NO_FRAMES
    return await page_answer(
        call, title=title, head=styles, body=shown, status=status, frames=frames, has_programs=has_programs
    )


def _form(link: str, call: Call, texts: Mapping[str, str], *, with_password: bool, is_wrong: bool = False) -> str:
    fault = f'<span class="fault" id="fault" role="alert">{escape(texts["password.wrong"])}</span>' if is_wrong else ""
    invalid = ' aria-invalid="true" aria-describedby="fault"' if is_wrong else ""
    field = (
        f'<label class="field"><span>{escape(texts["password"])}</span>'
        f'<input type="password" name="password" required autofocus maxlength="256"{invalid}>{fault}</label>\n'
    )
    address, action = escape(_address(call.root, link)), escape(texts["open"])
    return (
        f'<form method="post" action="{address}">\n{field if with_password else ""}'
        f'<button class="button primary">{action}</button>\n</form>'
    )


async def _password_of(stream: AsyncIterator[bytes]) -> str | None:
    """What the form of the page sends; nothing of a body that is no such form."""
    body = b""
    async for chunk in stream:
        body += chunk
        if len(body) > _MAX_FORM:
            return None
    with suppress(ValueError):
        return parse_qs(body.decode(), max_num_fields=4).get("password", [None])[0]
    return None


def _with_visit(call: Call, opened: OpenedShare, answer: Response) -> Response:
    """Has the browser send the visit with all pages of this link."""
    if opened.visit is not None:
        for cookie in visit_cookies(call.request, opened.visit, call.host.clock()):
            answer.headers.append("Set-Cookie", cookie)
    return answer


async def _frames(call: Call, opened: OpenedShare) -> str:
    """The pages that may frame what the link shows: those that may show its gallery's pictures; of several galleries
    with rules that differ, the service's own alone."""
    targets = await call.gallery.shares.links.targets(opened)
    ids = [each.gallery_id for each in targets if each.gallery_id is not None]
    found = (await call.gallery.galleries.get_many(opened.principal, ids)).values()
    files = call.gallery.service(GalleryFiles)
    rules = {await files.rule_of(each) for each in found}
    if len(ids) < len(targets):
        rules.add(await files.rule_of(None))
    return frames_of(rules.pop() if len(rules) == 1 else OWN_PAGES, own_origins(call))


async def _signed_in(call: Call) -> Principal | None:
    """Who is signed in where the link is opened, if anybody is: only to note which recipient it was."""
    try:
        return await call.host.principal_of(call.request)
    except (Unauthenticated, Forbidden):
        return None


def _address(root: str, link: str) -> str:
    return f"{root}/s/{quote(link, safe='')}"
