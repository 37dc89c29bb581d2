"""What a share grants to who has it. Pure."""

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from attrs import frozen

from imagegallery.access.permission import Permission


class MetadataShown(IntEnum):
    """What is shown of a picture's metadata. ``NONE``: nothing but the picture; ``BASIC``: what everybody sees of a
    public one, without its place; ``ALL``: its place, too.
    """

    NONE = 0
    BASIC = 1
    ALL = 2


class DownloadAllowed(IntEnum):
    """What may be fetched as a file: nothing, a ``VARIANT``, or the ``ORIGINAL``, too."""

    NONE = 0
    VARIANT = 1
    ORIGINAL = 2


@frozen
class Grant:
    """What one share grants to one principal, until it ``expires_at``."""

    share_id: UUID
    permissions: Permission
    metadata: MetadataShown = MetadataShown.BASIC
    download: DownloadAllowed = DownloadAllowed.NONE
    expires_at: datetime | None = None


def all_permissions(grants: Iterable[Grant]) -> Permission:
    """What they allow together: grants add up."""
    granted = Permission.NONE
    for each in grants:
        granted |= each.permissions
    return granted
