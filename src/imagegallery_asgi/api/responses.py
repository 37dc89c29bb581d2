"""What the HTTP API answers: documents whose fields are named, and ordered, as they travel.

They are encoded as they are, and `openapi` describes them. Without slots, so that JSON keeps the order.
"""
# ruff: noqa: N815  (srcSet, nextCursor, requestId: names of the wire)

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from attrs import field, fields, frozen
from msgspec import UNSET, Meta, UnsetType

from imagegallery import OnDuplicate, ProcessingStatus, UploadState, Visibility
from imagegallery.administration.storage import StorageState
from imagegallery.audit.entry import Act, ActorKind
from imagegallery.common.meta import JsonValue
from imagegallery.contributions.contribution import ContributionState
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.policies.admin_policy import Originals
from imagegallery.privacy.erasure import ErasureState
from imagegallery.privacy.export import ExportState
from imagegallery.upkeep.check import Level
from imagegallery_asgi.framework.constraints import Moment, example

T = TypeVar("T")
P = TypeVar("P")

# What the application keeps with an image or a gallery.
MetaDocument = Annotated[Mapping[str, JsonValue], example({"sku": "A-1", "colour": "yellow"})]

# What administrators say, by the fields of `AdminPolicyDocument`.
RulesDocument = Annotated[Mapping[str, JsonValue], example({"max_size": 20_000_000, "originals": "strip_place"})]

# In examples.
_FOLDER = "library/images/01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
_FILES = f"/api/v1/files/{_FOLDER}"
_OBJECT = f"/api/v1/objects/jOl7lY57exKbTiu5RcXhmQ.71a393c0/{_FOLDER}/small-q3xk7d2m5a.webp"
_ETAG = "5d41402abc4b2a76b9719d911017c592"


@frozen(slots=False)
class One(Generic[T]):
    data: T


@frozen(slots=False)
class CursorPagination:
    """The list ends where there is no ``nextCursor``: a page before that may be short, or empty, where little fits a
    filter."""

    nextCursor: Annotated[str | None, example("eyJ2IjoxfQ.9f2c41d0")]
    hasMore: Annotated[bool, example(True)]


@frozen(slots=False)
class CursorList(Generic[T]):
    data: tuple[T, ...]
    pagination: CursorPagination


@frozen(slots=False)
class PagePagination:
    """``total`` and ``totalPages`` are ``null`` for a filtered list of a gallery with too many images to count them."""

    page: Annotated[int, example(1)]
    limit: Annotated[int, example(50)]
    total: Annotated[int | None, example(128)]
    totalPages: Annotated[int | None, example(3)]


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


def _choice_of(*kinds: type) -> Callable[[type[T]], type[T]]:
    """Gives a class any of the fields of others: those that are not there do not travel."""

    def make(cls: type[T]) -> type[T]:
        cls.__annotations__ = {each.name: each.type for kind in kinds for each in fields(kind)}
        for name in cls.__annotations__:
            setattr(cls, name, UNSET)
        return frozen(slots=False)(cls)

    return make


@_choice_of(GalleryImage, ImageDetail)
class ImageChoice:
    """What ``fields`` chose of an image."""


@frozen(slots=False)
class Images(Generic[T, P]):
    """A page of images. ``sizes`` is of all of them."""

    data: tuple[T, ...]
    pagination: P
    sizes: SizesDocument


# One list may answer several of these; ``kind`` says which one it is.


@frozen(slots=False)
class LibraryImages(Images[ImageSummary, CursorPagination]):
    """A page of the library."""

    kind: Literal["library"]


@frozen(slots=False)
class TrashedImages(Images[TrashedImage, CursorPagination]):
    """A page of the trash."""

    kind: Literal["trash"]


@frozen(slots=False)
class GalleryImages(Images[GalleryImage, CursorPagination]):
    """A page of a gallery, by cursor."""

    kind: Literal["gallery"]


@frozen(slots=False)
class GalleryImagesPage(Images[GalleryImage, PagePagination]):
    """A page of a gallery, by its number."""

    kind: Literal["gallery_page"]


