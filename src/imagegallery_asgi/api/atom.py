"""A gallery as a feed (RFC 4287), in pages (RFC 5005 section 3). Pure.

Ids are those of the gallery and its images, and stay when addresses change.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from imagegallery import Gallery, Image, Variant
from imagegallery.images.presentation.picture import picture
from imagegallery.images.presentation.responsive import absolute
from imagegallery.storage.keys import content_type_of
from imagegallery_asgi.framework.xml import DECLARATION, element, tag

MEDIA_TYPE: Final = "application/atom+xml"
_NAMESPACE: Final = {"xmlns": "http://www.w3.org/2005/Atom"}
# Not every reader shows it.
_NOT_FOR_ALL: Final = "avif"


def atom_feed(gallery: Gallery, images: Iterable[Image], links: Mapping[str, str], page: str, root: str) -> bytes:
    """The feed of these images of the gallery, newest first.

    Args:
        links: Addresses of pages of this feed by their relation: ``self``, ``first``, ``next``.
        page: The address of the page that shows the gallery.
        root: The address of the API, which is put before URLs that are relative to it.
    """
    shown = list(images)
    updated = max([gallery.updated_at, *(each.updated_at for each in shown)])
    head = [
        element("id", text=_urn(gallery.id)),
        element("title", text=gallery.name),
        *([element("subtitle", text=gallery.description)] if gallery.description else ()),
        element("updated", text=_moment(updated)),
        # Whose it is nobody else knows, but a feed must name an author (section 4.1.1).
        element("author", element("name", text=gallery.name)),
        *(element("link", rel=relation, type=MEDIA_TYPE, href=address) for relation, address in links.items()),
        element("link", rel="alternate", type="text/html", href=page),
    ]
    feed = tag("feed", _NAMESPACE, "".join([*head, *(_entry(each, root) for each in shown)]))
    return f"{DECLARATION}{feed}".encode()


def _entry(image: Image, root: str) -> str:
    largest = largest_of(image)
    return element(
        "entry",
        element("id", text=_urn(image.id)),
        element("title", text=image.heading),
        *([element("summary", text=image.description)] if image.description else ()),
        element("published", text=_moment(image.created_at)),
        element("updated", text=_moment(image.updated_at)),
        element("content", type="html", text=picture(image, styled=False, lazy=False, root=root)),
        *([] if largest is None else [_enclosure(largest, root)]),
    )


def _enclosure(variant: Variant, root: str) -> str:
    return element(
        "link",
        rel="enclosure",
        type=content_type_of(variant.key),
        length=str(variant.file_size),
        href=absolute(variant.url, root),
    )


def largest_of(image: Image) -> Variant | None:
    """The variant with the most pixels, of a format that all readers and browsers show."""
    shown = [each for each in image.variants if each.format != _NOT_FOR_ALL]
    return max(shown, key=lambda each: (each.width * each.height, each.format), default=None)


def _urn(id_: UUID) -> str:
    return f"urn:uuid:{id_}"


def _moment(moment: datetime) -> str:
    """RFC 3339."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
