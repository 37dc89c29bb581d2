"""Public galleries and images elsewhere: a feed to subscribe to, and oEmbed for pages that show them."""

from html import escape
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import quote, urlsplit
from uuid import UUID

import msgspec
from attrs import frozen
from msgspec import Meta
from starlette.responses import Response

from imagegallery import Gallery, Image, ImageOrder, NotFound, Permission, Principal
from imagegallery.errors import LinkMoved, PasswordRequired, ShareEnded, VisitRequired
from imagegallery.galleries.pages import ListPlace, LoadedPage
from imagegallery.images.presentation.responsive import absolute
from imagegallery_asgi.api.atom import MEDIA_TYPE, atom_feed, largest_of
from imagegallery_asgi.api.pages import SHARED, page_tag
from imagegallery_asgi.api.requests import Cursor
from imagegallery_asgi.api.responses.galleries import OembedDocument
from imagegallery_asgi.api.sites import Site
from imagegallery_asgi.framework.constraints import example
from imagegallery_asgi.framework.context import Call, client_address
from imagegallery_asgi.framework.errors import FormatNotOffered
from imagegallery_asgi.framework.headers import has_tag, listed
from imagegallery_asgi.framework.operations import JSON, Content, DeclaredAnswer, Operation, declaring
from imagegallery_asgi.framework.xml import DECLARATION, element

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

FEED_LIMIT: Final = 50
_MAX_URL: Final = 2000
_MAX_SIDE: Final = 10_000
# Of a gallery, where the page that shows it says nothing.
_WIDTH, _HEIGHT = 800, 600
_XML: Final = "text/xml"
_KEPT: Final = {"Cache-Control": "public, max-age=60", "Vary": "Authorization, Cookie"}
VISITOR: Final = Principal.anonymous()
UNTITLED: Final = "Shared pictures"
"""What is shared and has no name of its own."""

Side = Annotated[int, Meta(ge=1, le=_MAX_SIDE), example(640)]


@frozen
class FeedQuery:
    cursor: Cursor | None = None


@frozen
class OembedQuery:
    """``url`` is the address of a page or document of this service: of a gallery, an image, or a share's link."""

    url: Annotated[
        str,
        Meta(max_length=_MAX_URL),
        example("https://photos.example/embed/galleries/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"),
    ]
    maxwidth: Side | None = None
    maxheight: Side | None = None
    format: Annotated[str, Meta(max_length=16), example("json")] = "json"


