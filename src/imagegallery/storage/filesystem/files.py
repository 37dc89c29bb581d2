"""Files while they are written and read, and their metadata as objects. Blocking: for threads."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import BinaryIO

from imagegallery.clock import EPOCH, MICROSECOND
from imagegallery.common.folders import PRIVATE_FILE
from imagegallery.errors import InvalidInput, Unavailable
from imagegallery.storage.filesystem.tree import version
from imagegallery.storage.keys import check_key
from imagegallery.storage.protocol import ByteRange, ObjectInfo
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.streams import CHUNK_SIZE

SCRATCH = ".scratch"  # the store's own folder below its root


def check_own_key(key: str) -> None:
    """Raise `InvalidInput` for an invalid key, or one in the store's own folder."""
    check_key(key)
    if key.partition("/")[0].casefold() == SCRATCH:
        raise InvalidInput(f"Not an object key: the folder {SCRATCH} is the store's own.")


def object_info(key: str, status: os.stat_result) -> ObjectInfo:
    """Describe a file as an object."""
    return ObjectInfo(key, status.st_size, version(status), EPOCH + status.st_mtime_ns // 1000 * MICROSECOND)


@contextmanager
def full_disk() -> Iterator[None]:
    """Raise `Unavailable` if the disk or its quota is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable("The object store is full.") from error
        raise


class FileDraft:
    """A file being written in scratch. The first write creates it. Always `discard` it in the end."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.name = scratch.fresh_name()
        self._file: BinaryIO | None = None
        self.discarded = False

    def write(self, data: bytes) -> None:
        self._open().write(data)

    def seal(self, modified_ns: int) -> os.stat_result:
        """Set the modification time and sync the file to the disk."""
        with self._open() as file:
            file.flush()
            os.utime(file.fileno(), ns=(modified_ns, modified_ns))
            os.fsync(file.fileno())
            return os.fstat(file.fileno())

    def has_bytes_of(self, other: BinaryIO) -> bool:
        """Whether the sealed file and ``other``, from its position on, have the same bytes."""
        with self._reopen() as file:
            if os.fstat(file.fileno()).st_size != os.fstat(other.fileno()).st_size:
                return False
            while chunk := file.read(CHUNK_SIZE):
                if other.read(CHUNK_SIZE) != chunk:
                    return False
            return True

    def discard(self) -> None:
        """Remove the file, if it was not renamed away."""
        self.discarded = True
        if self._file is not None:
            self._file.close()
            with suppress(FileNotFoundError):
                os.unlink(self.name, dir_fd=self.scratch.descriptor)

    def _open(self) -> BinaryIO:
        if self._file is None:
            create = partial(os.open, mode=PRIVATE_FILE, dir_fd=self.scratch.descriptor)
            try:
                self._file = open(self.name, "xb", opener=create)  # noqa: SIM115 - pathlib knows no dir_fd
            except FileNotFoundError as error:
                raise Unavailable("The folder of the objects is gone.") from error
        return self._file

    def _reopen(self) -> BinaryIO:
        opener = partial(os.open, dir_fd=self.scratch.descriptor)
        return open(self.name, "rb", opener=opener)


class Reader:
    """Reads a file, or a range of it, and closes the descriptor at the end.

    It reads the first chunk at once, so that a small object costs one visit to a thread.
    """

    def __init__(self, descriptor: int, byte_range: ByteRange | None) -> None:
        self._descriptor = descriptor
        self.closed = False
        try:
            self.status = os.fstat(descriptor)
            self._position, stop = (byte_range.start, byte_range.stop) if byte_range else (0, self.status.st_size)
            self._stop = min(stop, self.status.st_size)
            self.first = self.read()
        except BaseException:
            self.close()
            raise

    def read(self) -> bytes:
        """Return the next chunk, empty at the end."""
        if self.closed:
            return b""
        wanted = min(CHUNK_SIZE, self._stop - self._position)
        chunk = os.pread(self._descriptor, wanted, self._position) if wanted > 0 else b""
        self._position += len(chunk)
        if not chunk or self._position >= self._stop:
            self.close()
        return chunk

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            os.close(self._descriptor)
