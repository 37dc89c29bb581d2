"""What is kept of an act that matters for security. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import field, frozen

from imagegallery.common.meta import JsonValue
from imagegallery.principal import Principal

HOUR: Final = timedelta(hours=1)

BY_OWNERSHIP: Final = "owner"
BY_OPENNESS: Final = "public"
BY_OPERATOR: Final = "operator"
BY_SYSTEM: Final = "system"


def by_share(share_id: UUID) -> str:
    """The grant of a share, for `AuditEntry.grant`."""
    return f"share:{share_id}"


def by_role(role: str) -> str:
    """What a role of the service allows, for `AuditEntry.grant`."""
    return f"role:{role}"


class Act(StrEnum):
    """What is audited: the kind of thing, and what happened to it. Other programs read these names: they stay."""

    IMAGE_TRASHED = "image.trashed"
    IMAGE_RESTORED = "image.restored"
    IMAGE_PURGED = "image.purged"
    IMAGE_VISIBILITY_CHANGED = "image.visibility_changed"
    ORIGINAL_DOWNLOADED = "image.original_downloaded"
    GALLERY_DELETED = "gallery.deleted"
    GALLERY_VISIBILITY_CHANGED = "gallery.visibility_changed"


class ActorKind(StrEnum):
    """``visitor``: nobody known; ``operator``: somebody at the command line; ``system``: periodic work."""

    USER = "user"
    LINK = "link"
    GUEST = "guest"
    VISITOR = "visitor"
    OPERATOR = "operator"
    SYSTEM = "system"


@frozen
class Actor:
    """The one that did it. ``id`` is a user's, the share's of a link, or a guest's."""

    kind: ActorKind
    id: str | None = None

    @classmethod
    def of(cls, principal: Principal) -> "Actor":
        if principal.user_id is not None:
            return cls(ActorKind.USER, principal.user_id)
        if principal.link is None:
            return cls(ActorKind.VISITOR)
        if principal.link.guest_id is None:
            return cls(ActorKind.LINK, str(principal.link.share_id))
        return cls(ActorKind.GUEST, str(principal.link.guest_id))


OPERATOR: Final = Actor(ActorKind.OPERATOR)
SYSTEM: Final = Actor(ActorKind.SYSTEM)


@frozen
class AuditEntry:
    """One act.

    ``grant`` is what allowed it: ``owner``, ``public``, ``operator``, ``system``, or what `by_share` and `by_role`
    return. ``owner_id`` is the owner of what it was done to, who may read the entry; ``None`` for what is nobody's,
    such as a policy. An entry is found by each of ``image_id``, ``gallery_id`` and ``share_id``: what is done to
    several images or galleries is an entry each. ``subject`` is whatever else it was done to: a user, a group, a
    version. ``details`` are few and short, for people, and never secrets: what changed, from what to what.

    ``once_an_hour``: what only looks may be repeated as often as a stranger likes, and is kept once for each actor and
    image in an hour; for all guests of a share together, as they are made by who opens its link.
    """

    act: Act
    actor: Actor
    grant: str
    owner_id: str | None
    image_id: UUID | None = None
    gallery_id: UUID | None = None
    share_id: UUID | None = None
    subject: str | None = None
    details: Mapping[str, JsonValue] = field(factory=dict)
    once_an_hour: bool = field(default=False, kw_only=True, eq=False)

    def id_in(self, hour: datetime) -> UUID:
        """The id of the one entry of this actor, act and image in that hour, as a UUIDv7 of its beginning."""
        who = self.share_id if self.actor.kind is ActorKind.GUEST else self.actor.id
        same = (self.act.value, self.actor.kind.value, str(who), str(self.image_id))
        digest = hashlib.sha256(repr(same).encode()).digest()
        milliseconds = round(hour.timestamp() * 1000)
        tail = int.from_bytes(digest[:10], "big")
        value = milliseconds << 80 | tail
        return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


@frozen
class Origin:
    """From where a request came: no whole address of anybody (`imagegallery.audit.origin`)."""

    address: str | None = None
    request_id: str | None = None
    user_agent: str | None = None


@frozen
class AuditRecord:
    """An entry as it was kept."""

    id: UUID
    happened_at: datetime
    entry: AuditEntry
    origin: Origin


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour."""
    return moment.replace(minute=0, second=0, microsecond=0)
