"""What the HTTP API answers: documents whose fields are named, and ordered, as they travel.

They are encoded as they are, and `openapi` describes them. Without slots, so that JSON keeps the order.
"""
# ruff: noqa: N815  (srcSet, nextCursor, requestId: names of the wire)

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from attrs import frozen

from imagegallery import ProcessingStatus, UploadState, Visibility
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery_asgi.framework.constraints import Example

T = TypeVar("T")

# In examples.
_FILES = "/api/v1/files/library/images/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
_OBJECT = "/api/v1/objects/eyJrIjoiaW5jb21pbmcifQ.c2lnbmVk"
_ETAG = "5d41402abc4b2a76b9719d911017c592"


@frozen(slots=False)
class One(Generic[T]):
    data: T


@frozen(slots=False)
class CursorPagination:
    """The list ends where there is no ``nextCursor``: a page before that may be short, or empty, where little fits a
    filter."""

    nextCursor: Annotated[str | None, Example("eyJ2IjoxfQ.9f2c41d0")]
    hasMore: Annotated[bool, Example(True)]


@frozen(slots=False)
class CursorList(Generic[T]):
    data: tuple[T, ...]
    pagination: CursorPagination


@frozen(slots=False)
class PagePagination:
    """``total`` and ``totalPages`` are ``null`` for a filtered list of a gallery with too many images to count them."""

    page: Annotated[int, Example(1)]
    limit: Annotated[int, Example(50)]
    total: Annotated[int | None, Example(128)]
    totalPages: Annotated[int | None, Example(3)]


@frozen(slots=False)
class PageList(Generic[T]):
    data: tuple[T, ...]
    pagination: PagePagination


@frozen(slots=False)
class FailureDocument:
    code: Annotated[str, Example("truncated")]
    message: Annotated[str, Example("The file ends early.")]


@frozen(slots=False)
class ExifDocument:
    """Seconds, millimetres and metres; the place is the owner's alone, ``null`` for anybody else."""

    make: Annotated[str | None, Example("FUJIFILM")]
    model: Annotated[str | None, Example("X100V")]
    lens: Annotated[str | None, Example("23mm f/2")]
    exposure_time: Annotated[float | None, Example(0.004)]
    f_number: Annotated[float | None, Example(5.6)]
    iso: Annotated[int | None, Example(160)]
    focal_length: Annotated[float | None, Example(23.0)]
    focal_length_35mm: Annotated[int | None, Example(35)]
    taken_at: datetime | None
    taken_at_offset: Annotated[str | None, Example("+01:00")]
    taken_at_source: TakenAtSource | None
    latitude: Annotated[float | None, Example(38.7139)]
    longitude: Annotated[float | None, Example(-9.1334)]
    altitude: Annotated[float | None, Example(61.0)]


@frozen(slots=False)
class VariantDocument:
    """``frames``: 1 if it stands still, which some do of an animation, and all of one that is too large to move."""

    variant_type: Annotated[str, Example("medium")]
    format: Annotated[str, Example("webp")]
    url: Annotated[str, Example(f"{_FILES}/medium-9f2c41d0.webp")]
    width: Annotated[int, Example(800)]
    height: Annotated[int, Example(600)]
    file_size: Annotated[int, Example(61_204)]
    frames: Annotated[int, Example(1)]


@frozen(slots=False)
class SourceDocument:
    """One ``<source>`` of a ``<picture>``."""

    type: Annotated[str, Example("image/avif")]
    srcSet: Annotated[str, Example(f"{_FILES}/medium-41d09f2c.avif 800w")]


@frozen(slots=False)
class SizesDocument:
    """The HTML ``sizes`` attribute of each layout."""

    slideshow: Annotated[str, Example("100vw")]
    masonry: Annotated[str, Example("(max-width: 640px) 100vw, (max-width: 1024px) 50vw, 25vw")]
    tiles: Annotated[str, Example("(max-width: 640px) 50vw, (max-width: 1024px) 33vw, 20vw")]


@frozen(slots=False)
class PlaceholderDocument:
    blurhash: Annotated[str | None, Example("LEHV6nWB2yk8pyo0adR*.7kCMdnj")]
    aspect_ratio: Annotated[float, Example(1.3333)]


