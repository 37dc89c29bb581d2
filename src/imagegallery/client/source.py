"""The file to send: its metadata and bytes, read in threads."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from anyio.to_thread import run_sync
from attrs import frozen

from imagegallery.errors import InvalidInput
from imagegallery.imaging.signature import HEAD_SIZE, sniff

CHUNK = 256 * 1024


@frozen
class LocalFile:
    """A file as it was when examined. ``content_type`` follows from its first bytes; ``sha256`` is in hexadecimal."""

    path: Path
    status: os.stat_result
    content_type: str
    sha256: str

    @property
    def name(self) -> str:
        """Its name as text, without bytes that are not UTF-8."""
        return os.fsencode(self.path.name).decode(errors="replace")

    @property
    def size(self) -> int:
        return self.status.st_size

    @classmethod
    async def examine(cls, path: Path) -> "LocalFile":
        """Read the whole file once. Raises `OSError`, or `InvalidInput` for a file that is no image."""
        return await run_sync(_examine, path)

    async def chunks(self, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``. Raises `InvalidInput` if the file became shorter."""
        left = (self.size if stop is None else stop) - start
        file = await run_sync(self.path.open, "rb")
        with file:
            await run_sync(file.seek, start)
            while left:
                chunk = await run_sync(file.read, min(CHUNK, left))
                if not chunk:
                    raise InvalidInput(f"{self.path} became shorter while it was sent.")
                left -= len(chunk)
                yield chunk


def _examine(path: Path) -> LocalFile:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        content_type = sniff(file.read(HEAD_SIZE))
        if content_type is None:
            raise InvalidInput(f"{path} is not an image of a known type.")
        file.seek(0)
        return LocalFile(path, status, content_type, hashlib.file_digest(file, "sha256").hexdigest())
