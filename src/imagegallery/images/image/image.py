"""An image and its variants, as everything but the SQL sees them."""

from datetime import datetime
from enum import StrEnum
from functools import cached_property
from html import escape
from typing import Literal, TypeAlias
from uuid import UUID

from attrs import evolve, field, frozen

from imagegallery.access.audience import Audience, Visibility
from imagegallery.access.contributor import Contributor
from imagegallery.access.disclosure import NOTHING, Disclosure
from imagegallery.common.meta import Meta
from imagegallery.errors import Failure
from imagegallery.images.metadata.capture_time import TakenAtSource
from imagegallery.images.metadata.metadata import Metadata
from imagegallery.images.presentation.picture import picture
from imagegallery.images.presentation.responsive import Responsive, describe
from imagegallery.imaging.protocol import Removal

MAX_ALT_TEXT = 500
MAX_FILENAME = 255  # bytes of UTF-8: what file systems allow


class ProcessingStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETE = "complete"
    FAILED = "failed"


ProcessingStatusLike: TypeAlias = ProcessingStatus | Literal["pending", "processing", "complete", "failed"]


class OriginalState(StrEnum):
    """``unverified``: only the head of the file was looked at; ``refused``: it proved to be no good, and is gone."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    REFUSED = "refused"


class LibraryOrder(StrEnum):
    """The order of a library: by latest upload, or latest picture."""

    CREATED_AT = "created_at"
    TAKEN_AT = "taken_at"


LibraryOrderLike: TypeAlias = LibraryOrder | Literal["created_at", "taken_at"]


@frozen
class Variant:
    """A rendering of an image for display. ``width`` and ``height`` are in pixels, ``file_size`` in bytes.

    ``frames`` is 1 for a still picture, including the still one of an animation. ``url`` is absolute, or relative to
    the API's mount point; services fill it in.
    """

    variant_type: str
    format: str
    key: str
    width: int
    height: int
    file_size: int
    fingerprint: str
    frames: int = 1
    url: str = ""

    def at(self, url: str) -> "Variant":
        """The same with a URL."""
        made = (self.variant_type, self.format, self.key, self.width, self.height, self.file_size, self.fingerprint)
        return Variant(*made, self.frames, url)


@frozen
class Image:
    """One picture an owner uploaded.

    ``width`` and ``height`` are in pixels with the orientation applied. ``is_truncated``: a part of the picture is
    missing from the file, and what is there is shown. ``taken_at`` is what the file tells, else the
    upload's time; ``taken_at_source`` says which. ``metadata`` and the coordinates are the owner's, and whose shares
    show them: for anybody else services have taken the place out. ``phash`` is 64 bits of how it looks
    (`imagegallery.imaging.phash`), 0 when they would say nothing and ``None`` until they are computed. ``original_key``
    may be another image's, too: images of one owner with the same bytes share their original. ``sha256`` is ``None``
    until all of it was read. ``deleted_at`` says since
    when the image is in the trash (``None``: it is not). ``left_out`` has the verdicts on
    variants that were made and not kept (`imagegallery.variants.plan`).
    ``policy`` is the name of the one that it was uploaded under. ``removed_metadata`` is what its original was kept
    without, although the file that came had it (``None``: it is as it came).
    ``urls_expire_at``: until when its URLs work (``None``: for ever). ``audience`` and ``disclosure``: as whom the
    principal of the call sees it, and what they are shown of it, set by services, which have taken out the rest.
    ``position``, in a
    gallery's list: where it was put, the higher the later; with gaps, so that it counts nothing. ``meta`` is what the
    application keeps with it (`imagegallery.common.meta`), of which services have taken out what the principal may not
    see. ``visibility`` is its own: it is as open as the most open of itself and its galleries. ``added_by`` is who
    added it in its owner's place; as long as it ``is_pending``, it waits for the owner's approval and is in no list.

    ``tags`` are in the order of their letters; ``rating`` is 0 to 5 stars. ``people`` are named in its file. What its
    file says of ``tags``, ``title``, ``description`` and ``rating`` holds until its owner says something else:
    ``own_words`` are the names of those.
    """

    id: UUID
    owner_id: str
    original_key: str
    key_prefix: str
    filename: str
    mime_type: str
    width: int
    height: int
    frames: int
    is_truncated: bool
    file_size: int
    sha256: bytes | None
    alt_text: str
    blurhash: str | None
    metadata: Metadata | None
    taken_at: datetime
    taken_at_source: TakenAtSource
    latitude: float | None
    longitude: float | None
    status: ProcessingStatus
    failure: Failure | None
    is_favorite: bool
    is_archived: bool
    created_at: datetime
    updated_at: datetime
    variants: tuple[Variant, ...] = ()
    deleted_at: datetime | None = None
    phash: int | None = None
    left_out: frozenset[str] = frozenset()
    urls_expire_at: datetime | None = None
    original_state: OriginalState = OriginalState.VERIFIED
    policy: str | None = None
    removed_metadata: Removal | None = None
    audience: Audience | None = field(default=None, eq=False)
    disclosure: Disclosure = field(default=NOTHING, eq=False, repr=False)
    position: int | None = field(default=None, eq=False)
    meta: Meta = field(factory=dict, hash=False)
    visibility: Visibility = Visibility.PRIVATE
    added_by: Contributor | None = None
    is_pending: bool = False
    tags: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    rating: int | None = None
    people: tuple[str, ...] = ()
    own_words: frozenset[str] = frozenset()

    @property
    def caption(self) -> str:
        """What stands in the picture's place: its alternative text, else its title, else its file's name."""
        return self.alt_text or self.title or self.filename

    @property
    def heading(self) -> str:
        """What stands above it: its title, else what stands in its place."""
        return self.title or self.caption

    @property
    def ratio(self) -> float:
        """Width divided by height, to four decimals."""
        return max(round(self.width / self.height, 4), 0.0001)

    @cached_property
    def responsive(self) -> Responsive:
        """How a page shows it: the ``src``, ``srcSet`` and ``sources`` of its variants."""
        return describe(self.variants, width=self.width, height=self.height)

    def __repr__(self) -> str:
        return f"<Image {self.id} {self.filename!r} {self.width}x{self.height} {self.status}>"

    def _repr_html_(self) -> str:
        """The picture in a notebook; a box of its colour where its URLs lead to no service (`DeliveryOptions`)."""
        reachable = [each for each in self.variants if not each.url.startswith("/")]
        shown = picture(evolve(self, variants=tuple(reachable)), width=min(self.width, 400))
        return f"<figure>{shown}<figcaption>{escape(repr(self)[1:-1])}</figcaption></figure>"
