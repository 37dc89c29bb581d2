"""Temporary files that do not outlive their process, not even a killed one.

Each process has a directory of its own in the scratch directory and holds a lock (flock(2)) on a file in it. The
system drops the lock when the process ends, however it ends; whoever opens the scratch directory next removes the
directories that nobody holds. The directory may be shared by all processes of a machine, and over NFS.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from anyio import CancelScope, to_thread

from imagegallery.common.folders import make_private

_PREFIX = "process-"
_LOCK = "lock"


class Scratch:
    """This process's part of a scratch directory (a `TemporaryFiles`).

    ``path`` is absolute, and ``descriptor`` is the same directory, open, for use as ``dir_fd``.
    """

    def __init__(self, path: Path, descriptor: int, lock: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self._lock = lock
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def open(cls, directory: Path) -> AsyncIterator["Scratch"]:
        """Make ``directory`` if need be, clear it of what dead processes left, and hold a part of it meanwhile."""
        scratch = await to_thread.run_sync(claim, directory)
        try:
            yield scratch
        finally:
            await scratch.aclose()

    async def aclose(self) -> None:
        """Remove everything in it and let go; repeating it is no error."""
        if not self._closed:
            self._closed = True
            with CancelScope(shield=True):
                await to_thread.run_sync(self._release)

    def fresh_name(self) -> str:
        """A name that nothing here has had."""
        return secrets.token_hex(12)

    @asynccontextmanager
    async def directory(self) -> AsyncIterator[Path]:
        """A fresh, private, empty directory; removed with all that is in it on leaving."""
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
    """As `Scratch.open`, blocking; for those whose own ``aclose`` will call this one's."""
    make_private(directory)
    # Held for the moment between making a directory and locking it, in which it looks like a dead process's.
    with _locked(directory / _LOCK):
        for path in directory.glob(f"{_PREFIX}*"):
            if not _is_held(path / _LOCK):
                shutil.rmtree(path, ignore_errors=True)
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=directory)).absolute()
        lock = _open_lock(path / _LOCK)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Scratch(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY), lock)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = _open_lock(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _is_held(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError as error:
        return not isinstance(error, FileNotFoundError)  # another user's: not ours to judge
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _open_lock(path: Path) -> int:
    # Writable, because NFS turns flock into a record lock, which wants that.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
