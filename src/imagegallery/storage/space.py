"""Room on the disk that the database and the objects share: some of it is kept, so that neither ever runs into its end.

A database that cannot write its log stops for everybody, and takes back nothing it promised only if it stops in time.
"""

import shutil
from pathlib import Path
from typing import Protocol

import anyio.to_thread
from attrs import frozen

from imagegallery.errors import DiskFull


class Space(Protocol):
    """Where what is uploaded goes, seen as room."""

    async def check(self, size: int = 0) -> None:
        """Raises `DiskFull` unless there is room for ``size`` bytes more."""


class Boundless:
    """Room that somebody else sees to: a bucket and a database of its own."""

    async def check(self, size: int = 0) -> None:
        """There is always room."""


@frozen
class DiskSpace:
    """The disk that ``path`` lies on, or will lie on. ``reserve``: how many bytes of it stay free; with
    ``holds_objects`` uploads themselves lie there too, else only what the database writes of them."""

    path: Path
    reserve: int
    holds_objects: bool = True

    def free(self) -> int:
        """Bytes that are free for this user. Blocking."""
        existing = next(each for each in (self.path, *self.path.parents) if each.exists())
        return shutil.disk_usage(existing).free

    async def check(self, size: int = 0) -> None:
        free = await anyio.to_thread.run_sync(self.free)
        if free - (size if self.holds_objects else 0) < self.reserve:
            raise DiskFull("This service has no room left on its disk; nothing can be uploaded for now.")
