"""What the HTTP API takes: queries and bodies, as values.

Requests are structured from these classes by `parsing`, and `openapi` describes them (`responses` has the other
half): nothing else knows the shapes.
"""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from attrs import field, fields, frozen
from msgspec import Meta

from imagegallery import BatchAction, ImageFilter, ImageOrder, LibraryOrder, OnDuplicate, ProcessingStatus, Visibility
from imagegallery.access.hotlinks import MAX_ORIGINS
from imagegallery.administration.policy_history import MAX_WHY
from imagegallery.audit.entry import Act
from imagegallery.common.meta import MAX_META, JsonValue
from imagegallery.common.unset import UNSET, Unset
from imagegallery.common.validation import MAX_BATCH
from imagegallery.contributions.contribution import ContributionState
from imagegallery.galleries.filter import GalleryFilter
from imagegallery.galleries.gallery import MAX_DESCRIPTION, MAX_NAME
from imagegallery.images.image.image import MAX_ALT_TEXT, MAX_FILENAME
from imagegallery.images.library.timeline import MAX_PART_SIZE
from imagegallery.images.words.words import MAX_DESCRIPTION as MAX_CAPTION
from imagegallery.images.words.words import MAX_RATING, MAX_TAG, MAX_TAGS, MAX_TITLE
from imagegallery.pagination import DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE
from imagegallery.sharing.share import (
    GUEST_BYTES,
    GUEST_IMAGES,
    MAX_GUEST_IMAGES,
    MAX_GUEST_NAME,
    MAX_NOTE,
    MAX_PASSWORD,
    MAX_RECIPIENTS,
    MAX_SLUG,
    MAX_TARGETS,
    MIN_PASSWORD,
)
from imagegallery.uploads.session.part_plan import MAX_SIGNED_AT_ONCE
from imagegallery.webhooks.webhook import MAX_URL
from imagegallery_asgi.api.responses.images import GalleryImage, ImageDetail
from imagegallery_asgi.framework.constraints import (
    EVENT_ID,
    EVENT_TYPE,
    MEDIA_TYPE,
    MONTH,
    NO_NUL,
    NOTHING,
    SHA256_HEX,
    WORD,
    Moment,
    Open,
    example,
)

# In examples.
_IMAGE = "01940c7e-5b9a-7f3e-8d21-6a4b9c0e1f52"
_OTHER_TAG = "01940c7e-9a11-7c3d-8e55-1b2c3d4e5f60"
_OTHER_IMAGE = "01940c7e-77d0-7a11-9c3e-2f5d8b6a4e90"
MAX_PARTS = 10_000
MAX_EVENT_TYPES = 200
# What JSON numbers hold exactly in every client (RFC 8259 section 6).
MAX_SAFE_INTEGER = 2**53 - 1

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME), NO_NUL, example("Lisbon")]
DescriptionText = Annotated[str, Meta(max_length=MAX_DESCRIPTION), NO_NUL, example("Trams and tiles")]
AltText = Annotated[str, Meta(max_length=MAX_ALT_TEXT), NO_NUL, example("A yellow tram")]
TitleText = Annotated[str, Meta(max_length=MAX_TITLE), NO_NUL, example("Line 28")]
CaptionText = Annotated[str, Meta(max_length=MAX_CAPTION), NO_NUL, example("Up to the castle, in the morning.")]
TagName = Annotated[str, Meta(min_length=1, max_length=MAX_TAG), NO_NUL, example("tram")]
Tags = Annotated[tuple[TagName, ...], Meta(max_length=MAX_TAGS), example(("tram", "yellow"))]
Rating = Annotated[int, Meta(ge=0, le=MAX_RATING), example(4)]
# Any name is taken and made safe; this only bounds what is read.
RawFilename = Annotated[str, Meta(max_length=1024), example("tram.jpg")]
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str, example("eyJ2IjoxfQ.9f2c41d0")]
Word = Annotated[str, WORD]
JobKind = Annotated[str, Meta(max_length=200), NO_NUL, example("image.process")]
PolicyName = Annotated[Annotated[str, WORD] | None, NOTHING, example("item")]
Origin = Annotated[str, Meta(max_length=300), example("https://photos.example")]
AllowedOrigins = Annotated[
    Annotated[tuple[Origin, ...], Meta(max_length=MAX_ORIGINS)] | None, example(("https://photos.example",))
]
Sha256 = Annotated[str, SHA256_HEX, example("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
EventType = Annotated[str, EVENT_TYPE]
Month = Annotated[str, MONTH]
# What the service checks: `imagegallery.common.meta`.
MetaObject = Annotated[Mapping[str, JsonValue], example({"sku": "A-1", "colour": "yellow"})]
# What of it must fit: `meta.sku=A-1`.
MetaQuery = Annotated[
    Mapping[str, JsonValue],
    Meta(extra_json_schema={"additionalProperties": {"type": "string"}}),
    example({"sku": "A-1"}),
]
PolicyRules = Annotated[
    Mapping[str, JsonValue], example({"max_size": 20_000_000, "originals": "strip_place", "visitor_rate": "unlimited"})
]
Why = Annotated[str, Meta(min_length=1, max_length=MAX_WHY), example("Phones send places that nobody meant to tell.")]
ChosenIds = Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MAX_LIMIT)]
# An image's own: its galleries may open it further.
OwnVisibility = Annotated[Visibility, example("public")]
MetaText = Annotated[
    Annotated[str, Meta(max_length=MAX_META, extra_json_schema={"contentMediaType": "application/json"})] | None,
    NOTHING,
    example('{"sku":"A-1"}'),
]
File = Annotated[str, Meta(extra_json_schema={"format": "binary"}), example("(the bytes of the file)")]