@frozen(slots=False)
class ChosenImages(Images[ImageChoice, CursorPagination]):
    """What ``fields`` chose of a page of images, by cursor."""

    kind: Literal["chosen"]


@frozen(slots=False)
class ChosenImagesPage(Images[ImageChoice, PagePagination]):
    """What ``fields`` chose of a page of images, by its number."""

    kind: Literal["chosen_page"]


IMAGE_LISTS: Mapping[tuple[type, type], Callable[..., Images[Any, Any]]] = {
    (ImageSummary, CursorPagination): partial(LibraryImages, kind="library"),
    (GalleryImage, CursorPagination): partial(GalleryImages, kind="gallery"),
    (GalleryImage, PagePagination): partial(GalleryImagesPage, kind="gallery_page"),
    (ImageChoice, CursorPagination): partial(ChosenImages, kind="chosen"),
    (ImageChoice, PagePagination): partial(ChosenImagesPage, kind="chosen_page"),
}


@frozen(slots=False)
class TagDocument:
    """A tag, and how many images outside of the trash have it."""

    id: UUID
    name: Annotated[str, example("tram")]
    image_count: Annotated[int, example(28)]


@frozen(slots=False)
class PolicyDocument:
    """What may be uploaded under the policy of this ``name``, or under none (``null``), and what becomes of it.

    ``max_size`` is in bytes; widths, heights and ``max_pixels`` (their product) are in pixels as the picture is seen,
    ``min_aspect`` and ``max_aspect`` are width divided by height. A gallery of this policy holds at most
    ``max_images``; a ``single`` one holds one, and a new image takes its place. ``presets`` names the variants that are
    made. ``null``, and no presets: as the service has it.
    """

    name: Annotated[str | None, example("avatar")]
    types: Annotated[tuple[str, ...], example(("image/jpeg", "image/png"))]
    max_size: Annotated[int | None, example(5_000_000)]
    min_width: Annotated[int | None, example(200)]
    max_width: Annotated[int | None, example(None)]
    min_height: Annotated[int | None, example(200)]
    max_height: Annotated[int | None, example(None)]
    max_pixels: Annotated[int | None, example(None)]
    min_aspect: Annotated[float | None, example(1.0)]
    max_aspect: Annotated[float | None, example(1.0)]
    max_images: Annotated[int | None, example(None)]
    single: Annotated[bool, example(True)]
    presets: Annotated[tuple[str, ...], example(("thumbnail", "small"))]
    visibility: Annotated[Visibility | None, example("unlisted")]
    on_duplicate: Annotated[OnDuplicate | None, example("keep_both")]
    strict: bool


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


_Granted = tuple[Literal["view", "download", "comment", "add_images", "edit", "delete"], ...]
_Shown = Annotated[Literal["none", "basic", "all"], example("basic")]
_Fetched = Annotated[Literal["none", "variant", "original"], example("variant")]


@frozen(slots=False)
class HeldGrantDocument:
    """What one share gives, and what of it is shared: the ``image``, a ``gallery`` that it is in (``gallery_id``), or
    the whole ``library``. ``joined_at``: since when they have kept it among their own."""

    share_id: UUID
    reached_by: Annotated[Literal["image", "gallery", "library"], example("gallery")]
    gallery_id: UUID | None
    permissions: Annotated[_Granted, example(("view",))]
    metadata: _Shown
    download: _Fetched
    expires_at: Moment | None
    joined_at: Moment | None
    has_password: Annotated[bool, example(False)]


@frozen(slots=False)
class HolderDocument:
    """Somebody with access: its owner, everybody, who comes by a link, or whom shares name. The rest is what they have
    in all, and the ``grants`` that this adds up from: none where it is by ownership or visibility."""

    kind: Annotated[Literal["owner", "everybody", "link", "user", "email", "group"], example("user")]
    name: Annotated[str | None, example("ben")]
    permissions: Annotated[_Granted, example(("view",))]
    metadata: _Shown
    download: _Fetched
    grants: tuple[HeldGrantDocument, ...]


