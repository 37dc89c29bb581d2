"""What the HTTP API answers: documents whose fields are named, and ordered, as they travel.

They are encoded as they are, and `openapi` describes them. Without slots, so that JSON keeps the order.
"""
# ruff: noqa: N815  (srcSet, nextCursor, requestId: names of the wire)

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

from attrs import frozen

from imagegallery import ProcessingStatus, TakenAtSource, UploadState, Visibility

T = TypeVar("T")


@frozen(slots=False)
class One(Generic[T]):
    data: T


@frozen(slots=False)
class CursorPagination:
    """The list ends where there is no ``nextCursor``: a page before that may be short, or empty, where little fits a
    filter."""

    nextCursor: str | None
    hasMore: bool


@frozen(slots=False)
class CursorList(Generic[T]):
    data: tuple[T, ...]
    pagination: CursorPagination


@frozen(slots=False)
class PagePagination:
    """``total`` and ``totalPages`` are ``null`` for a filtered list of a gallery with too many images to count them."""

    page: int
    limit: int
    total: int | None
    totalPages: int | None


@frozen(slots=False)
class PageList(Generic[T]):
    data: tuple[T, ...]
    pagination: PagePagination


@frozen(slots=False)
class FailureDocument:
    code: str
    message: str


@frozen(slots=False)
class ExifDocument:
    """Seconds, millimetres and metres; the place is the owner's alone, ``null`` for anybody else."""

    make: str | None
    model: str | None
    lens: str | None
    exposure_time: float | None
    f_number: float | None
    iso: int | None
    focal_length: float | None
    focal_length_35mm: int | None
    taken_at: datetime | None
    taken_at_offset: str | None
    taken_at_source: TakenAtSource | None
    latitude: float | None
    longitude: float | None
    altitude: float | None


@frozen(slots=False)
class VariantDocument:
    """``frames``: 1 if it stands still, which some do of an animation, and all of one that is too large to move."""

    variant_type: str
    format: str
    url: str
    width: int
    height: int
    file_size: int
    frames: int


@frozen(slots=False)
class SourceDocument:
    """One ``<source>`` of a ``<picture>``."""

    type: str
    srcSet: str


@frozen(slots=False)
class SizesDocument:
    """The HTML ``sizes`` attribute of each layout."""

    slideshow: str
    masonry: str
    tiles: str


@frozen(slots=False)
class PlaceholderDocument:
    blurhash: str | None
    aspect_ratio: float


@frozen(slots=False)
class ImageDocument:
    """``sha256``, the place, ``is_favorite`` and ``is_archived`` are told to the owner alone.

    ``is_truncated``: a part of the picture is missing from the file; what is there is shown.
    ``taken_at_source`` says where ``taken_at`` was found: ``filename`` is a guess, ``upload`` the time of the upload.
    ``deleted_at``: since when it is in the trash; ``null`` if it is not. ``expires_at``: until when its URLs work;
    ``null`` for those of a public image.
    """

    id: UUID
    filename: str
    mime_type: str
    width: int
    height: int
    frames: int
    is_truncated: bool
    file_size: int
    sha256: str | None
    alt_text: str
    taken_at: datetime
    taken_at_source: TakenAtSource
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    processing_status: ProcessingStatus
    failure: FailureDocument | None
    exif: ExifDocument | None
    latitude: float | None
    longitude: float | None
    is_favorite: bool
    is_archived: bool
    variants: tuple[VariantDocument, ...]
    expires_at: datetime | None
    src: str | None
    srcSet: str
    sources: tuple[SourceDocument, ...]
    sizes: SizesDocument
    placeholder: PlaceholderDocument


@frozen(slots=False)
class GalleryDocument:
    """``owner_id`` is told to the owner alone."""

    id: UUID
    owner_id: str | None
    name: str
    description: str
    visibility: Visibility
    cover_image_id: UUID | None
    cover: ImageDocument | None
    image_count: int
    created_at: datetime
    updated_at: datetime


