"""The words of the HTTP API: what it parses and what it answers, as values.

Fields are named as they travel. Requests are structured from these classes by `parsing`, answers are encoded
from them as they are, and `openapi` describes both from them: nothing else knows the shapes.
"""
# ruff: noqa: N815  (srcSet, nextCursor, requestId: names of the wire)

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from attrs import frozen

from imagegallery import (
    DEFAULT_LIMIT,
    MAX_ALT_TEXT,
    MAX_DESCRIPTION,
    MAX_FILENAME,
    MAX_LIMIT,
    MAX_NAME,
    MAX_PAGE,
    UNSET,
    ImageOrder,
    ProcessingStatus,
    Unset,
    UploadState,
    Visibility,
)
from imagegallery_asgi.constraints import MEDIA_TYPE, NO_NUL, SHA256_HEX, WORD, Between, Items, Length

T = TypeVar("T")

MAX_IMAGES_ADDED = 1000
# What JSON numbers hold exactly in every client (RFC 8259 section 6).
MAX_SAFE_INTEGER = 2**53 - 1

Name = Annotated[str, Length(1, MAX_NAME), NO_NUL]
Description = Annotated[str, Length(0, MAX_DESCRIPTION), NO_NUL]
AltText = Annotated[str, Length(0, MAX_ALT_TEXT), NO_NUL]
# Any name is taken and made safe; this only bounds what is read.
RawFilename = Annotated[str, Length(0, 4096)]
Limit = Annotated[int, Between(1, MAX_LIMIT)]
Word = Annotated[str, WORD]


# --- queries -----------------------------------------------------------------------------------------------


@frozen
class GalleriesQuery:
    view: Literal["own", "public"] | None = None
    cursor: str | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class GalleryImagesQuery:
    """``page`` and ``cursor`` are two ways through the same list: give at most one."""

    order: ImageOrder = ImageOrder.POSITION
    page: Annotated[int, Between(1, MAX_PAGE)] | None = None
    cursor: str | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class LibraryQuery:
    cursor: str | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class ViewQuery:
    """``variant`` is a preset's name, ``format`` an image format; without them the best is chosen."""

    variant: Word | None = None
    format: Word | None = None


@frozen
class AddQuery:
    """``filename`` names an image that is the whole body."""

    filename: RawFilename | None = None


# --- bodies ------------------------------------------------------------------------------------------------


@frozen
class CreateGallery:
    name: Name
    description: Description = ""
    visibility: Visibility = Visibility.PRIVATE


@frozen
class UpdateGallery:
    """Only what is given changes; ``cover_image_id`` ``null`` means the first image."""

    name: Name | Unset = UNSET
    description: Description | Unset = UNSET
    visibility: Visibility | Unset = UNSET
    cover_image_id: UUID | None | Unset = UNSET


@frozen
class AddImages:
    image_ids: Annotated[tuple[UUID, ...], Items(1, MAX_IMAGES_ADDED)]


@frozen
class FormFields:
    """The fields beside the file of a form."""

    alt_text: AltText | Unset = UNSET


@frozen(kw_only=True)
class UploadForm(FormFields):
    """``multipart/form-data``: one file, and what to say about it. Fields may come before or after the file."""

    file: bytes


@frozen
class CreateUpload:
    """``size`` is in bytes; ``sha256``, if given, is checked on arrival."""

    filename: RawFilename
    content_type: Annotated[str, MEDIA_TYPE]
    size: Annotated[int, Between(0, MAX_SAFE_INTEGER)]
    sha256: Annotated[str, SHA256_HEX] | None = None
    gallery_id: UUID | None = None


@frozen
class UpdateImage:
    """Only what is given changes."""

    alt_text: AltText | Unset = UNSET
    filename: Annotated[str, Length(1, MAX_FILENAME), NO_NUL] | Unset = UNSET
    is_favorite: bool | Unset = UNSET
    is_archived: bool | Unset = UNSET


# --- answers: without slots, so that JSON has the fields in this order ----------------------------------------


@frozen(slots=False)
class One(Generic[T]):
    data: T


@frozen(slots=False)
class CursorPagination:
    nextCursor: str | None
    hasMore: bool


@frozen(slots=False)
class CursorList(Generic[T]):
    data: tuple[T, ...]
    pagination: CursorPagination


@frozen(slots=False)
class PagePagination:
    page: int
    limit: int
    total: int
    totalPages: int


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
    latitude: float | None
    longitude: float | None
    altitude: float | None


@frozen(slots=False)
class VariantDocument:
    variant_type: str
    format: str
    url: str
    width: int
    height: int
    file_size: int


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
    """``sha256``, the place, ``is_favorite`` and ``is_archived`` are told to the owner alone."""

    id: UUID
    filename: str
    mime_type: str
    width: int
    height: int
    file_size: int
    sha256: str | None
    alt_text: str
    taken_at: datetime
    created_at: datetime
    updated_at: datetime
    processing_status: ProcessingStatus
    failure: FailureDocument | None
    exif: ExifDocument | None
    latitude: float | None
    longitude: float | None
    is_favorite: bool
    is_archived: bool
    variants: tuple[VariantDocument, ...]
    src: str | None
    srcSet: str
    sources: tuple[SourceDocument, ...]
    sizes: SizesDocument
    placeholder: PlaceholderDocument


@frozen(slots=False)
class GalleryDocument:
    id: UUID
    owner_id: str
    name: str
    description: str
    visibility: Visibility
    cover_image_id: UUID | None
    cover: ImageDocument | None
    image_count: int
    created_at: datetime
    updated_at: datetime


@frozen(slots=False)
class UploadDocument:
    """``url``, ``method``, ``fields`` and ``headers`` say what to send. A signed ``url`` is told once, at creation.

    ``size`` is in bytes; ``null`` when the client could not say it.
    """

    id: UUID
    state: UploadState
    transport: str
    url: str | None
    method: str | None
    fields: Mapping[str, str]
    headers: Mapping[str, str]
    filename: str
    content_type: str
    size: int | None
    gallery_id: UUID | None
    expires_at: datetime
    image_id: UUID | None
    failure: FailureDocument | None


@frozen(slots=False)
class Health:
    status: Literal["ok"]


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