@frozen(slots=False)
class AccessDocument:
    """Who may do what. ``visibility``: of an image, the most open one of itself and its galleries. ``is_whole`` is
    false where there are more than 1,000 grants, of which these are the first."""

    visibility: Visibility
    holders: tuple[HolderDocument, ...]
    is_whole: Annotated[bool, example(True)]


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


@frozen(slots=False)
class MonthPartDocument:
    """A part of a month: ``cursor`` reads it."""

    cursor: Annotated[str, example("eyJ2IjoxfQ.9f2c41d0")]
    count: Annotated[int, example(42)]


@frozen(slots=False)
class MonthCountDocument:
    """``parts``, latest first, are of a month with more images than ``part_size``."""

    month: Annotated[str, example("2026-06")]
    count: Annotated[int, example(42)]
    parts: Annotated[tuple[MonthPartDocument, ...], example(())]


@frozen(slots=False)
class TimelineDocument:
    """The months (of UTC) in which images were taken, latest first."""

    months: tuple[MonthCountDocument, ...]


@frozen(slots=False)
class MonthDocument:
    """The images of a month, or of a part of it, newest first, in columns of equal length: ``ratio`` is width by
    height."""

    month: Annotated[str, example("2026-06")]
    id: tuple[UUID, ...]
    ratio: Annotated[tuple[float, ...], example((1.3333,))]
    blurhash: Annotated[tuple[str | None, ...], example(("LEHV6nWB2yk8pyo0adR*.7kCMdnj",))]
    taken_at: tuple[Moment, ...]


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
class PartUrlDocument:
    """What to send for one part: at most ``size`` bytes, before ``expires_at``."""

    number: Annotated[int, example(1)]
    size: Annotated[int, example(8_388_608)]
    method: Annotated[str, example("PUT")]
    url: Annotated[str, example(_OBJECT)]
    headers: Mapping[str, str]
    expires_at: Moment


@frozen(slots=False)
class PartPlanDocument:
    """``count`` parts of ``size`` bytes, the last one of what is left. ``urls`` are of the first parts, at creation;
    ``parts/sign`` has the others."""

    size: Annotated[int, example(8_388_608)]
    count: Annotated[int, example(3)]
    urls: tuple[PartUrlDocument, ...]


@frozen(slots=False)
class SignedPartsDocument:
    urls: tuple[PartUrlDocument, ...]


@frozen(slots=False)
class StoredPartDocument:
    number: Annotated[int, example(1)]
    etag: Annotated[str, example(_ETAG)]
    size: Annotated[int, example(8_388_608)]


@frozen(slots=False)
class StoredPartsDocument:
    """``missing``: the parts of the plan that have not arrived, while the upload is open."""

    parts: tuple[StoredPartDocument, ...]
    missing: Annotated[tuple[int, ...], example((2, 3))]