def _one_of(*kinds: type) -> Meta:
    """The name of a field of documents."""
    names = list(dict.fromkeys(each.name for kind in kinds for each in fields(kind)))
    meaning = f"one of {', '.join(names)}"
    return Meta(pattern=f"^({'|'.join(names)})$", description=meaning, extra_json_schema={"enum": names})


# The most that are read; more names than there are would name some twice.
_CHOSEN = Meta(min_length=1, max_length=50)
ImageFields = Annotated[tuple[Annotated[str, _one_of(ImageDetail)], ...], _CHOSEN]
GalleryImageFields = Annotated[tuple[Annotated[str, _one_of(GalleryImage, ImageDetail)], ...], _CHOSEN]
# Where an image goes: into no gallery, but only to the library, by any of the ways in which clients say nothing.
GalleryChoice = Annotated[UUID | None, NOTHING]


# --- queries -----------------------------------------------------------------------------------------------


@frozen
class GalleriesQuery:
    """``view``: one's own galleries (without it, those of users), or all public ones (those of visitors). ``ids``
    are the galleries to show; ``contains`` is an image that one's own must hold; ``meta.KEY=VALUE`` is what theirs must
    have, of public galleries by public keys alone.
    ``shared=with-me``, instead of ``view``: those of others that shares let one see. ``with_meta`` shows it."""

    view: Literal["own", "public"] | None = None
    shared: Literal["with-me"] | None = None
    ids: ChosenIds | None = None
    contains: UUID | None = None
    meta: MetaQuery | None = None
    with_meta: bool = False
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT

    @property
    def filter(self) -> GalleryFilter:
        return GalleryFilter(self.ids, self.meta, self.contains)


@frozen
class FilterQuery:
    """What is given must fit. The range of times is ``taken_from`` <= taken_at < ``taken_before``. ``ids`` are the
    images to show; ``meta.KEY=VALUE`` is what theirs must have: text, numbers, true and false as they are written, or
    in JSON a list or an object of which it must have all. For the owner, ``tag`` is one that they have, in any case of
    letters, ``rating`` the number of stars, and ``rating_from`` the least number."""

    is_favorite: bool | None = None
    is_archived: bool | None = None
    mime_type: Annotated[str, MEDIA_TYPE] | None = None
    taken_from: Moment | None = None
    taken_before: Moment | None = None
    status: ProcessingStatus | None = None
    visibility: Visibility | None = None
    ids: ChosenIds | None = None
    meta: MetaQuery | None = None
    tag: TagName | None = None
    rating: Rating | None = None
    rating_from: Annotated[int, Meta(ge=0, le=MAX_RATING), example(3)] | None = None

    @property
    def filter(self) -> ImageFilter:
        return ImageFilter(**{each.name: getattr(self, each.name) for each in fields(ImageFilter)})


