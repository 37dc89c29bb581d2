"""A share: what an owner lets others do with galleries, images or the whole library, by a link or by name. Pure."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.decision import Facts
from imagegallery.access.grant import DownloadAllowed, MetadataShown
from imagegallery.access.permission import EDITOR, Permission

SHAREABLE: Final = EDITOR
"""What may be shared. Only its owner ever deletes a thing."""
MAX_TARGETS: Final = 100
MAX_RECIPIENTS: Final = 500
MAX_SLUGS: Final = 20
MAX_SLUG: Final = 100
MAX_NOTE: Final = 2_000
MAX_GUEST_NAME: Final = 100
MAX_GUEST_IMAGES: Final = 10_000
GUEST_IMAGES: Final = 500
GUEST_BYTES: Final = 5 * 1024**3
MIN_PASSWORD: Final = 4
MAX_PASSWORD: Final = 256


def permission_names(granted: Permission) -> tuple[str, ...]:
    """The names of these flags, as callers write them."""
    return tuple(str(each.name).lower() for each in granted)


class RecipientKind(StrEnum):
    """Whom a share names: a ``user`` by id, one by a verified ``email`` address, or a ``group`` of the host."""

    USER = "user"
    EMAIL = "email"
    GROUP = "group"


class ShareEnd(StrEnum):
    """Why a share is not open any more."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


@frozen
class ShareTarget:
    """One gallery, one image, or with neither the whole library of the share's owner."""

    gallery_id: UUID | None = None
    image_id: UUID | None = None

    @property
    def is_library(self) -> bool:
        return self.gallery_id is None and self.image_id is None


LIBRARY: Final = ShareTarget()
"""The whole library of who shares it."""


@frozen
class ShareRecipient:
    """Somebody a share is for. What is ``None`` is as the share says; what is not holds in its place.

    ``by_link``: they came by the link and kept the share, at ``joined_at``.
    """

    kind: RecipientKind
    name: str
    permissions: Permission | None = None
    metadata: MetadataShown | None = None
    download: DownloadAllowed | None = None
    by_link: bool = False
    joined_at: datetime | None = None
    id: UUID | None = None


@frozen
class Share:
    """What somebody shares. Its token is shown once, and kept nowhere.

    ``slug`` is the public name of its link, if it has one. ``views``: how often its link was opened. What all who add
    images by it may bring together, are ``guest_max_images`` and ``guest_max_bytes``; with ``approval`` they wait for
    the owner's.
    """

    id: UUID
    owner_id: str
    has_link: bool
    slug: str | None
    permissions: Permission
    metadata: MetadataShown
    download: DownloadAllowed
    has_password: bool
    starts_at: datetime | None
    expires_at: datetime | None
    max_views: int | None
    views: int
    note: str
    created_at: datetime
    updated_at: datetime
    revoked_at: datetime | None
    approval: bool = True
    guest_max_images: int = GUEST_IMAGES
    guest_max_bytes: int = GUEST_BYTES
    targets: tuple[ShareTarget, ...] = ()
    recipients: tuple[ShareRecipient, ...] = ()

    @property
    def facts(self) -> Facts:
        """The facts to decide by who may govern it: it is its owner's."""
        return Facts(self.owner_id)

    def ended(self, now: datetime) -> ShareEnd | None:
        """Why nobody can have anything by it any more, or ``None``."""
        if self.revoked_at is not None:
            return ShareEnd.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return ShareEnd.EXPIRED
        return None

    @property
    def is_exhausted(self) -> bool:
        """Whether its link opens for nobody who has not opened it yet."""
        return self.max_views is not None and self.views >= self.max_views


@frozen
class CreatedShare:
    """A share with the ``token`` of its new link, which is shown only now; ``None``: it has no link."""

    share: Share
    token: str | None = field(repr=False)


@frozen
class ShareAccess:
    """How often a share was opened on a day by one recipient or visitor: ``visitor`` tells visitors of that day apart,
    and nothing else about them."""

    day: date
    visitor: str
    recipient: ShareRecipient | None
    opened: int
    first_at: datetime
    last_at: datetime
