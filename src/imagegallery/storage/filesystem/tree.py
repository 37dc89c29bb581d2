"""A tree of plain files below a root directory, reached without following a single link. Blocking: for threads.

Every path is walked one folder at a time with ``dir_fd`` and ``O_NOFOLLOW``, so that a folder which somebody swaps
for a link cannot lead out of the root, whenever that happens. What is not a plain file is not there.
"""

import errno
import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, TypeVar

from imagegallery.common.folders import PRIVATE_FOLDER
from imagegallery.errors import Conflict, ObjectNotFound, PreconditionFailed, Unavailable
from imagegallery.storage.keys import is_key
from imagegallery.storage.scratch import Scratch

T = TypeVar("T")

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # not blocking: it might be a pipe
_ATTEMPTS = 1000


def version(status: os.stat_result) -> str:
    """The version of a file, different whenever the bytes may differ and the same under every name.

    It is a digest, because clients see it as ``ETag`` and the inode's details are private.
    """
    made_of = f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
    return blake2b(made_of.encode(), digest_size=16).hexdigest()


class HasDescriptor(Protocol):
    """An open folder, to use as ``dir_fd``."""

    @property
    def descriptor(self) -> int: ...


class Tree:
    """Files under checked keys. The top-level folder ``hidden`` is not part of the tree."""

    def __init__(self, root: Path, hidden: str) -> None:
        self._root = root
        self._was_there = False
        self._hidden = hidden.casefold()

    def status(self, key: str) -> os.stat_result:
        """Raise `ObjectNotFound` if there is no such file."""
        folders, name = _split(key)
        with _absence(), self.folder(folders) as parent:
            return _plain_status(name, parent)

    def open(self, key: str) -> int:
        """Open the file for reading and return the descriptor. Raises `ObjectNotFound`."""
        folders, name = _split(key)
        with _absence(), self.folder(folders) as parent:
            descriptor = os.open(name, _FILE, dir_fd=parent)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise _not_found()

    def publish(self, scratch: HasDescriptor, draft: str, key: str, *, if_absent: bool) -> None:
        """Link a synced scratch file under ``key``, durably. Raises `PreconditionFailed` or `Conflict`."""
        folders, name = _split(key)
        put = _link if if_absent else os.replace

        def place(parent: int) -> None:
            try:
                put(draft, name, src_dir_fd=scratch.descriptor, dst_dir_fd=parent)
            finally:
                # also for a file that another process just linked: readers must be able to rely on it
                os.fsync(parent)

        with _obstruction():
            self._in_folder(folders, place)

    def move(self, scratch: Scratch, source: str, target: str, expected: str) -> os.stat_result:
        """See `ObjectStore.promote`. The file always has a name in the tree, so a crash loses nothing.

        A second name in scratch pins the checked file, so that no other file can take its place.
        """
        claim = scratch.fresh_name()
        try:
            self._claim(scratch, source, claim)
        except ObjectNotFound:
            return self.status(target)
        try:
            status = os.stat(claim, dir_fd=scratch.descriptor, follow_symlinks=False)
            if version(status) != expected:
                raise PreconditionFailed("The object is not the one that was checked.")
            if source != target:
                self._place_claim(scratch, claim, target, status)
                self._remove_if_same(scratch, source, status)
            return status
        finally:
            os.unlink(claim, dir_fd=scratch.descriptor)

    def remove(self, key: str) -> None:
        """Remove the file if it exists, and the folders that become empty, except for the topmost."""
        folders, name = _split(key)
        with suppress(ObjectNotFound), _absence(), self.folder(folders) as parent:
            _plain_status(name, parent)
            os.unlink(name, dir_fd=parent)
        with suppress(OSError):  # not empty, or gone
            for depth in range(len(folders) - 1, 0, -1):
                with self.folder(folders[:depth]) as parent:
                    os.rmdir(folders[depth], dir_fd=parent)

    def walk(self, prefix: str) -> Generator[tuple[str, os.stat_result], None, None]:
        """Yield the keys that start with ``prefix`` with their status. Skips files whose names are no keys."""
        above, _, beginning = prefix.rpartition("/")
        with suppress(FileNotFoundError, NotADirectoryError), self.folder(above.split("/") if above else []) as folder:
            yield from self._walk(folder, f"{above}/" if above else "", beginning)

    def _walk(self, folder: int, path: str, beginning: str = "") -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(beginning) or (not path and entry.name.casefold() == self._hidden):
                    continue
                with suppress(FileNotFoundError, NotADirectoryError):
                    if entry.is_dir(follow_symlinks=False):
                        with _enter(folder, entry.name) as inner:
                            yield from self._walk(inner, f"{path}{entry.name}/")
                    elif entry.is_file(follow_symlinks=False):
                        key = f"{path}{entry.name}"
                        if is_key(key):
                            yield key, entry.stat(follow_symlinks=False)

    @contextmanager
    def folder(self, folders: list[str], *, create: bool = False) -> Iterator[int]:
        """Open a folder; with ``create`` make it first, durably.

        Raises `FileNotFoundError`, `NotADirectoryError` for a file or a link, and `Unavailable` if the root itself is
        gone.
        """
        descriptor = self._open_root()
        try:
            for name in folders:
                inner = _open_folder(descriptor, name, create)
                if create:
                    os.fsync(descriptor)  # also if another process just made it and has not synced it yet
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _open_root(self) -> int:
        try:
            descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            if self._was_there:
                raise Unavailable("The folder of the objects is gone.") from error
            raise
        self._was_there = True
        return descriptor

    def _in_folder(self, folders: list[str], act: Callable[[int], T]) -> T:
        """Call ``act`` in the folder. Repeats it whenever a concurrent `remove` prunes the folder."""
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError), self.folder(folders, create=True) as parent:
                return act(parent)
        with self.folder(folders, create=True) as parent:
            return act(parent)

    def _claim(self, scratch: Scratch, key: str, claim: str) -> None:
        folders, name = _split(key)
        with _absence(), self.folder(folders) as parent:
            _plain_status(name, parent)
            _link(name, claim, src_dir_fd=parent, dst_dir_fd=scratch.descriptor)

    def _place_claim(self, scratch: Scratch, claim: str, target: str, status: os.stat_result) -> None:
        try:
            self.publish(scratch, claim, target, if_absent=True)
        except PreconditionFailed:
            # Unless both names are the same file: an earlier call was interrupted, or another one is running.
            if not self._is_same(target, status):
                raise

    def _is_same(self, key: str, status: os.stat_result) -> bool:
        with suppress(ObjectNotFound):
            return os.path.samestat(self.status(key), status)
        return False

    def _remove_if_same(self, scratch: Scratch, key: str, status: os.stat_result) -> None:
        """Remove ``key`` unless another file has replaced this one."""
        folders, name = _split(key)
        aside = scratch.fresh_name()
        with suppress(FileNotFoundError, NotADirectoryError), self.folder(folders) as parent:
            os.rename(name, aside, src_dir_fd=parent, dst_dir_fd=scratch.descriptor)
            try:
                taken = os.stat(aside, dir_fd=scratch.descriptor, follow_symlinks=False)
                if not os.path.samestat(taken, status):
                    with suppress(FileExistsError):  # overwritten again: our copy is outdated
                        _link(aside, name, src_dir_fd=scratch.descriptor, dst_dir_fd=parent)
                        os.fsync(parent)
            finally:
                os.unlink(aside, dir_fd=scratch.descriptor)