@operation(
    "GET",
    "/galleries/{gallery_id}/feed.atom",
    "A public gallery as a feed, newest first",
    raises=(NotFound,),
    answers={
        200: DeclaredAnswer("Atom.", (Content(MEDIA_TYPE, example="<feed …>…</feed>"),), headers=("ETag",)),
        304: DeclaredAnswer("It is what `If-None-Match` names.", headers=("ETag",)),
    },
    holds_conditions=True,
    permission=Permission.VIEW,
)
async def get_gallery_feed(call: Call, gallery_id: UUID, query: FeedQuery) -> Response:
    """RFC 4287, in pages (RFC 5005): `next` leads on. What everybody may see is in it, the owner included."""
    site = Site.of(call)

    async def load() -> LoadedPage:
        gallery = await call.gallery.galleries.get(VISITOR, gallery_id)
        images = await call.gallery.galleries.list_images(
            VISITOR, gallery_id, order=ImageOrder.CREATED_AT, cursor=query.cursor, limit=FEED_LIMIT
        )
        first = f"{site.api}/galleries/{gallery_id}/feed.atom"
        links = {"self": _page(first, query.cursor), "first": first}
        if images.next_cursor is not None:
            links["next"] = _page(first, images.next_cursor)
        page = f"{site.root}/embed/galleries/{gallery_id}"
        return LoadedPage(atom_feed(gallery, images.items, links, page, site.api), images.next_cursor)

    # An address that only this client gives us is no place to keep pages by.
    place = ListPlace(f"atom {site.root} {site.api}", None, query.cursor, may_be_kept=site.is_known)
    page = await call.gallery.server.pages.images(VISITOR, gallery_id, place, load)
    call.host.metrics.paged(page.result, began_refresh=page.began_refresh)
    etag = page_tag(page, is_record=False)
    headers = {"ETag": etag, **(SHARED if page.is_shared else {"Cache-Control": "private, no-cache"})}
    if has_tag(listed(call.request.headers, "If-None-Match"), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(page.body, headers=headers, media_type=MEDIA_TYPE)


@operation(
    "GET",
    "/oembed",
    "How another page shows a public gallery or image",
    raises=(NotFound, FormatNotOffered, ShareEnded, PasswordRequired, VisitRequired),
    answers={
        200: DeclaredAnswer(
            "What to show.", (Content(JSON, OembedDocument), Content(_XML, example="<oembed>…</oembed>"))
        )
    },
    permission=Permission.NONE,
)
async def get_oembed(call: Call, query: OembedQuery) -> Response:
    """[oEmbed](https://oembed.com): a `photo` for an image, a frame (`rich`) for a gallery and for what a share's link
    shows. What not everybody may see is not there, and a link that wants a password is 401."""
    if query.format not in ("json", "xml"):
        raise FormatNotOffered("There is json and xml.")
    site = Site.of(call)
    thing = EmbeddedThing.at(query.url, site)
    document = await _describe(call, site, thing, query)
    # What a link shows ends with it, at once.
    headers = {"Cache-Control": "no-store"} if thing.kind == "s" else _KEPT
    if query.format == "xml":
        fields = {name: value for name, value in msgspec.to_builtins(document).items() if value is not None}
        body = element("oembed", *(element(name, text=str(value)) for name, value in fields.items()))
        return Response(f"{DECLARATION}{body}", headers=headers, media_type=_XML)
    return Response(msgspec.json.encode(document), headers=headers, media_type=JSON)


@frozen
class EmbeddedThing:
    """What an address of ours is of: ``galleries`` or ``images`` and an id, or ``s`` and a link."""

    kind: str
    name: str

    @classmethod
    def at(cls, url: str, site: Site) -> "EmbeddedThing":
        """Raise `NotFound` for any other address."""
        for root in (f"{site.root}/embed/", f"{site.api}/", f"{site.root}/"):
            rest = _below(url, root)
            kind, _, name = rest.removesuffix("/view").partition("/")
            is_link = kind == "s" and bool(name) and "/" not in name
            if is_link or (kind in ("galleries", "images") and _is_id(name)):
                return cls(kind, name)
        raise NotFound("There is nothing to show at this address.")


def _below(url: str, root: str) -> str:
    """What comes after ``root`` in the path of this address; nothing for one that is elsewhere."""
    try:
        asked, own = urlsplit(url), urlsplit(root)
    except ValueError:
        return ""
    is_ours = asked.scheme in ("http", "https") and asked.netloc.lower() == own.netloc.lower()
    return asked.path.removeprefix(own.path) if is_ours and asked.path.startswith(own.path) else ""


def _is_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name.lower()
    except ValueError:
        return False


async def _describe(call: Call, site: Site, shown: EmbeddedThing, query: OembedQuery) -> OembedDocument:
    """Raise `NotFound` for what not everybody may see, and as `LinkService.open` for a link."""
    if shown.kind == "images":
        return _photo(await call.gallery.images.get(VISITOR, UUID(shown.name)), site, query)
    if shown.kind == "galleries":
        gallery = await call.gallery.galleries.get(VISITOR, UUID(shown.name))
        return _frame(f"{site.root}/embed/galleries/{gallery.id}", gallery, site, query)
    return await _describe_link(call, shown.name, site, query)


async def _describe_link(call: Call, link: str, site: Site, query: OembedQuery) -> OembedDocument:
    """What it is called, if it is of one gallery. It counts as no view."""
    try:
        opened = await call.gallery.shares.links.open(link, address=client_address(call.request), begins=False)
    except LinkMoved as moved:
        return await _describe_link(call, moved.slug, site, query)
    targets = await call.gallery.shares.links.targets(opened)
    ids = [each.gallery_id for each in targets if each.gallery_id is not None]
    is_one = len(ids) == len(targets) == 1
    found = await call.gallery.galleries.get_many(opened.principal, ids if is_one else [])
    return _frame(f"{site.root}/embed/s/{quote(link, safe='')}", next(iter(found.values()), None), site, query)


def _photo(image: Image, site: Site, query: OembedQuery) -> OembedDocument:
    """The largest variant that fits, or else the smallest, shown smaller."""
    largest = largest_of(image)
    if largest is None:
        raise NotFound("This image has nothing to show yet.")
    offered = sorted((each for each in image.variants if each.format == largest.format), key=lambda each: each.width)
    wide, high = query.maxwidth or _MAX_SIDE, query.maxheight or _MAX_SIDE
    fitting = [each for each in offered if each.width <= wide and each.height <= high]
    chosen = fitting[-1] if fitting else offered[0]
    scale = min(1, wide / chosen.width, high / chosen.height)
    return OembedDocument(
        "photo",
        title=image.heading,
        width=max(int(chosen.width * scale), 1),
        height=max(int(chosen.height * scale), 1),
        url=absolute(chosen.url, site.api),
    )


def _frame(address: str, gallery: Gallery | None, site: Site, query: OembedQuery) -> OembedDocument:
    """A frame with the page at this address, and a thumbnail of the gallery that is on it."""
    width, height = min(_WIDTH, query.maxwidth or _WIDTH), min(_HEIGHT, query.maxheight or _HEIGHT)
    title, cover = (UNTITLED, None) if gallery is None else (gallery.name, gallery.cover)
    frame = (
        f'<iframe src="{escape(address)}" width="{width}" height="{height}" title="{escape(title)}" '
        'style="border:0" loading="lazy"></iframe>'
    )
    thumbnail = None if cover is None else min(cover.variants, key=lambda each: each.width, default=None)
    return OembedDocument(
        "rich",
        title=title,
        width=width,
        height=height,
        html=frame,
        thumbnail_url=None if thumbnail is None else absolute(thumbnail.url, site.api),
        thumbnail_width=None if thumbnail is None else thumbnail.width,
        thumbnail_height=None if thumbnail is None else thumbnail.height,
    )


def oembed_links(address: str, site: Site) -> dict[str, str]:
    """The addresses of oEmbed for a page of ours, by their media types."""
    asked = f"{site.api}/oembed?url={quote(address, safe='')}"
    return {"application/json+oembed": f"{asked}&format=json", "text/xml+oembed": f"{asked}&format=xml"}


def _page(first: str, cursor: str | None) -> str:
    return first if cursor is None else f"{first}?cursor={quote(cursor, safe='')}"
