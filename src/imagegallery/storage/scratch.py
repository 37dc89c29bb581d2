"""Temporary files that do not outlive their process, even if it is killed.

Each process has a directory of its own in the scratch directory, and locks a file in it (flock(2)). The system releases
the lock when the process ends, in any way. The next process to open the scratch directory removes directories that are
not locked. All processes of a machine may share the scratch directory, also over NFS.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from anyio import CancelScope, to_thread

from imagegallery.common.filelock import try_lock, wait_for_lock
from imagegallery.common.folders import make_private

_PREFIX = "process-"
_LOCK = "lock"


class Scratch:
    """This process's part of a scratch directory (a `TemporaryFiles`).

    Attributes:
        path: The directory, absolute.
        descriptor: The same directory, open, to use as ``dir_fd``.
    """

    def __init__(self, path: Path, descriptor: int, lock: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self._lock = lock
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def open(cls, directory: Path) -> AsyncIterator["Scratch"]:
        """Create ``directory`` if needed, remove what crashed processes left, and hold a part of it until the end."""
        scratch = await to_thread.run_sync(claim, directory)
        try:
            yield scratch
        finally:
            await scratch.aclose()

    async def aclose(self) -> None:
        """Remove everything in it and release it. May be repeated."""
        if not self._closed:
            self._closed = True
            with CancelScope(shield=True):
                await to_thread.run_sync(self._release)

    def fresh_name(self) -> str:
        """Return a name that was never used here."""
        return secrets.token_hex(12)

    @asynccontextmanager
    async def directory(self) -> AsyncIterator[Path]:
        """Make an empty private directory, removed with its content on leaving."""
        path = await to_thread.run_sync(partial(tempfile.mkdtemp, dir=self.path))
        try:
            yield Path(path)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(partial(shutil.rmtree, path, ignore_errors=True))

    def _release(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.descriptor)
        os.close(self._lock)


def claim(directory: Path) -> Scratch:
    """Do the same as `Scratch.open`, blocking. The caller closes it."""
    make_private(directory)
    # Held between making a directory and locking it, when it looks like a dead process's.
    with _lock(directory / _LOCK):
        for path in directory.glob(f"{_PREFIX}*"):
            if not _is_held(path / _LOCK):
                shutil.rmtree(path, ignore_errors=True)
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=directory)).absolute()
        lock = _open_lock(path / _LOCK)
        wait_for_lock(lock)
        return Scratch(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY), lock)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    lock = _open_lock(path)
    try:
        wait_for_lock(lock)
        yield
    finally:
        os.close(lock)


def _is_held(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError as error:
        return not isinstance(error, FileNotFoundError)  # another user's: not ours to judge
    try:
        return not try_lock(lock)
    finally:
        os.close(lock)


def _open_lock(path: Path) -> int:
    # Writable, because NFS turns flock into a record lock, which requires it.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