@frozen(slots=False)
class KnownFileDocument:
    """A file that is in already: the oldest image of it, in the trash only if all of them are."""

    sha256: Annotated[str, example("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    image_id: UUID
    is_trashed: bool


@frozen(slots=False)
class KnownFilesDocument:
    known: tuple[KnownFileDocument, ...]


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


@frozen(slots=False)
class UploadDocument:
    """``url``, ``method``, ``fields`` and ``headers`` say what to send, or ``parts`` does for a file in parts. A signed
    ``url`` is only shown at creation.

    ``size`` is in bytes; ``null`` if the client did not know it. ``received`` are the bytes of a resumable upload that
    have arrived.
    """

    id: UUID
    state: Annotated[UploadState, example("pending")]
    transport: Annotated[str, example("direct")]
    url: Annotated[str | None, example(_OBJECT)]
    method: Annotated[str | None, example("PUT")]
    fields: Mapping[str, str]
    headers: Annotated[Mapping[str, str], example({"Content-Type": "image/jpeg"})]
    parts: Annotated[PartPlanDocument | None, example(None)]
    filename: Annotated[str, example("tram.jpg")]
    content_type: Annotated[str, example("image/jpeg")]
    size: Annotated[int | None, example(3_481_204)]
    received: Annotated[int, example(0)]
    gallery_id: UUID | None
    meta: MetaDocument
    visibility: Annotated[Visibility, example("private")]
    policy: Annotated[str | None, example("avatar")]
    created_at: Moment
    expires_at: Moment
    image_id: Annotated[UUID | None, example(None)]
    failure: Annotated[FailureDocument | None, example(None)]


RoleName = Annotated[Literal["member", "moderator", "admin"], example("member")]


@frozen(slots=False)
class MeDocument:
    """``role`` is what one is to the whole service. In bytes: what images take (``storage_used``), what they may take
    (``storage_limit``, ``null``: any number), and what is kept for uploads under way (``storage_reserved``).
    ``pending_guest_uploads``: what others added that waits to be approved, as far as 1,000. ``guests_may_upload``:
    administrators let visitors add images by links that allow it."""

    id: Annotated[str, example("ana")]
    role: RoleName
    storage_used: Annotated[int, example(734_003_200)]
    storage_limit: Annotated[int | None, example(10_737_418_240)]
    storage_reserved: Annotated[int, example(3_481_204)]
    open_uploads: Annotated[int, example(1)]
    max_open_uploads: Annotated[int, example(100)]
    pending_guest_uploads: Annotated[int, example(3)]
    guests_may_upload: Annotated[bool, example(True)]


@frozen(slots=False)
class ContributionDocument:
    """An image that somebody added to another's gallery. ``share_id`` and ``gallery_id`` are ``null`` when they are
    gone. ``size`` is in bytes."""

    state: Annotated[ContributionState, example("pending")]
    added_by: ContributorDocument
    share_id: UUID | None
    gallery_id: UUID | None
    size: Annotated[int, example(3_481_204)]
    arrived_at: Moment
    image: ImageSummary


@frozen(slots=False)
class VerdictDocument:
    """The images of which it is ``done``, and those that are ``left`` as they are: they did not wait, or their gallery
    takes no more. ``has_more``: others wait still."""

    done: tuple[UUID, ...]
    left: Annotated[tuple[UUID, ...], example(())]
    has_more: Annotated[bool, example(False)]


@frozen(slots=False)
class AdminPolicyDocument:
    """What holds for everybody now. ``null`` is no limit; the sizes are bytes."""

    allowed_types: Annotated[tuple[str, ...], example(("image/jpeg", "image/png"))]
    max_size: Annotated[int, example(20_000_000)]
    storage_limit: Annotated[int | None, example(5_000_000_000)]
    visitor_rate: Annotated[str | None, example("600/minute")]
    user_rate: Annotated[str | None, example(None)]
    upload_rate: Annotated[str | None, example("1000/hour")]
    originals: Annotated[Originals, example("strip_place")]
    default_visibility: Annotated[Visibility, example("private")]
    guest_uploads: Annotated[bool, example(False)]
    hotlinks: Annotated[bool, example(True)]


@frozen(slots=False)
class StandingPolicyDocument:
    """``rules`` are those of the last ``version``, in front of the settings; ``in_force`` is what comes of both.
    Version 0 has no rules and is as old as time: the settings hold."""

    version: Annotated[int, example(3)]
    rules: RulesDocument
    in_force: AdminPolicyDocument
    changed_by: Annotated[str, example("ana")]
    why: Annotated[str, example("Phones send places that nobody meant to tell.")]
    updated_at: Moment


@frozen(slots=False)
class PolicyVersionDocument:
    """``restores`` is the number of the earlier version whose rules these are again."""

    number: Annotated[int, example(3)]
    rules: RulesDocument
    changed_by: Annotated[str, example("ana")]
    why: Annotated[str, example("Phones send places that nobody meant to tell.")]
    restores: Annotated[int | None, example(None)]
    created_at: Moment


@frozen(slots=False)
class CheckDocument:
    """What was found about one part of the service, and what to do about it unless it is in order."""

    name: Annotated[str, example("worker")]
    level: Annotated[Level, example("warning")]
    detail: Annotated[str, example("a job has been due for 17 minutes")]
    remedy: Annotated[str | None, example("run `imagegallery worker`, or more of them")]


@frozen(slots=False)
class HealthReport:
    """``level`` is the worst of all checks."""

    level: Annotated[Level, example("warning")]
    checks: tuple[CheckDocument, ...]


@frozen(slots=False)
class StoredDocument:
    """``count`` things with all their ``bytes``; one that is not exact is estimated from a part of them. ``images`` are
    in use, ``processing`` ones have no variants yet, ``failed`` ones never will, ``trash`` waits for its end,
    ``variants`` are renderings, and ``incoming`` is what uploads under way have announced."""

    state: Annotated[StorageState, example("images")]
    count: Annotated[int, example(12_408)]
    bytes: Annotated[int, example(41_203_112_960)]
    is_exact: Annotated[bool, example(True)]


@frozen(slots=False)
class DayDocument:
    """The images that came on a day (UTC) and are there still."""

    day: Annotated[str, Meta(extra_json_schema={"format": "date"}), example("2026-11-30")]
    images: Annotated[int, example(214)]
    bytes: Annotated[int, example(702_114_816)]


@frozen(slots=False)
class StorageDocument:
    """``used`` are the bytes of originals as they count for their owners: one that several images share counts once.
    ``growth`` has the days of the last 30 on which images came."""

    owners: Annotated[int, example(37)]
    used: Annotated[int, example(41_190_400_000)]
    is_exact: Annotated[bool, example(True)]
    states: tuple[StoredDocument, ...]
    growth: tuple[DayDocument, ...]


@frozen(slots=False)
class OwnerDocument:
    """In bytes. A ``storage_limit`` of ``null`` is the policy's, if it has one."""

    owner_id: Annotated[str, example("ana")]
    storage_used: Annotated[int, example(734_003_200)]
    storage_limit: Annotated[int | None, example(10_737_418_240)]


@frozen(slots=False)
class KindCountDocument:
    """The jobs of one kind. ``due_since``: when the first of the waiting ones became due, or will."""

    kind: Annotated[str, example("image.process")]
    waiting: Annotated[int, example(12)]
    running: Annotated[int, example(2)]
    dead: Annotated[int, example(1)]
    due_since: Moment | None


@frozen(slots=False)
class RunningJobDocument:
    """Its ``attempt`` (from 1) since ``claimed_at``. If its worker is gone, another one takes it after
    ``held_until``."""

    id: UUID
    kind: Annotated[str, example("image.process")]
    attempt: Annotated[int, example(1)]
    claimed_at: Moment
    held_until: Moment


@frozen(slots=False)
class JobsDocument:
    """A state with ``counted_to`` jobs has these or more: no more are counted. ``in_progress`` are up to 100 of those
    that run."""

    waiting: Annotated[int, example(12)]
    running: Annotated[int, example(2)]
    dead: Annotated[int, example(1)]
    counted_to: Annotated[int, example(10_000)]
    kinds: tuple[KindCountDocument, ...]
    in_progress: tuple[RunningJobDocument, ...]


@frozen(slots=False)
class DeadJobDocument:
    """A job that is not tried again, and why."""

    id: UUID
    kind: Annotated[str, example("image.process")]
    payload: Annotated[Mapping[str, JsonValue], example({"image_id": "01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"})]
    attempts: Annotated[int, example(10)]
    error: Annotated[str, example("Unavailable: the store does not respond")]
    died_at: Moment


@frozen(slots=False)
class DealtWithDocument:
    """``jobs``: how many it was done to. ``has_more``: there may be others, for which to ask again."""

    jobs: Annotated[int, example(37)]
    has_more: Annotated[bool, example(False)]


@frozen(slots=False)
class WebhookDocument:
    """``event_types`` empty: all. ``failures`` are attempts in a row; ``disabled_reason``: why it is not active."""

    id: UUID
    url: Annotated[str, example("https://example.org/hooks/images")]
    event_types: Annotated[tuple[str, ...], example(("image.ready", "image.failed"))]
    active: Annotated[bool, example(True)]
    disabled_reason: Annotated[str | None, example(None)]
    failures: Annotated[int, example(0)]
    created_at: Moment


@frozen(slots=False)
class CreatedWebhookDocument:
    """``secret`` verifies deliveries. It is only shown now."""

    webhook: WebhookDocument
    secret: Annotated[str, example("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]


PermissionName = Literal["view", "download", "comment", "add_images", "edit"]
MetadataName = Annotated[Literal["none", "basic", "all"], example("basic")]
DownloadName = Annotated[Literal["none", "variant", "original"], example("none")]


@frozen(slots=False)
class TargetDocument:
    """A gallery, an image or the whole library."""

    gallery_id: UUID | None
    image_id: Annotated[UUID | None, example(None)]
    library: Annotated[bool, example(False)]


@frozen(slots=False)
class RecipientDocument:
    """A user, an e-mail address or a group. ``null`` is as the share says. ``by_link``: they came by the link and kept
    the share."""

    id: UUID
    user: Annotated[str | None, example("ben")]
    email: Annotated[str | None, example(None)]
    group: Annotated[str | None, example(None)]
    permissions: Annotated[tuple[PermissionName, ...] | None, example(("view", "download"))]
    metadata: MetadataName | None
    download: Annotated[DownloadName | None, example("original")]
    by_link: Annotated[bool, example(False)]
    joined_at: Annotated[Moment | None, example(None)]


@frozen(slots=False)
class ReceivedShareDocument:
    """What is shared with one: what one has by it in all. ``owner_id`` is ``null`` for who came by its link. Without
    ``can_leave`` it is a group's, and only its owner ends it. ``joined_at``: since when one has kept it."""

    id: UUID
    owner_id: Annotated[str | None, example("ana")]
    targets: tuple[TargetDocument, ...]
    permissions: Annotated[tuple[PermissionName, ...], example(("view",))]
    metadata: MetadataName
    download: DownloadName
    starts_at: Annotated[Moment | None, example(None)]
    expires_at: Moment | None
    note: Annotated[str, example("From our weekend")]
    created_at: Moment
    joined_at: Annotated[Moment | None, example(None)]
    can_leave: Annotated[bool, example(True)]


@frozen(slots=False)
class ShareDocument:
    """``url`` is the page of its link, by the link's name: ``null`` if it has none, as its token is shown once.
    ``views``: how often the link was opened."""

    id: UUID
    has_link: Annotated[bool, example(True)]
    slug: Annotated[str | None, example("lisbon-2026")]
    url: Annotated[str | None, example("/s/lisbon-2026")]
    targets: tuple[TargetDocument, ...]
    permissions: Annotated[tuple[PermissionName, ...], example(("view",))]
    metadata: MetadataName
    download: DownloadName
    has_password: Annotated[bool, example(True)]
    starts_at: Annotated[Moment | None, example(None)]
    expires_at: Moment | None
    max_views: Annotated[int | None, example(100)]
    views: Annotated[int, example(12)]
    note: Annotated[str, example("From our weekend")]
    approval: Annotated[bool, example(True)]
    guest_max_images: Annotated[int, example(500)]
    guest_max_bytes: Annotated[int, example(5_368_709_120)]
    recipients: tuple[RecipientDocument, ...]
    created_at: Moment
    updated_at: Moment
    revoked_at: Annotated[Moment | None, example(None)]


@frozen(slots=False)
class CreatedShareDocument(ShareDocument):
    """A share with its new link. ``token`` is shown only now; ``null``: it has no link."""

    token: Annotated[str | None, example("kT3v0c2mQy7rZ9xL4bWn8sHd")]


@frozen(slots=False)
class ShareAccessDocument:
    """How often one recipient or one visitor opened the share on a ``day`` of UTC. ``visitor`` tells visitors of that
    day apart; what it was made of is not kept."""

    day: Annotated[str, example("2026-06-01")]
    visitor: Annotated[str, example("5f2b9c0e1d")]
    recipient: Annotated[RecipientDocument | None, example(None)]
    opened: Annotated[int, example(3)]
    first_at: Moment
    last_at: Moment


@frozen(slots=False)
class VisitDocument:
    """Shows until then that one has opened the link: `Share-Visit: {token}`. Browsers have it as a cookie, too."""

    token: Annotated[str, example("69f0a1b2.9c1f")]
    expires_at: Moment


@frozen(slots=False)
class GuestDocument:
    """Shows who one is below this link: `Share-Guest: {token}`. Browsers have it as a cookie, too."""

    id: UUID
    name: Annotated[str, example("Aunt Inês")]
    token: Annotated[str, example("AZQMfluafz6NIWpLnA4fUkF1bnQgSW7Dqg.9c1f")]


@frozen(slots=False)
class LinkDocument:
    """What a link shows, and what it allows. With ``library`` it is all images of who shares them. ``takes_uploads``:
    visitors may add images, under a name, which with ``approval`` wait until their owner approves them. ``guest_name``
    is the one that was given. ``visit`` is new, or ``null`` if the request had one."""

    id: UUID
    permissions: Annotated[tuple[PermissionName, ...], example(("view",))]
    metadata: MetadataName
    download: DownloadName
    note: Annotated[str, example("From our weekend")]
    expires_at: Moment | None
    library: Annotated[bool, example(False)]
    galleries: tuple[GalleryDocument, ...]
    images: tuple[ImageSummary, ...]
    takes_uploads: Annotated[bool, example(False)]
    approval: Annotated[bool, example(True)]
    guest_name: Annotated[str | None, example(None)]
    visit: VisitDocument | None


@frozen(slots=False)
class ActorDocument:
    """``id`` is a user's, the share's whose link it was, or a guest's; operators and the system have none."""

    kind: Annotated[ActorKind, example("user")]
    id: Annotated[str | None, example("ben")]


@frozen(slots=False)
class AuditRecordDocument:
    """An act, by whom, and from where. ``grant`` is what allowed it: ``owner``, ``public``, ``share:`` with its id,
    ``role:`` with its name, ``operator`` or ``system``. ``subject`` is whatever else it was done to: a user, a group, a
    version. ``address`` is a network or a salted hash, never a whole address."""

    id: UUID
    happened_at: Moment
    act: Annotated[Act, example("image.original_downloaded")]
    actor: ActorDocument
    grant: Annotated[str, example("share:01940c7e-9c11-7d52-b0a4-5e1f7a2c3d60")]
    owner_id: Annotated[str | None, example("ana")]
    image_id: UUID | None
    gallery_id: UUID | None
    share_id: UUID | None
    subject: Annotated[str | None, example(None)]
    details: Annotated[Mapping[str, JsonValue], example({"from": "private", "to": "public"})]
    address: Annotated[str | None, example("203.0.113.0/24")]
    request_id: Annotated[str | None, example("01940c7e-8f2b-7c3d-9e4f-1a2b3c4d5e6f")]
    user_agent: Annotated[str | None, example("Mozilla/5.0")]


@frozen(slots=False)
class ExportDocument:
    """``files`` and ``bytes`` are known when its snapshot is taken; ``size`` is the archive's, when it is ready.

    ``progress`` goes from 0 to 1. It can be fetched until ``expires_at``.
    """

    id: UUID
    state: Annotated[ExportState, example(ExportState.READING)]
    progress: Annotated[float, example(0.25)]
    files: Annotated[int, example(2017)]
    bytes: Annotated[int, example(3_481_204_000)]
    bytes_read: Annotated[int, example(870_301_000)]
    size: Annotated[int | None, example(None)]
    created_at: Moment
    snapshot_at: Moment | None
    ready_at: Moment | None
    expires_at: Moment


@frozen(slots=False)
class ErasureDocument:
    """``requested``: all is closed to others, and can be taken back until ``erase_at``. ``counts``: how many rows there
    were of what; it is the receipt when nothing else is left (``telling``)."""

    id: UUID
    state: Annotated[ErasureState, example(ErasureState.TELLING)]
    counts: Annotated[Mapping[str, int], example({"galleries": 3, "images": 1000, "image_variants": 7000})]
    requested_at: Moment
    erase_at: Moment
    erased_at: Moment | None


@frozen(slots=False)
class Health:
    status: Literal["ok"]


@frozen(slots=False)
class Readiness:
    """``warnings`` for operators, such as a disk that is almost full."""

    status: Literal["ok"]
    warnings: Annotated[tuple[str, ...], example(())]