@frozen(slots=False)
class ImageDocument:
    """``sha256``, the place, ``is_favorite`` and ``is_archived`` are told to the owner alone.

    ``is_truncated``: a part of the picture is missing from the file; what is there is shown.
    ``taken_at_source`` says where ``taken_at`` was found: ``filename`` is a guess, ``upload`` the time of the upload.
    ``deleted_at``: since when it is in the trash; ``null`` if it is not. ``expires_at``: until when its URLs work;
    ``null`` for those of a public image.
    """

    id: UUID
    filename: Annotated[str, Example("tram.jpg")]
    mime_type: Annotated[str, Example("image/jpeg")]
    width: Annotated[int, Example(4032)]
    height: Annotated[int, Example(3024)]
    frames: Annotated[int, Example(1)]
    is_truncated: bool
    file_size: Annotated[int, Example(3_481_204)]
    sha256: Annotated[str | None, Example("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    alt_text: Annotated[str, Example("A yellow tram")]
    taken_at: datetime
    taken_at_source: TakenAtSource
    created_at: datetime
    updated_at: datetime
    deleted_at: Annotated[datetime | None, Example(None)]
    processing_status: Annotated[ProcessingStatus, Example("complete")]
    failure: Annotated[FailureDocument | None, Example(None)]
    exif: ExifDocument | None
    latitude: Annotated[float | None, Example(38.7139)]
    longitude: Annotated[float | None, Example(-9.1334)]
    is_favorite: bool
    is_archived: bool
    variants: tuple[VariantDocument, ...]
    expires_at: Annotated[datetime | None, Example(None)]
    src: Annotated[str | None, Example(f"{_FILES}/medium-9f2c41d0.webp")]
    srcSet: Annotated[str, Example(f"{_FILES}/small-0d14c2f9.webp 300w, {_FILES}/medium-9f2c41d0.webp 800w")]
    sources: tuple[SourceDocument, ...]
    sizes: SizesDocument
    placeholder: PlaceholderDocument


@frozen(slots=False)
class GalleryDocument:
    """``owner_id`` is told to the owner alone."""

    id: UUID
    owner_id: Annotated[str | None, Example("ana")]
    name: Annotated[str, Example("Lisbon")]
    description: Annotated[str, Example("Trams and tiles")]
    visibility: Visibility
    cover_image_id: Annotated[UUID | None, Example(None)]
    cover: ImageDocument | None
    image_count: Annotated[int, Example(128)]
    created_at: datetime
    updated_at: datetime


@frozen(slots=False)
class MonthCountDocument:
    month: Annotated[str, Example("2026-06")]
    count: Annotated[int, Example(42)]


@frozen(slots=False)
class TimelineDocument:
    """The months (of UTC) in which images were taken, latest first."""

    months: tuple[MonthCountDocument, ...]


@frozen(slots=False)
class MonthDocument:
    """The images of a month, newest first, in columns of equal length: ``ratio`` is width by height."""

    month: Annotated[str, Example("2026-06")]
    id: tuple[UUID, ...]
    ratio: Annotated[tuple[float, ...], Example((1.3333,))]
    blurhash: Annotated[tuple[str | None, ...], Example(("LEHV6nWB2yk8pyo0adR*.7kCMdnj",))]
    taken_at: tuple[datetime, ...]


@frozen(slots=False)
class BatchResultDocument:
    """``code`` says why it was not done."""

    id: UUID
    ok: Annotated[bool, Example(True)]
    code: Annotated[str | None, Example(None)]


@frozen(slots=False)
class BatchDocument:
    """One result an id, in the order of the request."""

    results: tuple[BatchResultDocument, ...]


@frozen(slots=False)
class PartUrlDocument:
    """What to send for one part: at most ``size`` bytes, before ``expires_at``."""

    number: Annotated[int, Example(1)]
    size: Annotated[int, Example(8_388_608)]
    method: Annotated[str, Example("PUT")]
    url: Annotated[str, Example(_OBJECT)]
    headers: Mapping[str, str]
    expires_at: datetime


@frozen(slots=False)
class PartPlanDocument:
    """``count`` parts of ``size`` bytes, the last one of what is left. ``urls`` are of the first parts, at creation;
    ``parts/sign`` has the others."""

    size: Annotated[int, Example(8_388_608)]
    count: Annotated[int, Example(3)]
    urls: tuple[PartUrlDocument, ...]


@frozen(slots=False)
class SignedPartsDocument:
    urls: tuple[PartUrlDocument, ...]


@frozen(slots=False)
class StoredPartDocument:
    number: Annotated[int, Example(1)]
    etag: Annotated[str, Example(_ETAG)]
    size: Annotated[int, Example(8_388_608)]


@frozen(slots=False)
class StoredPartsDocument:
    """``missing``: the parts of the plan that have not arrived, while the upload is open."""

    parts: tuple[StoredPartDocument, ...]
    missing: Annotated[tuple[int, ...], Example((2, 3))]


@frozen(slots=False)
class KnownFileDocument:
    """A file that is in already: the oldest image of it, in the trash only if all of them are."""

    sha256: Annotated[str, Example("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    image_id: UUID
    is_trashed: bool


@frozen(slots=False)
class KnownFilesDocument:
    known: tuple[KnownFileDocument, ...]


@frozen(slots=False)
class LookalikeDocument:
    """``distance``: in how many of 64 bits of their pHashes the two differ, 0 to 7; ``is_exact``: the same bytes."""

    image: ImageDocument
    distance: Annotated[int, Example(3)]
    is_exact: bool


@frozen(slots=False)
class LookalikesDocument:
    """An image, and up to 10 earlier ones that look like it, the nearest first."""

    image: ImageDocument
    others: tuple[LookalikeDocument, ...]


@frozen(slots=False)
class UploadDocument:
    """``url``, ``method``, ``fields`` and ``headers`` say what to send, or ``parts`` does where the file goes up in
    parts. A signed ``url`` is told once, at creation.

    ``size`` is in bytes; ``null`` when the client could not say it. ``received`` are the bytes that have come of a
    resumable upload.
    """

    id: UUID
    state: UploadState
    transport: Annotated[str, Example("direct")]
    url: Annotated[str | None, Example(_OBJECT)]
    method: Annotated[str | None, Example("PUT")]
    fields: Mapping[str, str]
    headers: Annotated[Mapping[str, str], Example({"Content-Type": "image/jpeg"})]
    parts: Annotated[PartPlanDocument | None, Example(None)]
    filename: Annotated[str, Example("tram.jpg")]
    content_type: Annotated[str, Example("image/jpeg")]
    size: Annotated[int | None, Example(3_481_204)]
    received: Annotated[int, Example(0)]
    gallery_id: UUID | None
    created_at: datetime
    expires_at: datetime
    image_id: Annotated[UUID | None, Example(None)]
    failure: Annotated[FailureDocument | None, Example(None)]


@frozen(slots=False)
class MeDocument:
    """In bytes: what images take (``storage_used``), what they may take (``storage_limit``, ``null``: any number), and
    what is kept for uploads under way (``storage_reserved``)."""

    id: Annotated[str, Example("ana")]
    storage_used: Annotated[int, Example(734_003_200)]
    storage_limit: Annotated[int | None, Example(10_737_418_240)]
    storage_reserved: Annotated[int, Example(3_481_204)]
    open_uploads: Annotated[int, Example(1)]
    max_open_uploads: Annotated[int, Example(100)]


@frozen(slots=False)
class WebhookDocument:
    """``event_types`` empty: all. ``failures`` are attempts in a row; ``disabled_reason``: why it is not active."""

    id: UUID
    url: Annotated[str, Example("https://example.org/hooks/images")]
    event_types: Annotated[tuple[str, ...], Example(("image.ready", "image.failed"))]
    active: Annotated[bool, Example(True)]
    disabled_reason: Annotated[str | None, Example(None)]
    failures: Annotated[int, Example(0)]
    created_at: datetime


@frozen(slots=False)
class CreatedWebhookDocument:
    """``secret`` verifies what is delivered; it is told this once."""

    webhook: WebhookDocument
    secret: Annotated[str, Example("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]


@frozen(slots=False)
class Health:
    status: Literal["ok"]


@frozen(slots=False)
class Readiness:
    """``warnings``: what whoever runs the service had better see to, such as a disk that is about to be full."""

    status: Literal["ok"]
    warnings: Annotated[tuple[str, ...], Example(())]


@frozen(slots=False)
class FaultDocument:
    path: Annotated[tuple[str, ...], Example(("body", "name"))]
    message: Annotated[str, Example("is required")]


@frozen(slots=False)
class Problem:
    """RFC 9457, with a stable ``code``, its ``details``, and the ``path`` of every fault of the input."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    details: Mapping[str, str | int | float | bool | None]
    faults: tuple[FaultDocument, ...]
    requestId: str


@frozen(slots=False)
class MessagedProblem(Problem):
    """The same with the ``message`` that some clients show to people."""

    message: str