@frozen
class GalleryImagesQuery(FilterQuery):
    """``page`` and ``cursor`` are two ways through the same list: give at most one. ``order=random`` needs a
    ``seed``. ``is_favorite`` and ``is_archived`` are for the owner. ``fields`` chooses the fields of each image,
    instead of a summary: ``fields=id,ratio,blurhash,src`` is what a grid needs. ``urls=gallery`` has the addresses of
    files below the gallery, which do not end and which its cookies open."""

    order: ImageOrder = ImageOrder.POSITION
    seed: Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)] | None = None
    page: Annotated[int, Meta(ge=1, le=MAX_PAGE)] | None = None
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT
    fields: GalleryImageFields | None = None
    urls: Literal["own", "gallery"] = "own"


@frozen
class LibraryQuery(FilterQuery):
    """The range of times is ``taken_from`` <= taken_at < ``taken_before``. The trash (``trashed``), last in first, and
    the images that nothing uses (``unattached``: in no gallery, and claimed by no record of the application), oldest
    first, have an order of their own, and the latter no filters. ``share`` is one of another's library: its images, but
    for archived ones. ``fields`` chooses the fields of each image, instead of a summary."""

    order: LibraryOrder | None = None
    share: UUID | None = None
    trashed: bool = False
    unattached: bool = False
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT
    fields: ImageFields | None = None


@frozen
class ImageQuery:
    """``fields`` chooses the fields; without it, all are returned."""

    fields: ImageFields | None = None


@frozen
class AuditQuery:
    """What was done to one thing, which may be gone; without any, to all of one's own."""

    image_id: UUID | None = None
    gallery_id: UUID | None = None
    share_id: UUID | None = None
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class EveryAuditQuery:
    """What all that is given fits. The range of times is ``since`` <= happened_at < ``until``; ``actor_id`` is a user's
    id, or that of the share whose link it was."""

    owner_id: Annotated[str, NO_NUL, example("ana")] | None = None
    actor_id: Annotated[str, NO_NUL, example("ben")] | None = None
    act: Act | None = None
    image_id: UUID | None = None
    gallery_id: UUID | None = None
    share_id: UUID | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class TimelineQuery(FilterQuery):
    """The timeline of the archived images, or of all others, that pass the filter; with ``share``, of another's library
    that it shows. ``part_size`` cuts months with more images than that into parts."""

    share: UUID | None = None
    is_archived: bool = False
    part_size: Annotated[int, Meta(ge=1, le=MAX_PART_SIZE)] | None = None


@frozen
class TimelineMonthQuery(FilterQuery):
    """As for the timeline. ``cursor`` is of a part of the month; without it, all of it comes."""

    share: UUID | None = None
    is_archived: bool = False
    cursor: Cursor | None = None


@frozen
class ResumableQuery:
    """Where the image goes, its name and its ``meta`` (a JSON object, as text), for clients that have no other way to
    say it. ``on_duplicate`` says what becomes of a file that is in the library already."""

    gallery_id: GalleryChoice = None
    filename: RawFilename | None = None
    on_duplicate: OnDuplicate | None = None
    meta: MetaText = None
    visibility: OwnVisibility = Visibility.PRIVATE
    policy: PolicyName = None


@frozen
class DeleteQuery:
    """``permanent`` deletes it permanently, in the trash or not."""

    permanent: bool = False


@frozen
class DeleteGalleryQuery:
    """``with_images`` moves the images that are in no other gallery to the trash."""

    with_images: bool = False


@frozen
class ViewQuery:
    """``variant`` is a preset's name, ``format`` an image format; without them the best is chosen."""

    variant: Word | None = None
    format: Annotated[Word, example("webp")] | None = None


@frozen
class AddQuery:
    """``filename`` names an image that is the whole body. ``on_duplicate`` says what becomes of a file that is in the
    library already; without it, the service's setting holds. ``meta`` is a JSON object, as text, for an image that is
    the whole body. ``policy`` is the one that the upload is under."""

    filename: RawFilename | None = None
    on_duplicate: OnDuplicate | None = None
    meta: MetaText = None
    visibility: OwnVisibility = Visibility.PRIVATE
    policy: PolicyName = None


@frozen
class DuplicatesQuery:
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class TagsQuery:
    """``prefix``: what the names of tags begin with, in any case of letters."""

    prefix: Annotated[str, Meta(max_length=MAX_TAG), NO_NUL, example("tr")] = ""
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class PolicyVersionsQuery:
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class OwnersQuery:
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class DeadJobsQuery:
    """``kind``: only those of it."""

    kind: JobKind | None = None
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class ChooseDeadJobs:
    """Those of this ``kind``, or all; that died ``until`` then, or now: so that who asks again while there are more
    does not meet the same."""

    kind: JobKind | None = None
    until: Moment | None = None


