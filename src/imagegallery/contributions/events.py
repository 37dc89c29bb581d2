"""Events about what others add, all for the owner of the gallery. Pure."""

from typing import ClassVar
from uuid import UUID

from attrs import field, frozen
from attrs.converters import optional

from imagegallery.events.event import OwnerEvent, to_id


@frozen
class ContributionEvent(OwnerEvent):
    """Something that happened to one image that somebody added: ``contributor`` is ``user:`` or ``guest:`` and their
    id, ``name`` the one that they gave."""

    image_id: UUID = field(converter=to_id)
    contributor: str
    name: str
    share_id: UUID | None = field(default=None, converter=optional(to_id))
    gallery_id: UUID | None = field(default=None, converter=optional(to_id))


@frozen
class GuestUploaded(ContributionEvent):
    """Somebody added an image by a share. ``is_pending``: it waits to be approved."""

    type: ClassVar[str] = "guest.uploaded"
    is_pending: bool = True


@frozen
class GuestApproved(ContributionEvent):
    """Its owner approved what somebody added: it is in the gallery now, if that is still there."""

    type: ClassVar[str] = "guest.approved"


@frozen
class GuestRejected(ContributionEvent):
    """Its owner rejected what somebody added: it is gone."""

    type: ClassVar[str] = "guest.rejected"


@frozen
class GuestWithdrew(ContributionEvent):
    """Somebody took back what they had added: out of all galleries, and into the trash of its owner, or gone if it was
    never approved."""

    type: ClassVar[str] = "guest.withdrew"
