"""What the HTTP API takes: queries and bodies, as values.

Requests are structured from these classes by `parsing`, and `openapi` describes them (`answers` has the other
half): nothing else knows the shapes.
"""

from typing import Annotated, Literal
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
    Unset,
    Visibility,
)
from imagegallery_asgi.constraints import MEDIA_TYPE, NO_NUL, SHA256_HEX, WORD, Between, Items, Length

MAX_IMAGES_ADDED = 1000
# What JSON numbers hold exactly in every client (RFC 8259 section 6).
MAX_SAFE_INTEGER = 2**53 - 1

Name = Annotated[str, Length(1, MAX_NAME), NO_NUL]
Description = Annotated[str, Length(0, MAX_DESCRIPTION), NO_NUL]
AltText = Annotated[str, Length(0, MAX_ALT_TEXT), NO_NUL]
# Any name is taken and made safe; this only bounds what is read.
RawFilename = Annotated[str, Length(0, 1024)]
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