@frozen
class ContributionsQuery:
    """``share_id``: what came by that share."""

    state: Annotated[ContributionState, example("pending")] = ContributionState.PENDING
    share_id: UUID | None = None
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class UploadsQuery:
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class SharesQuery:
    """``gallery_id`` or ``image_id``: those of it. ``with_revoked`` shows those, too, that have been revoked."""

    gallery_id: UUID | None = None
    image_id: UUID | None = None
    with_revoked: bool = False
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class ReceivedSharesQuery:
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class OpenShareQuery:
    """Without ``begins`` nothing is counted and no visit begins: who has to open the link first learns it by a 401, as
    below the link."""

    begins: Annotated[bool, example(True)] = True


@frozen
class DeleteShareQuery:
    """``permanent`` deletes all that is known of it, too: then its link does not say any more that it was revoked."""

    permanent: bool = False


@frozen
class AccessesQuery:
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@frozen
class EventsQuery:
    """``after`` is an event's id: those that followed it come first."""

    after: Annotated[str, EVENT_ID] | None = None


# --- bodies ------------------------------------------------------------------------------------------------


@frozen
class CreateGallery:
    """``policy`` names the one that images are uploaded under into it: `GET /policies` lists them. ``allowed_origins``
    are those of the pages that may show its public files, ``https://*.photos.example`` for all below a name; ``null``
    is all pages, an empty list none but those of the service itself. Without ``visibility`` it has what administrators
    chose for new galleries, as a rule ``private``."""

    name: Name
    description: DescriptionText = ""
    visibility: Annotated[Visibility, example("public")] | None = None
    meta: MetaObject = field(factory=dict)
    policy: PolicyName = None
    allowed_origins: AllowedOrigins = None


@frozen
class ChangePolicy:
    """``rules`` is a JSON Merge Patch (RFC 7396): fields of what is in force. ``null`` leaves one to the settings
    again, and ``"unlimited"`` takes a limit of storage or a rate away. ``why`` stays with the version."""

    rules: PolicyRules
    why: Why


@frozen
class RestorePolicy:
    """``why`` stays with the new version."""

    why: Why


@frozen
class UpdateGallery:
    """Only what is given changes; ``cover_image_id`` ``null`` means the first image, ``policy`` ``null`` none,
    ``allowed_origins`` ``null`` all pages. ``meta`` is a JSON Merge Patch (RFC 7396): keys that are not named stay, and
    ``null`` removes one, or all."""

    name: Name | Unset = UNSET
    description: DescriptionText | Unset = UNSET
    visibility: Annotated[Visibility, example("public")] | Unset = UNSET
    cover_image_id: UUID | None | Unset = UNSET
    meta: MetaObject | None | Unset = UNSET
    policy: PolicyName | Unset = UNSET
    allowed_origins: AllowedOrigins | Unset = UNSET


@frozen
class AddImages:
    image_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MAX_BATCH)]


@frozen
class FormFields:
    """The fields beside the file of a form. ``meta`` is a JSON object, as text."""

    alt_text: AltText | Unset = UNSET
    meta: MetaText = None
    visibility: OwnVisibility = Visibility.PRIVATE
    policy: PolicyName = None


@frozen(kw_only=True)
class UploadForm(FormFields):
    """``multipart/form-data``: one file, and what to say about it. Fields may come before or after the file, ``policy``
    before it."""

    file: File


@frozen(kw_only=True)
class ObjectForm(Open):
    """``multipart/form-data`` as S3 takes it: any fields, then the file."""

    file: File


@frozen
class CreateUpload:
    """Without a ``content_type`` that says something, the name's extension does, else the file itself. ``size`` is in
    bytes; ``sha256``, if given, is checked on arrival. ``on_duplicate`` says what becomes of a file that is in the
    library already; without it, the service's setting holds. ``policy`` is the one that the upload is under, without it
    the gallery's: `GET /policies` tells what each takes."""

    filename: RawFilename
    size: Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER), example(3_481_204)]
    content_type: Annotated[str, Meta(max_length=255), example("image/jpeg")] = ""
    sha256: Sha256 | None = None
    gallery_id: GalleryChoice = None
    on_duplicate: OnDuplicate | None = None
    meta: MetaObject = field(factory=dict)
    visibility: OwnVisibility = Visibility.PRIVATE
    policy: PolicyName = None


