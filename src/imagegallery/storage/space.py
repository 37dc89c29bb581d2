"""Free space on the disk that the database and the objects share, some of which stays reserved.

A database that cannot write its log stops for everybody, and keeps its promises only if it stops in time.
"""

import shutil
from pathlib import Path
from typing import Protocol

import anyio.to_thread
from attrs import frozen

from imagegallery.errors import DiskFull


class Space(Protocol):
    """The space for uploads."""

    async def check(self, size: int = 0) -> None:
        """Raise `DiskFull` unless ``size`` more bytes fit."""


class UnlimitedSpace:
    """Space that others manage: a bucket, and an external database."""

    async def check(self, size: int = 0) -> None:
        """Do nothing: there is always space."""


@frozen
class DiskSpace:
    """The disk of ``path``, which need not exist yet.

    Attributes:
        reserve: Bytes that stay free.
        holds_objects: Whether uploads are stored there, too, and not only what the database writes about them.
    """

    path: Path
    reserve: int
    holds_objects: bool = True

    def free(self) -> int:
        """The bytes free for this user. Blocking."""
        existing = next(each for each in (self.path, *self.path.parents) if each.exists())
        return shutil.disk_usage(existing).free

    async def check(self, size: int = 0) -> None:
        free = await anyio.to_thread.run_sync(self.free)
        if free - (size if self.holds_objects else 0) < self.reserve:
            raise DiskFull("This service has no room left on its disk; nothing can be uploaded for now.")