@frozen(slots=False)
class MonthCountDocument:
    month: str
    count: int


@frozen(slots=False)
class TimelineDocument:
    """The months (of UTC) in which images were taken, latest first."""

    months: tuple[MonthCountDocument, ...]


@frozen(slots=False)
class MonthDocument:
    """The images of a month, newest first, in columns of equal length: ``ratio`` is width by height."""

    month: str
    id: tuple[UUID, ...]
    ratio: tuple[float, ...]
    blurhash: tuple[str | None, ...]
    taken_at: tuple[datetime, ...]


@frozen(slots=False)
class BatchResultDocument:
    """``code`` says why it was not done."""

    id: UUID
    ok: bool
    code: str | None


@frozen(slots=False)
class BatchDocument:
    """One result an id, in the order of the request."""

    results: tuple[BatchResultDocument, ...]


@frozen(slots=False)
class PartUrlDocument:
    """What to send for one part: at most ``size`` bytes, before ``expires_at``."""

    number: int
    size: int
    method: str
    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@frozen(slots=False)
class PartPlanDocument:
    """``count`` parts of ``size`` bytes, the last one of what is left. ``urls`` are of the first parts, at creation;
    ``parts/sign`` has the others."""

    size: int
    count: int
    urls: tuple[PartUrlDocument, ...]


@frozen(slots=False)
class SignedPartsDocument:
    urls: tuple[PartUrlDocument, ...]


@frozen(slots=False)
class StoredPartDocument:
    number: int
    etag: str
    size: int


@frozen(slots=False)
class StoredPartsDocument:
    """``missing``: the parts of the plan that have not arrived, while the upload is open."""

    parts: tuple[StoredPartDocument, ...]
    missing: tuple[int, ...]


@frozen(slots=False)
class KnownFileDocument:
    """A file that is in already: the oldest image of it, in the trash only if all of them are."""

    sha256: str
    image_id: UUID
    is_trashed: bool


@frozen(slots=False)
class KnownFilesDocument:
    known: tuple[KnownFileDocument, ...]


@frozen(slots=False)
class LookalikeDocument:
    """``distance``: in how many of 64 bits of their pHashes the two differ, 0 to 7; ``is_exact``: the same bytes."""

    image: ImageDocument
    distance: int
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
    transport: str
    url: str | None
    method: str | None
    fields: Mapping[str, str]
    headers: Mapping[str, str]
    parts: PartPlanDocument | None
    filename: str
    content_type: str
    size: int | None
    received: int
    gallery_id: UUID | None
    created_at: datetime
    expires_at: datetime
    image_id: UUID | None
    failure: FailureDocument | None


@frozen(slots=False)
class MeDocument:
    """In bytes: what images take (``storage_used``), what they may take (``storage_limit``, ``null``: any number), and
    what is kept for uploads under way (``storage_reserved``)."""

    id: str
    storage_used: int
    storage_limit: int | None
    storage_reserved: int
    open_uploads: int
    max_open_uploads: int


@frozen(slots=False)
class WebhookDocument:
    """``event_types`` empty: all. ``failures`` are attempts in a row; ``disabled_reason``: why it is not active."""

    id: UUID
    url: str
    event_types: tuple[str, ...]
    active: bool
    disabled_reason: str | None
    failures: int
    created_at: datetime


@frozen(slots=False)
class CreatedWebhookDocument:
    """``secret`` verifies what is delivered; it is told this once."""

    webhook: WebhookDocument
    secret: str


@frozen(slots=False)
class Health:
    status: Literal["ok"]


@frozen(slots=False)
class Readiness:
    """``warnings``: what whoever runs the service had better see to, such as a disk that is about to be full."""

    status: Literal["ok"]
    warnings: tuple[str, ...]


@frozen(slots=False)
class FaultDocument:
    path: tuple[str, ...]
    message: str


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
