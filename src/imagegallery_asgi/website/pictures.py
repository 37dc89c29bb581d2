"""Pages of pictures that work without JavaScript: a public gallery in a frame on another page."""

from collections.abc import Iterable, Mapping
from html import escape
from http import HTTPStatus
from typing import Final
from uuid import UUID

import anyio.to_thread
from starlette.responses import Response

from imagegallery import Image, NotFound, Permission
from imagegallery.access.hotlinks import HotlinkRule, origin_of
from imagegallery.galleries.files import GalleryFiles
from imagegallery.images.presentation.picture import picture
from imagegallery.images.presentation.responsive import absolute
from imagegallery_asgi.api.atom import largest_of
from imagegallery_asgi.api.embedding import VISITOR, FeedQuery, oembed_links
from imagegallery_asgi.api.origins import own_origins
from imagegallery_asgi.api.sites import Site
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Operation, declaring
from imagegallery_asgi.website.pages import HTML, text_of

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

PAGE_LIMIT: Final = 48
# Servers of pictures see the origin of this page, which a rule may ask for, and never its path.
_REFERRER: Final = "strict-origin"


@operation(
    "GET",
    "/embed/galleries/{gallery_id}",
    "A public gallery, for a frame",
    raises=(NotFound,),
    answers=HTML,
    needs_principal=False,
    permission=Permission.NONE,
)
async def embed_gallery(call: Call, gallery_id: UUID, query: FeedQuery) -> Response:
    """What everybody may see of it, in frames of the pages that may show its pictures."""
    galleries, site = call.gallery.galleries, Site.of(call)
    gallery = await galleries.get(VISITOR, gallery_id)
    images = await galleries.list_images(VISITOR, gallery_id, cursor=query.cursor, limit=PAGE_LIMIT)
    address = f"{site.root}/embed/galleries/{gallery_id}"
    feed = {"application/atom+xml": f"{site.api}/galleries/{gallery_id}/feed.atom"}
    body = await anyio.to_thread.run_sync(
        pictures_page,
        call.root,
        site.api,
        gallery.name,
        gallery.description,
        images.items,
        alternates({**feed, **oembed_links(address, site)}, gallery.name),
        images.next_cursor,
    )
    rule = await call.gallery.service(GalleryFiles).rule_of(gallery)
    return page_answer(body, images.items, site.api, frames_of(rule, own_origins(call)))


def pictures_page(
    root: str,
    api: str,
    title: str,
    about: str,
    images: Iterable[Image],
    head: str = "",
    next_cursor: str | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """A page of these images, in HTML.

    Args:
        root: The path of the mount.
        api: The address of the API, which is put before URLs that are relative to it.
        head: Elements of the head, as they are.
        links: Other pages, each with its name.
    """
    pictures = "\n".join(_picture(each, api) for each in images)
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(about)}</p>" if about.strip() else "",
        *(f'<p><a href="{escape(address)}">{escape(name)}</a></p>' for address, name in (links or {}).items()),
        f'<div class="pictures">\n{pictures}\n</div>',
        "" if next_cursor is None else f'<p class="more"><a href="?cursor={escape(next_cursor)}">More</a></p>',
    ]
    return html_page(root, title, "\n".join(filter(None, body)), head)


def html_page(root: str, title: str, body: str, head: str = "") -> str:
    """A page with this body, and elements of its head, which are HTML."""
    values = {"title": escape(title), "root": escape(root), "head": head, "body": body}
    parts = text_of("pictures.html").split("{")
    filled = (values[name] + rest for name, _, rest in (part.partition("}") for part in parts[1:]))
    return parts[0] + "".join(filled)


def _picture(image: Image, api: str) -> str:
    shown, largest = picture(image, styled=False, root=api), largest_of(image)
    if largest is None:
        return f"<span>{shown}</span>"
    return f'<a href="{escape(absolute(largest.url, api))}" target="_blank" rel="noopener">{shown}</a>'


def alternates(addresses: Mapping[str, str], title: str) -> str:
    """Links of a head to the same in other forms, by their media types."""
    return "".join(
        f'<link rel="alternate" type="{kind}" title="{escape(title)}" href="{escape(address)}">\n'
        for kind, address in addresses.items()
    )


def frames_of(rule: HotlinkRule, own: Iterable[str]) -> str:
    """The sources of ``frame-ancestors``: a rule's origins are written as they are there (CSP 3, "host-source")."""
    return "*" if rule.origins is None else " ".join(["'self'", *sorted({*own, *rule.origins})])


def page_answer(
    body: str,
    images: Iterable[Image],
    api: str,
    frames: str,
    *,
    forms: bool = False,
    status: int = HTTPStatus.OK,
) -> Response:
    """The page with a policy of its own: no program runs there, and pictures come from where these images are."""
    addresses = (absolute(each.url, api) for image in images for each in image.variants)
    pictures = sorted({origin for each in addresses if (origin := origin_of(each)) is not None})
    policy = {
        "default-src": "'none'",
        "img-src": " ".join(["'self'", *pictures]),
        "style-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'" if forms else "'none'",
        "frame-ancestors": frames,
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "Referrer-Policy": _REFERRER,
        "Cache-Control": "private, no-cache",
    }
    return Response(body, status, media_type="text/html", headers=headers)
