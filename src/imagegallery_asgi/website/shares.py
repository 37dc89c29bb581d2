"""The page of a share's link, which works without JavaScript: its pictures, and a form for its password."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from html import escape
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qs, quote
from uuid import UUID

import anyio.to_thread
from attrs import frozen
from starlette.responses import RedirectResponse, Response

from imagegallery import Forbidden, Image, ImageGalleryError, NotFound, Permission, Principal, Unauthenticated
from imagegallery.access.hotlinks import OWN_PAGES
from imagegallery.errors import LinkMoved, PasswordRequired, RateLimited, ShareEnded, VisitRequired, WrongPassword
from imagegallery.galleries.files import GalleryFiles
from imagegallery.images.presentation.responsive import absolute
from imagegallery.sharing.link import OpenedShare
from imagegallery_asgi.api.atom import largest_of
from imagegallery_asgi.api.embedding import UNTITLED, FeedQuery, oembed_links
from imagegallery_asgi.api.origins import own_origins
from imagegallery_asgi.api.sites import Site
from imagegallery_asgi.framework.constraints import example
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.errors import row_of
from imagegallery_asgi.framework.links import open_link, visit_cookies
from imagegallery_asgi.framework.operations import LINK, Content, Operation, declaring
from imagegallery_asgi.website.pages import HTML
from imagegallery_asgi.website.pictures import (
    PAGE_LIMIT,
    alternates,
    frames_of,
    html_page,
    page_answer,
    pictures_page,
)

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

LinkName = Annotated[str, example("kT3v0c2mQy7rZ9xL4bWn8sHd")]
# A form of one password.
_MAX_FORM: Final = 4096
_NO_FRAMES: Final = "'none'"
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
        contents = await _contents(call, opened, query)
        return await _shown(call, link, opened, contents, frames=await _frames(call, opened))
    except (PasswordRequired, VisitRequired) as error:
        address = _address(Site.of(call).root, link)
        leads_on = (
            f'<p><a href="{escape(address)}" target="_blank" rel="noopener">Open it in a window of its own</a></p>'
        )
        return _message(call, UNTITLED, leads_on, row_of(type(error)).status, frames="*")
    except ImageGalleryError as error:
        return await _refused(call, link, error, frames="*")


@frozen
class LinkContents:
    """A page of what a link shows."""

    title: str
    about: str
    images: Sequence[Image]
    next_cursor: str | None = None
    galleries: Sequence[tuple[UUID, str]] = ()


async def _entered(call: Call, link: str, query: FeedQuery, gallery_id: UUID | None = None) -> Response:
    """The page; and a visit begins, if what was asked for can be seen without being let in first."""
    try:
        opened = await open_link(call.gallery, call.request, begins=False)
        if call.request.method != "HEAD":
            opened = await open_link(call.gallery, call.request, begins=True, visitor=await _signed_in(call))
        contents = await _contents(call, opened, query, gallery_id)
    except ImageGalleryError as error:
        return await _refused(call, link, error)
    return _with_visit(call, opened, await _shown(call, link, opened, contents, frames=_NO_FRAMES))


async def _contents(call: Call, opened: OpenedShare, query: FeedQuery, gallery_id: UUID | None = None) -> LinkContents:
    """What who came by the link sees. Raises `NotFound`."""
    principal, galleries = opened.principal, call.gallery.galleries
    targets = await call.gallery.shares.links.targets(opened)
    gallery_ids = [each.gallery_id for each in targets if each.gallery_id is not None]
    image_ids = [each.image_id for each in targets if each.image_id is not None]
    if gallery_id is None and len(gallery_ids) == len(targets) == 1:
        [gallery_id] = gallery_ids
    if gallery_id is not None:
        gallery = await galleries.get(principal, gallery_id)
        page = await galleries.list_images(principal, gallery_id, cursor=query.cursor, limit=PAGE_LIMIT)
        return LinkContents(gallery.name, gallery.description, page.items, page.next_cursor)
    named = [(each.id, each.name) for each in (await galleries.get_many(principal, gallery_ids)).values()]
    if any(each.is_library for each in targets):
        page = await call.gallery.images.library.list(principal, cursor=query.cursor, limit=PAGE_LIMIT)
        return LinkContents(UNTITLED, opened.share.note, page.items, page.next_cursor, named)
    images = (await call.gallery.images.get_many(principal, image_ids)).values()
    return LinkContents(UNTITLED, opened.share.note, tuple(images), None, named)


async def _shown(call: Call, link: str, opened: OpenedShare, contents: LinkContents, *, frames: str) -> Response:
    root, site = call.root, Site.of(call)
    # Of a link with a password nobody learns anything but by it, and a preview is for everybody.
    head = "" if opened.share.has_password else _preview(link, contents, site)
    links = {f"{_address(root, link)}/galleries/{id_}": name for id_, name in contents.galleries}
    body = await anyio.to_thread.run_sync(
        pictures_page,
        root,
        site.api,
        contents.title,
        contents.about,
        contents.images,
        head,
        contents.next_cursor,
        links,
    )
    return page_answer(body, contents.images, site.api, frames)


def _preview(link: str, contents: LinkContents, site: Site) -> str:
    """Open Graph's and Twitter's tags, and where oEmbed is: no more than the page shows."""
    address = _address(site.root, link)
    first = next((each for each in contents.images if largest_of(each) is not None), None)
    largest = None if first is None else largest_of(first)
    told = {"og:type": "website", "og:title": contents.title, "og:url": address, "og:description": contents.about}
    cards = {"twitter:card": "summary", "twitter:title": contents.title, "twitter:description": contents.about}
    if first is not None and largest is not None:
        picture = absolute(largest.url, site.api)
        sides = {"og:image:width": str(largest.width), "og:image:height": str(largest.height)}
        told |= {"og:image": picture, **sides, "og:image:alt": first.caption}
        cards |= {"twitter:card": "summary_large_image", "twitter:image": picture, "twitter:image:alt": first.caption}
    tags = [*(("property", *each) for each in told.items()), *(("name", *each) for each in cards.items())]
    written = "".join(
        f'<meta {kind}="{name}" content="{escape(value)}">\n' for kind, name, value in tags if value.strip()
    )
    return written + alternates(oembed_links(address, site), contents.title)


async def _refused(call: Call, link: str, error: ImageGalleryError, *, frames: str = _NO_FRAMES) -> Response:
    """A form, or a page that says why there is none. Raises what is not about the link."""
    status = row_of(type(error)).status
    match error:
        case LinkMoved():
            return RedirectResponse(_address(call.root, error.slug), HTTPStatus.FOUND)
        case WrongPassword():
            return _message(call, "This is not the password", _form(link, call, with_password=True), status)
        case PasswordRequired():
            return _message(call, "These pictures have a password", _form(link, call, with_password=True), status)
        case VisitRequired():
            form = _form(link, call, with_password=False)
            return _message(call, "This link opens a limited number of times", form, HTTPStatus.OK)
        case NotFound() | ShareEnded() | RateLimited():
            return _message(call, error.message, "", status, frames=frames)
    raise error


def _message(call: Call, title: str, body: str, status: int, *, frames: str = _NO_FRAMES) -> Response:
    page = html_page(call.root, title, f"<h1>{escape(title)}</h1>\n{body}")
    return page_answer(page, (), "", frames, forms=True, status=status)


def _form(link: str, call: Call, *, with_password: bool) -> str:
    field = '<label>Password <input type="password" name="password" required autofocus maxlength="256"></label>\n'
    address = escape(_address(call.root, link))
    return f'<form method="post" action="{address}">\n{field if with_password else ""}<button>Open</button>\n</form>'


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
