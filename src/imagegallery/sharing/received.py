"""A share as those have it whom it is for. Pure."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from imagegallery.access.grant import DownloadAllowed, Grant, MetadataShown, all_permissions
from imagegallery.access.permission import Permission
from imagegallery.sharing.share import RecipientKind, ShareTarget

MAX_JOINED = 10_000
"""How many users who came by the link may keep one share."""


@frozen
class OwnPlace:
    """One of the ways in which somebody is a recipient: by their id, an address or a group, and what that grants."""

    kind: RecipientKind
    by_link: bool
    joined_at: datetime | None
    grant: Grant


@frozen
class ReceivedShare:
    """What somebody shares with the principal.

    ``permissions``, ``metadata`` and ``download`` are what they have by it in all. ``owner_id`` is ``None`` for those
    who came by the link, whom its owner has not named. ``joined_at``: since when they have kept it among their own.
    ``can_leave`` is false if they have it by a group alone, which only its owner ends.
    """

    id: UUID
    owner_id: str | None
    targets: tuple[ShareTarget, ...]
    permissions: Permission
    metadata: MetadataShown
    download: DownloadAllowed
    starts_at: datetime | None
    expires_at: datetime | None
    note: str
    created_at: datetime
    joined_at: datetime | None
    can_leave: bool

    @classmethod
    def of(
        cls,
        share_id: UUID,
        owner_id: str,
        places: Sequence[OwnPlace],
        *,
        targets: tuple[ShareTarget, ...],
        starts_at: datetime | None,
        expires_at: datetime | None,
        note: str,
        created_at: datetime,
    ) -> "ReceivedShare":
        grants = [each.grant for each in places]
        joined = [each.joined_at for each in places if each.joined_at is not None]
        return cls(
            id=share_id,
            owner_id=None if all(each.by_link for each in places) else owner_id,
            targets=targets,
            permissions=all_permissions(grants),
            metadata=max(each.metadata for each in grants),
            download=max(each.allowed_download for each in grants),
            starts_at=starts_at,
            expires_at=expires_at,
            note=note,
            created_at=created_at,
            joined_at=min(joined, default=None),
            can_leave=any(each.kind is not RecipientKind.GROUP for each in places),
        )
