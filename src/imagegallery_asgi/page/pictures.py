"""Pages of pictures as the service writes them: all there is without JavaScript, and what is to be seen before the
page's programs have drawn the same."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final
from uuid import UUID

from attrs import frozen
from starlette.responses import Response

from imagegallery import Image, NotFound, Permission
from imagegallery.access.hotlinks import HotlinkRule
from imagegallery.galleries.files import GalleryFiles
from imagegallery.images.presentation.picture import picture
from imagegallery.images.presentation.responsive import absolute
from imagegallery_asgi.api.atom import largest_of
from imagegallery_asgi.api.embedding import VISITOR, FeedQuery, oembed_links
from imagegallery_asgi.api.origins import own_origins
from imagegallery_asgi.api.sites import Site
from imagegallery_asgi.framework.context import Call
from imagegallery_asgi.framework.operations import Content, DeclaredAnswer, Operation, declaring
from imagegallery_asgi.page.answer import page_answer, texts_for
from imagegallery_asgi.page.document import asset_url

OPERATIONS: list[Operation] = []
operation = declaring(OPERATIONS)

PAGE_LIMIT: Final = 48
HTML: Final = {200: DeclaredAnswer("A page.", (Content("text/html"),))}


@frozen
class Contents:
    """What a page of pictures shows.

    Args:
        address: Of the page itself, absolute: previews and what embeds it name it.
        below: The address that the pages of its images are below; without one, a picture leads to its file.
        galleries: Other pages: addresses and names.
    """

    title: str
    about: str
    images: Sequence[Image]
    address: str
    next_cursor: str | None = None
    below: str | None = None
    galleries: Sequence[tuple[str, str]] = ()


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
    contents = await public_contents(call, gallery_id, query.cursor, address=f"/embed/galleries/{gallery_id}")
    gallery = await call.gallery.galleries.get(VISITOR, gallery_id)
    rule = await call.gallery.service(GalleryFiles).rule_of(gallery)
    head = alternates(call, contents, gallery_id)
    return await pictures_answer(call, contents, head, frames=frames_of(rule, own_origins(call)), has_programs=False)


async def public_contents(call: Call, gallery_id: UUID, cursor: str | None, *, address: str) -> Contents:
    """A page of what everybody may see of a gallery. Raises `NotFound`."""
    galleries = call.gallery.galleries
    gallery = await galleries.get(VISITOR, gallery_id)
    images = await galleries.list_images(VISITOR, gallery_id, cursor=cursor, limit=PAGE_LIMIT)
    root = Site.of(call).root
    return Contents(gallery.name, gallery.description, images.items, f"{root}{address}", images.next_cursor)


async def pictures_answer(
    call: Call, contents: Contents, head: str, *, frames: str = "'none'", has_programs: bool = True
) -> Response:
    """The page of these pictures; ``head``: elements of its head, as HTML."""
    body = pictures(contents, Site.of(call).api, await texts_for(call))
    styles = f'<link rel="stylesheet" href="{escape(asset_url(call.root, "style/pictures.css"))}">\n'
    return await page_answer(
        call,
        title=contents.title,
        head=head + styles,
        body=body,
        images=contents.images,
        frames=frames,
        has_programs=has_programs,
    )


async def image_answer(call: Call, image: Image, back: str, head: str = "") -> Response:
    """The page of one picture; ``back`` is the address of those that it is among."""
    texts, api = await texts_for(call), Site.of(call).api
    shown = picture(image, layout="slideshow", styled=False, lazy=False, root=api)
    styles = f'<link rel="stylesheet" href="{escape(asset_url(call.root, "style/pictures.css"))}">\n'
    body = (
        f'<div class="one">\n<p><a href="{escape(back)}">{escape(texts["back"])}</a></p>\n'
        f'<figure>{shown}<figcaption dir="auto">{escape(image.caption)}</figcaption></figure>\n</div>'
    )
    title = image.caption or texts["picture"]
    return await page_answer(call, title=title, head=head + styles, body=body, images=(image,))


def pictures(contents: Contents, api: str, texts: Mapping[str, str]) -> str:
    """The body of a page of pictures, in HTML; ``api`` is put before URLs that are relative to the API."""
    shown = "\n".join(_picture(each, api, contents.below) for each in contents.images)
    more = contents.next_cursor
    parts = [
        f'<h1 dir="auto">{escape(contents.title)}</h1>',
        f'<p class="about" dir="auto">{escape(contents.about)}</p>' if contents.about.strip() else "",
        *(f'<p><a href="{escape(address)}" dir="auto">{escape(name)}</a></p>' for address, name in contents.galleries),
        f'<div class="pictures">\n{shown}\n</div>' if contents.images else "",
        f'<p class="soft">{escape(texts["empty"])}</p>' if not (contents.images or contents.galleries) else "",
        "" if more is None else _more(more, texts["more"]),
    ]
    return '<div class="made">\n' + "\n".join(filter(None, parts)) + "\n</div>"


def _more(cursor: str, text: str) -> str:
    return f'<p class="more"><a class="button" href="?cursor={escape(cursor)}">{escape(text)}</a></p>'


def _picture(image: Image, api: str, below: str | None) -> str:
    shown, largest = picture(image, styled=False, root=api), largest_of(image)
    if below is not None:
        return f'<a href="{escape(below)}/images/{image.id}">{shown}</a>'
    if largest is None:
        return f"<span>{shown}</span>"
    return f'<a href="{escape(absolute(largest.url, api))}" target="_blank" rel="noopener">{shown}</a>'


def alternates(call: Call, contents: Contents, gallery_id: UUID | None = None) -> str:
    """Links of a head to the same in other forms: oEmbed, and of a gallery its feed."""
    site = Site.of(call)
    feed = {} if gallery_id is None else {"application/atom+xml": f"{site.api}/galleries/{gallery_id}/feed.atom"}
    return "".join(
        f'<link rel="alternate" type="{kind}" title="{escape(contents.title)}" href="{escape(address)}">\n'
        for kind, address in {**feed, **oembed_links(contents.address, site)}.items()
    )


def previews(contents: Contents, api: str) -> str:
    """Open Graph's and Twitter's tags: no more than the page shows."""
    first = next((each for each in contents.images if largest_of(each) is not None), None)
    largest = None if first is None else largest_of(first)
    about = contents.about
    told = {
        "og:type": "website",
        "og:title": contents.title,
        "og:url": contents.address,
        "og:description": about,
    }
    cards = {"twitter:card": "summary", "twitter:title": contents.title, "twitter:description": about}
    if first is not None and largest is not None:
        address = absolute(largest.url, api)
        sides = {"og:image:width": str(largest.width), "og:image:height": str(largest.height)}
        told |= {"og:image": address, **sides, "og:image:alt": first.caption}
        cards |= {"twitter:card": "summary_large_image", "twitter:image": address, "twitter:image:alt": first.caption}
    tags = [*(("property", *each) for each in told.items()), *(("name", *each) for each in cards.items())]
    return "".join(f'<meta {kind}="{name}" content="{escape(value)}">\n' for kind, name, value in tags if value.strip())


def frames_of(rule: HotlinkRule, own: Iterable[str]) -> str:
    """The sources of ``frame-ancestors``: a rule's origins are written as they are there (CSP 3, "host-source")."""
    return "*" if rule.origins is None else " ".join(["'self'", *sorted({*own, *rule.origins})])