PartNumber = Annotated[int, Meta(ge=1, le=MAX_PARTS), example(1)]


@frozen
class SignParts:
    numbers: Annotated[tuple[PartNumber, ...], Meta(min_length=1, max_length=MAX_SIGNED_AT_ONCE)]


@frozen
class SentPart:
    """``etag`` is what the store answered to the part."""

    number: PartNumber
    etag: Annotated[str, Meta(max_length=255), example("5d41402abc4b2a76b9719d911017c592")] | None = None


@frozen
class CompleteUpload:
    """``parts``, of a file that went up in parts: all of them in order, to be compared with what arrived."""

    parts: Annotated[tuple[SentPart, ...], Meta(min_length=1, max_length=MAX_PARTS)] | None = None


@frozen
class CheckFiles:
    """The SHA-256 of each file."""

    sha256: Annotated[tuple[Sha256, ...], Meta(min_length=1, max_length=MAX_BATCH)]


@frozen
class DismissPair:
    """Two images that are both to be kept."""

    image_ids: Annotated[tuple[UUID, ...], Meta(min_length=2, max_length=2), example((_IMAGE, _OTHER_IMAGE))]


@frozen
class UpdateImage:
    """Only what is given changes. ``meta`` is a JSON Merge Patch (RFC 7396): keys that are not named stay, and ``null``
    removes one, or all. ``tags`` are all that it has from now on; ``rating`` is in stars, ``null`` none. ``title`` and
    ``description`` are for all who see the picture, tags and rating for its owner."""

    alt_text: AltText | Unset = UNSET
    filename: Annotated[str, Meta(min_length=1, max_length=MAX_FILENAME), NO_NUL, example("tram.jpg")] | Unset = UNSET
    is_favorite: bool | Unset = UNSET
    is_archived: bool | Unset = UNSET
    meta: MetaObject | None | Unset = UNSET
    visibility: OwnVisibility | Unset = UNSET
    tags: Tags | Unset = UNSET
    title: TitleText | Unset = UNSET
    description: CaptionText | Unset = UNSET
    rating: Rating | None | msgspec.UnsetType = msgspec.UNSET


@frozen
class RenameTag:
    """A name that another tag has is a conflict: merge the two."""

    name: TagName


@frozen
class MergeTags:
    """The tags that become the one in the path, and are no more."""

    tag_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MAX_BATCH), example((_OTHER_TAG,))]


@frozen
class RemoveImages:
    image_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MAX_BATCH)]


@frozen
class MoveImages:
    """Right ``before`` or ``after`` another image of the gallery, in the order given: one of the two."""

    image_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MAX_BATCH), example((_OTHER_IMAGE,))]
    before: UUID | None = None
    after: Annotated[UUID | None, example(None)] = None


@frozen
class BatchImages:
    """One thing to do to many images, each named once. Two actions need a ``gallery_id``, two ``tags``, and ``rate`` a
    ``rating`` (``null``: none); the others take none of them."""

    ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MAX_BATCH)]
    action: Annotated[BatchAction, example("favorite")]
    gallery_id: Annotated[GalleryChoice, example(None)] = None
    tags: Annotated[Tags | None, example(None)] = None
    rating: Annotated[Rating | None | msgspec.UnsetType, example(None)] = msgspec.UNSET


PermissionName = Annotated[Literal["view", "download", "comment", "add_images", "edit"], example("view")]
MetadataName = Annotated[Literal["none", "basic", "all"], example("basic")]
DownloadName = Annotated[Literal["none", "variant", "original"], example("none")]
PermissionNames = Annotated[tuple[PermissionName, ...], Meta(min_length=1, max_length=5)]
Slug = Annotated[str, Meta(min_length=1, max_length=MAX_SLUG), NO_NUL, example("lisbon-2026")]
LinkPassword = Annotated[str, Meta(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD), example("open sesame")]
ShareNote = Annotated[str, Meta(max_length=MAX_NOTE), NO_NUL, example("From our weekend")]
GuestImages = Annotated[int, Meta(ge=0, le=MAX_GUEST_IMAGES), example(500)]
GuestBytes = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER), example(5_368_709_120)]
MaxViews = Annotated[int, Meta(ge=1, le=MAX_SAFE_INTEGER), example(100)]


