"""What is kept of an act that matters for security. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.audience import Audience
from imagegallery.access.decision import Facts, audience
from imagegallery.access.permission import Permission
from imagegallery.common.meta import JsonValue
from imagegallery.principal import Principal

NO_DETAILS: Final[Mapping[str, JsonValue]] = MappingProxyType({})

BY_OWNERSHIP: Final = "owner"
BY_OPENNESS: Final = "public"
BY_CONTRIBUTION: Final = "contributor"
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
    CONTRIBUTION_ADDED = "contribution.added"
    CONTRIBUTION_APPROVED = "contribution.approved"
    CONTRIBUTION_REJECTED = "contribution.rejected"
    CONTRIBUTION_WITHDRAWN = "contribution.withdrawn"
    OWNER_LIMIT_CHANGED = "owner.limit_changed"
    POLICY_CHANGED = "policy.changed"
    POLICY_RESTORED = "policy.restored"
    JOB_REDRIVEN = "job.redriven"
    JOB_DISCARDED = "job.discarded"
    SHARE_CREATED = "share.created"
    SHARE_CHANGED = "share.changed"
    SHARE_LINK_CHANGED = "share.link_changed"
    SHARE_REVOKED = "share.revoked"
    SHARE_JOINED = "share.joined"
    SHARE_LEFT = "share.left"
    SHARE_DELETED = "share.deleted"
    EXPORT_REQUESTED = "owner.export_requested"
    ERASURE_REQUESTED = "owner.erasure_requested"
    ERASURE_CANCELLED = "owner.erasure_cancelled"
    OWNER_ERASED = "owner.erased"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_ENABLED = "webhook.enabled"
    WEBHOOK_DELETED = "webhook.deleted"


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
class Warrant:
    """The actor, and what allows the act: ``grant`` as in `AuditEntry`, with the share's id where it is one's."""

    actor: Actor
    grant: str
    share_id: UUID | None = None

    @classmethod
    def of(cls, principal: Principal, facts: Facts, needed: Permission) -> "Warrant":
        """What allows the principal to do what takes ``needed``, which was decided before."""
        if audience(principal, facts) is Audience.OWNER:
            return cls.of_owner(principal)
        for each in facts.grants:
            if needed in each.allowed:
                return cls(Actor.of(principal), by_share(each.share_id), each.share_id)
        return cls(Actor.of(principal), BY_OPENNESS)

    @classmethod
    def of_owner(cls, principal: Principal) -> "Warrant":
        """The principal's own things are concerned."""
        return cls(Actor.of(principal), BY_OWNERSHIP)


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
    details: Mapping[str, JsonValue] = NO_DETAILS
    once_an_hour: bool = field(default=False, kw_only=True, eq=False)

    @classmethod
    def under(
        cls,
        warrant: Warrant,
        act: Act,
        owner_id: str,
        *,
        image_id: UUID | None = None,
        gallery_id: UUID | None = None,
        subject: str | None = None,
        details: Mapping[str, JsonValue] = NO_DETAILS,
        once_an_hour: bool = False,
    ) -> "AuditEntry":
        """An act under this warrant."""
        return cls(
            act,
            warrant.actor,
            warrant.grant,
            owner_id,
            image_id,
            gallery_id,
            warrant.share_id,
            subject,
            details,
            once_an_hour=once_an_hour,
        )

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