def _split(key: str) -> tuple[list[str], str]:
    *folders, name = key.split("/")
    return folders, name


@contextmanager
def _enter(parent: int, name: str) -> Iterator[int]:
    descriptor = _open_folder(parent, name, create=False)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open_folder(parent: int, name: str, create: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
    except OSError as error:
        if error.errno == errno.ELOOP:  # what some systems report for a link
            raise NotADirectoryError from None
        raise
    with suppress(FileExistsError):
        os.mkdir(name, PRIVATE_FOLDER, dir_fd=parent)
    return _open_folder(parent, name, create=False)


def _plain_status(name: str, parent: int) -> os.stat_result:
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise _not_found()
    return status


def _link(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
    os.link(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=False)


def already_there() -> PreconditionFailed:
    """Make the error for a key that is taken."""
    return PreconditionFailed("There is an object under this key already.")


@contextmanager
def _absence() -> Iterator[None]:
    """Raise `ObjectNotFound` for a missing file or folder and for a link (ELOOP)."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise _not_found() from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_found() from None
        raise


@contextmanager
def _obstruction() -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise already_there() from None
    except (NotADirectoryError, IsADirectoryError):
        raise Conflict("A file cannot be stored where a folder is, nor below a file or a link.") from None


def _not_found() -> ObjectNotFound:
    return ObjectNotFound("There is no such object.")
