"""Documents of images: as lists have them, and all about one."""
# ruff: noqa: N815  (names of the wire)

from typing import Annotated, Literal
from uuid import UUID

from attrs import frozen

from imagegallery import ProcessingStatus, Visibility
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery_asgi.api.responses.common import MetaDocument
from imagegallery_asgi.framework.constraints import Moment, example

# In examples.
_FOLDER = "library/images/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
_FILES = f"/api/v1/files/{_FOLDER}"
_OBJECT = f"/api/v1/objects/jOl7lY57exKbTiu5RcXhmQ.71a393c0/{_FOLDER}/small-q3xk7d2m5a.webp"


@frozen(slots=False)
class FailureDocument:
    code: Annotated[str, example("truncated")]
    message: Annotated[str, example("The file ends early.")]


@frozen(slots=False)
class ExifDocument:
    """Seconds, millimetres and metres; the place is the owner's alone, ``null`` for anybody else."""

    make: Annotated[str | None, example("FUJIFILM")]
    model: Annotated[str | None, example("X100V")]
    lens: Annotated[str | None, example("23mm f/2")]
    exposure_time: Annotated[float | None, example(0.004)]
    f_number: Annotated[float | None, example(5.6)]
    iso: Annotated[int | None, example(160)]
    focal_length: Annotated[float | None, example(23.0)]
    focal_length_35mm: Annotated[int | None, example(35)]
    taken_at: Moment | None
    taken_at_offset: Annotated[str | None, example("+01:00")]
    taken_at_source: Annotated[TakenAtSource | None, example("exif_original")]
    latitude: Annotated[float | None, example(38.7139)]
    longitude: Annotated[float | None, example(-9.1334)]
    altitude: Annotated[float | None, example(61.0)]


@frozen(slots=False)
class VariantSummary:
    type: Annotated[str, example("medium")]
    format: Annotated[str, example("webp")]
    width: Annotated[int, example(800)]
    height: Annotated[int, example(600)]
    url: Annotated[str, example(f"{_FILES}/medium-nr3kq7wz2d.webp")]


@frozen(slots=False)
class VariantDetail(VariantSummary):
    """``frames``: 1 if it stands still, which some do of an animation, and all of one that is too large to move."""

    file_size: Annotated[int, example(61_204)]
    frames: Annotated[int, example(1)]


@frozen(slots=False)
class SourceDocument:
    """One ``<source>`` of a ``<picture>``."""

    type: Annotated[str, example("image/avif")]
    srcSet: Annotated[str, example(f"{_FILES}/medium-5hx2m4ptca.avif 800w")]


@frozen(slots=False)
class SizesDocument:
    """The HTML ``sizes`` attribute of each layout."""

    slideshow: Annotated[str, example("100vw")]
    masonry: Annotated[str, example("(max-width: 640px) 100vw, (max-width: 1024px) 50vw, 25vw")]
    tiles: Annotated[str, example("(max-width: 640px) 50vw, (max-width: 1024px) 33vw, 20vw")]


@frozen(slots=False)
class ImageSummary:
    """An image in lists. Only the owner sees whether it is a favourite.

    ``blurhash`` is what to show until the picture has loaded. ``expires_at``: until when its URLs work; ``null`` for
    those of a public image.
    """

    id: UUID
    filename: Annotated[str, example("tram.jpg")]
    width: Annotated[int, example(4032)]
    height: Annotated[int, example(3024)]
    frames: Annotated[int, example(1)]
    alt_text: Annotated[str, example("A yellow tram")]
    title: Annotated[str, example("Line 28")]
    blurhash: Annotated[str | None, example("LEHV6nWB2yk8pyo0adR*.7kCMdnj")]
    taken_at: Moment
    is_favorite: bool
    processing_status: Annotated[ProcessingStatus, example("complete")]
    expires_at: Annotated[Moment | None, example(None)]
    variants: tuple[VariantSummary, ...]
    src: Annotated[str | None, example(f"{_FILES}/medium-nr3kq7wz2d.webp")]
    srcSet: Annotated[str, example(f"{_FILES}/small-k7q3zvw5nb.webp 300w, {_FILES}/medium-nr3kq7wz2d.webp 800w")]
    sources: tuple[SourceDocument, ...]