@frozen
class TargetBody:
    """A gallery, an image or the whole library: one of the three."""

    gallery_id: UUID | None = None
    image_id: Annotated[UUID | None, example(None)] = None
    library: Annotated[bool, example(False)] = False


@frozen
class RecipientBody:
    """A user by id, the user with a verified address, or a group: one of the three. What is not said is as the share
    says."""

    user: Annotated[Annotated[str, Meta(max_length=255), NO_NUL] | None, example("ben")] = None
    email: Annotated[Annotated[str, Meta(max_length=254), NO_NUL] | None, example(None)] = None
    group: Annotated[Annotated[str, Meta(max_length=255), NO_NUL] | None, example(None)] = None
    permissions: PermissionNames | None = None
    metadata: MetadataName | None = None
    download: DownloadName | None = None


Targets = Annotated[tuple[TargetBody, ...], Meta(min_length=1, max_length=MAX_TARGETS)]
Recipients = Annotated[tuple[RecipientBody, ...], Meta(max_length=MAX_RECIPIENTS)]


@frozen
class CreateShare:
    """What is shared, with whom, and how far. With ``link`` it has one, whose token is in the response. A ``slug``
    is a public name of it, which anybody can guess. ``metadata`` is what is shown of pictures' metadata (``basic``: not
    the place), ``download`` what may be downloaded, without it what the permissions say. ``starts_at``, of a library:
    images added from then on. With ``add_images`` others add images, all together at most ``guest_max_images`` and
    ``guest_max_bytes``, which with ``approval`` wait until their owner approves them."""

    targets: Targets
    permissions: PermissionNames | Unset = UNSET
    link: Annotated[bool, example(True)] = True
    slug: Slug | None = None
    password: LinkPassword | None = None
    expires_at: Moment | None = None
    max_views: MaxViews | None = None
    metadata: MetadataName = "basic"
    download: DownloadName | Unset = UNSET
    recipients: Recipients = ()
    note: ShareNote = ""
    starts_at: Annotated[Moment | None, example(None)] = None
    approval: Annotated[bool, example(True)] = True
    guest_max_images: GuestImages = GUEST_IMAGES
    guest_max_bytes: GuestBytes = GUEST_BYTES


@frozen
class UpdateShare:
    """Only what is given changes; ``null`` takes a name, a password or a limit away. ``targets`` and ``recipients``
    replace all that its owner named. An earlier ``slug`` leads to the new one."""

    targets: Targets | Unset = UNSET
    permissions: PermissionNames | Unset = UNSET
    slug: Slug | None | Unset = UNSET
    password: LinkPassword | None | Unset = UNSET
    expires_at: Moment | None | Unset = UNSET
    max_views: MaxViews | None | msgspec.UnsetType = msgspec.UNSET
    metadata: MetadataName | Unset = UNSET
    download: DownloadName | Unset = UNSET
    recipients: Recipients | Unset = UNSET
    note: ShareNote | Unset = UNSET
    approval: Annotated[bool, example(True)] | Unset = UNSET
    guest_max_images: GuestImages | msgspec.UnsetType = msgspec.UNSET
    guest_max_bytes: GuestBytes | msgspec.UnsetType = msgspec.UNSET


@frozen
class NameGuest:
    name: Annotated[str, Meta(min_length=1, max_length=MAX_GUEST_NAME), NO_NUL, example("Aunt Inês")]


@frozen
class UnlockLink:
    password: Annotated[str, Meta(max_length=MAX_PASSWORD), example("open sesame")]


@frozen
class DecideContributions:
    """Some by their ids, or with ``all`` those that wait, of one share if it is given."""

    image_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MAX_BATCH)] | None = None
    all: Annotated[bool, example(False)] = False
    share_id: Annotated[UUID | None, example(None)] = None


@frozen
class CreateWebhook:
    """``event_types`` empty: all."""

    url: Annotated[str, Meta(min_length=1, max_length=MAX_URL), example("https://example.org/hooks/images")]
    event_types: Annotated[
        tuple[EventType, ...], Meta(max_length=MAX_EVENT_TYPES), example(("image.ready", "image.failed"))
    ] = ()
