"""Locks between processes that no crash can leave behind: flock(2), which ends with the process."""

import fcntl
import os
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from imagegallery.common import folders

_POLL = 0.02  # seconds; waiting in the kernel could not be cancelled


def try_lock(file: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file, unless others have locked it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(file: int) -> None:
    """Lock an open file, blocking until nobody else does."""
    fcntl.flock(file, fcntl.LOCK_EX)


class FileLock:
    """A lock on a file, made with its directory if it is not there. Two in one process exclude each other, too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        _locks.add(self)

    @property
    def held(self) -> bool:
        return self._file is not None

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold it alone, waiting for as long as it takes."""
        try:
            while not await anyio.to_thread.run_sync(self._try, fcntl.LOCK_EX):  # noqa: ASYNC110 (another process)
                await anyio.sleep(_POLL)
            yield
        finally:
            self.release()

    def share(self) -> None:
        """Hold it with others. Raises `BlockingIOError` if someone holds it alone. Blocks for a moment only."""
        if not self._try(fcntl.LOCK_SH):
            raise BlockingIOError(f"{self._path} is locked")

    def try_alone(self) -> bool:
        """From shared to alone, if nobody else shares it. If not, count on nothing but `release`."""
        return self._try(fcntl.LOCK_EX)

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _try(self, kind: int) -> bool:
        while True:
            if self._file is None:
                folders.make(self._path.parent)
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if not try_lock(self._file, kind):
                return False
            if self._is_current(self._file):
                return True
            # The previous holder has removed the file: another process may hold the new one.
            self.release()

    def _is_current(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False


_locks: "weakref.WeakSet[FileLock]" = weakref.WeakSet()


def _release_inherited() -> None:
    """A fork has its parent's files, and so would hold its parent's locks for as long as it lives. Theirs is a lock of
    both: closing the copy takes nothing from the parent."""
    for lock in [*_locks]:
        lock.release()


os.register_at_fork(after_in_child=_release_inherited)