@frozen(slots=False)
class GalleryImage(ImageSummary):
    """``position``: where it was put in the gallery, the higher the later; with gaps, so that it counts nothing."""

    position: Annotated[int, example(4_294_967_296)]


@frozen(slots=False)
class TrashedImage(ImageSummary):
    """``deleted_at``: since when it is in the trash; ``purge_at``: from when on it may be deleted permanently."""

    deleted_at: Moment
    purge_at: Moment


@frozen(slots=False)
class ContributorDocument:
    """The one that added an image in its owner's place: a user of this ``name``, or a guest, who gave it."""

    kind: Annotated[Literal["user", "guest"], example("guest")]
    name: Annotated[str, example("Aunt Inês")]


@frozen(slots=False)
class ImageDetail(ImageSummary):
    """All about an image. Only the owner sees ``sha256``, whether it is archived, its ``tags``, its ``rating`` (0 to 5
    stars), its own ``visibility`` (beside that
    of its galleries), and of ``meta`` what the service does not show to all. The place, and the ``people`` whom the
    file names, are shown to those, too, whose
    share has ``metadata`` of ``all``. One of ``none`` hides all that the file said, as if it had said nothing:
    ``title`` and ``description`` as well, unless its owner has written them.

    ``sha256`` is ``null`` until all of the file was read.

    ``is_truncated``: a part of the picture is missing from the file; the rest is shown. ``taken_at_source`` says where
    ``taken_at`` was found: ``filename`` is a guess, ``upload`` the time of the upload. ``ratio`` is width divided by
    height. ``deleted_at``: since when it is in the trash; ``null`` if it is not. ``policy`` is the name of the one that
    it was uploaded under, and ``added_by`` who added it by a share (``null``: its owner did), for its owner.
    ``is_pending``: it waits for its owner's approval, and is in no list.
    """

    variants: tuple[VariantDetail, ...]
    ratio: Annotated[float, example(1.3333)]
    mime_type: Annotated[str, example("image/jpeg")]
    is_truncated: bool
    file_size: Annotated[int, example(3_481_204)]
    sha256: Annotated[str | None, example("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    taken_at_source: Annotated[TakenAtSource, example("exif_original")]
    created_at: Moment
    updated_at: Moment
    deleted_at: Annotated[Moment | None, example(None)]
    is_archived: bool
    failure: Annotated[FailureDocument | None, example(None)]
    exif: ExifDocument | None
    latitude: Annotated[float | None, example(38.7139)]
    longitude: Annotated[float | None, example(-9.1334)]
    meta: MetaDocument
    tags: Annotated[tuple[str, ...], example(("tram", "yellow"))]
    description: Annotated[str, example("Up to the castle, in the morning.")]
    rating: Annotated[int | None, example(4)]
    people: Annotated[tuple[str, ...], example(("Ana",))]
    visibility: Annotated[Visibility | None, example("private")]
    policy: Annotated[str | None, example("avatar")]
    added_by: Annotated[ContributorDocument | None, example(None)]
    is_pending: bool
    sizes: SizesDocument


@frozen(slots=False)
class BatchResultDocument:
    """``code`` says why it was not done."""

    id: UUID
    ok: Annotated[bool, example(True)]
    code: Annotated[str | None, example(None)]


@frozen(slots=False)
class BatchDocument:
    """One result an id, in the order of the request."""

    results: tuple[BatchResultDocument, ...]


@frozen(slots=False)
class LookalikeDocument:
    """``distance``: in how many of 64 bits of their pHashes the two differ, 0 to 7; ``is_exact``: the same bytes."""

    image: ImageSummary
    distance: Annotated[int, example(3)]
    is_exact: bool


@frozen(slots=False)
class LookalikesDocument:
    """An image, and up to 10 earlier ones that look like it, the nearest first."""

    image: ImageSummary
    others: tuple[LookalikeDocument, ...]
