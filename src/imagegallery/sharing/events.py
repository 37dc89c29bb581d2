"""Events about shares. Pure. None of them has a token, a name of a link or a password."""

from typing import ClassVar
from uuid import UUID

from attrs import field, frozen

from imagegallery.events.event import OwnerEvent, to_id


@frozen
class ShareEvent(OwnerEvent):
    """Something that happened to one share."""

    share_id: UUID = field(converter=to_id)


@frozen
class ShareCreated(ShareEvent):
    """An owner shared something."""

    type: ClassVar[str] = "share.created"


@frozen
class ShareChanged(ShareEvent):
    """What a share says was changed, or its link was."""

    type: ClassVar[str] = "share.changed"


@frozen
class ShareJoined(ShareEvent):
    """A user who came by its link has kept it, or one whom it names."""

    type: ClassVar[str] = "share.joined"
    user_id: str


@frozen
class ShareLeft(ShareEvent):
    """A user has given it back."""

    type: ClassVar[str] = "share.left"
    user_id: str


@frozen
class ShareRevoked(ShareEvent):
    """A share was revoked, or deleted: nobody has anything by it any more."""

    type: ClassVar[str] = "share.revoked"
