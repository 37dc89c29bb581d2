"""Documents of galleries, and of what other pages and edges are given of one."""

from typing import Annotated, Literal
from uuid import UUID

from attrs import field, frozen
from msgspec import UNSET, UnsetType

from imagegallery import Visibility
from imagegallery_asgi.api.responses.common import MetaDocument
from imagegallery_asgi.api.responses.images import _FILES, ImageSummary
from imagegallery_asgi.api.responses.uploads import PolicyDocument
from imagegallery_asgi.framework.constraints import Moment, example


@frozen(slots=False)
class GalleryDocument:
    """Only the owner sees ``owner_id``, ``policy``, the name of the one that images are uploaded under into it,
    ``allowed_origins``, those of the pages that may show its public files (``null``: all), and of ``meta`` what the
    service does not show to all. ``image_count`` is ``null`` where a share hides counts. Lists have ``meta`` where
    ``with_meta`` asks for it."""

    id: UUID
    owner_id: Annotated[str | None, example("ana")]
    name: Annotated[str, example("Lisbon")]
    description: Annotated[str, example("Trams and tiles")]
    visibility: Visibility
    cover_image_id: Annotated[UUID | None, example(None)]
    cover: ImageSummary | None
    image_count: Annotated[int | None, example(128)]
    policy: Annotated[str | None, example("avatar")]
    allowed_origins: Annotated[tuple[str, ...] | None, example(("https://photos.example",))]
    created_at: Moment
    updated_at: Moment
    meta: MetaDocument | UnsetType = field(default=UNSET, kw_only=True)


@frozen(slots=False)
class GalleryDetail(GalleryDocument):
    """The same with ``upload_policy``, for its owner: what may be uploaded into it."""

    meta: MetaDocument
    upload_policy: PolicyDocument | None


@frozen(slots=False)
class OembedDocument:
    """As oEmbed 1.0 has it. ``url`` is a photo's, ``html`` a frame's; what does not belong to the ``type`` is
    ``null``."""

    type: Literal["photo", "rich"]
    title: Annotated[str, example("Lisbon")]
    width: Annotated[int, example(800)]
    height: Annotated[int, example(600)]
    url: Annotated[str | None, example(None)] = None
    html: Annotated[str | None, example("<iframe …></iframe>")] = None
    thumbnail_url: Annotated[str | None, example(f"{_FILES}/thumbnail-nr3kq7wz2d.webp")] = None
    thumbnail_width: Annotated[int | None, example(80)] = None
    thumbnail_height: Annotated[int | None, example(80)] = None
    provider_name: Annotated[str, example("imagegallery")] = "imagegallery"
    version: Literal["1.0"] = "1.0"
    cache_age: Annotated[int, example(60)] = 60


@frozen(slots=False)
class GalleryCookiesDocument:
    """The files of the gallery are below ``url`` for those who have the cookies that came with this, until
    ``expires_at``."""

    url: Annotated[str, example("/api/v1/galleries/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52/files/")]
    expires_at: Moment
