"""An image that somebody added to another's gallery by a share, and what a share lets them add. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from attrs import evolve, frozen

from imagegallery.access.contributor import Contributor
from imagegallery.access.decision import Facts
from imagegallery.access.grant import Grant
from imagegallery.access.permission import Permission
from imagegallery.errors import QuotaExceeded, TooManyUploads
from imagegallery.images.image.image import Image


class ContributionState(StrEnum):
    """``pending``: it waits for the owner and is in no gallery; ``approved``: it is an image like any other;
    ``withdrawn``: the one that added it took it out of all galleries, into the owner's trash."""

    PENDING = "pending"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


ContributionStateLike: TypeAlias = ContributionState | Literal["pending", "approved", "withdrawn"]


@frozen
class Contribution:
    """``share_id`` is the share that it came by, ``gallery_id`` the gallery that it is for: ``None`` if that is gone.
    ``size`` is in bytes."""

    image_id: UUID
    owner_id: str
    share_id: UUID | None
    gallery_id: UUID | None
    added_by: Contributor
    size: int
    state: ContributionState
    arrived_at: datetime

    @property
    def is_pending(self) -> bool:
        return self.state is ContributionState.PENDING

    @property
    def facts(self) -> Facts:
        """The facts to decide by who may take it back."""
        return Facts(self.owner_id, contributor=self.added_by)


@frozen
class ShownContribution:
    """With its image, as who asks sees that."""

    contribution: Contribution
    image: Image


@frozen
class Verdict:
    """What an owner decided at once: the images of which it is ``done``, and those that are ``left`` as they are: they
    did not wait, or their gallery takes no more. ``has_more``: others still wait, for the next call."""

    done: tuple[UUID, ...]
    left: tuple[UUID, ...] = ()
    has_more: bool = False


@frozen
class ShareRoom:
    """What a share lets others add by it, all together, in bytes and images, and what they did.

    ``allows`` is what it permits now: nothing, when it is over.
    """

    allows: Permission
    approval: bool
    max_bytes: int
    max_images: int
    used_bytes: int
    used_images: int

    @property
    def rest(self) -> int:
        """The bytes that there is room for."""
        return max(0, self.max_bytes - self.used_bytes)

    def without(self, images: int, size: int) -> "ShareRoom":
        """What is left when these are in, too."""
        return evolve(self, used_images=self.used_images + images, used_bytes=self.used_bytes + size)

    def check(self, size: int) -> None:
        """Raise `QuotaExceeded` unless one more image of ``size`` bytes fits."""
        if self.used_images >= self.max_images or size > self.rest:
            raise no_room()


@frozen
class ShareSender:
    """The one that adds something to another's gallery, and the share that lets them."""

    share_id: UUID
    contributor: Contributor


def share_for(grants: tuple[Grant, ...]) -> UUID:
    """The share that an upload comes by, of those that allow it: always the same one."""
    return min(each.share_id for each in grants if Permission.ADD_IMAGES in each.allowed)


def no_room() -> QuotaExceeded:
    """The one refusal for who adds to another's gallery: it tells nothing of how much the owner stores, or may."""
    return QuotaExceeded("There is no room for this file here.")


def check_open(count: int, most: int) -> None:
    """Raise `TooManyUploads` for more open uploads by one share, this one included, than there may be."""
    if count > most:
        raise TooManyUploads("Too many uploads are under way here; try again when some have ended.")
