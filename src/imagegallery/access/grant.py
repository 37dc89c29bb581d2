"""What a share grants to who has it. Pure."""

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from attrs import frozen

from imagegallery.access.permission import VIEWER, Permission


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
    """What one share grants to one principal, until it ``expires_at``.

    The original takes both, ``DownloadAllowed.ORIGINAL`` and ``Permission.DOWNLOAD`` beside ``VIEW``.
    """

    share_id: UUID
    permissions: Permission
    metadata: MetadataShown = MetadataShown.BASIC
    download: DownloadAllowed = DownloadAllowed.NONE
    expires_at: datetime | None = None

    @property
    def allowed(self) -> Permission:
        """What may be done by it."""
        return self.permissions if self._gives_original else self.permissions & ~Permission.DOWNLOAD

    @property
    def allowed_download(self) -> DownloadAllowed:
        """What may be fetched as a file by it."""
        return self.download if self._gives_original else min(self.download, DownloadAllowed.VARIANT)

    @property
    def _gives_original(self) -> bool:
        return self.download is DownloadAllowed.ORIGINAL and VIEWER in self.permissions

    def is_live(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or now < self.expires_at


def all_permissions(grants: Iterable[Grant]) -> Permission:
    """What they allow together: grants add up."""
    granted = Permission.NONE
    for each in grants:
        granted |= each.allowed
    return granted
