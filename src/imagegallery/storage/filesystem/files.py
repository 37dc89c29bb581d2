"""One file being written, or read, and how files are objects. Blocking: for threads."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import BinaryIO

from imagegallery.common.folders import PRIVATE_FILE
from imagegallery.errors import InvalidInput, Unavailable
from imagegallery.storage.filesystem.tree import version
from imagegallery.storage.keys import check_key
from imagegallery.storage.protocol import ByteRange, ObjectInfo
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.streams import CHUNK_SIZE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SCRATCH = ".scratch"  # the folder below a store's root that is the store's own


def check_own_key(key: str) -> None:
    """Raises `InvalidInput` for what is no key, or lies in the store's own folder."""
    check_key(key)
    if key.partition("/")[0].casefold() == SCRATCH:
        raise InvalidInput(f"Not an object key: the folder {SCRATCH} is the store's own.")


def object_info(key: str, status: os.stat_result) -> ObjectInfo:
    """What the file of this status is, as an object."""
    return ObjectInfo(key, status.st_size, version(status), EPOCH + status.st_mtime_ns // 1000 * MICROSECOND)


@contextmanager
def full_disk() -> Iterator[None]:
    """Raises `Unavailable` where the disk, or the quota on it, is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable("The object store is full.") from error
        raise


class FileDraft:
    """A file in the making, in scratch; created on the first write. ``discard`` it, whatever happens."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.name = scratch.fresh_name()
        self._file: BinaryIO | None = None
        self.discarded = False

    def write(self, data: bytes) -> None:
        self._opened().write(data)

    def seal(self, modified_ns: int) -> os.stat_result:
        """Stamp the file with a time of modification, and return once its bytes are on the disk."""
        with self._opened() as file:
            file.flush()
            os.utime(file.fileno(), ns=(modified_ns, modified_ns))
            os.fsync(file.fileno())
            return os.fstat(file.fileno())

    def has_bytes_of(self, other: BinaryIO) -> bool:
        """Whether the sealed file and this one, from where it is, have the same bytes."""
        with self._reopened() as file:
            if os.fstat(file.fileno()).st_size != os.fstat(other.fileno()).st_size:
                return False
            while chunk := file.read(CHUNK_SIZE):
                if other.read(CHUNK_SIZE) != chunk:
                    return False
            return True

    def discard(self) -> None:
        """Remove the file, or what is left of it; it may have been renamed away."""
        self.discarded = True
        if self._file is not None:
            self._file.close()
            with suppress(FileNotFoundError):
                os.unlink(self.name, dir_fd=self.scratch.descriptor)

    def _opened(self) -> BinaryIO:
        if self._file is None:
            create = partial(os.open, mode=PRIVATE_FILE, dir_fd=self.scratch.descriptor)
            try:
                self._file = open(self.name, "xb", opener=create)  # noqa: SIM115 - pathlib knows no dir_fd
            except FileNotFoundError as error:
                raise Unavailable("The folder of the objects is gone.") from error
        return self._file

    def _reopened(self) -> BinaryIO:
        opener = partial(os.open, dir_fd=self.scratch.descriptor)
        return open(self.name, "rb", opener=opener)


class Reader:
    """Reads a file, or a range clipped to its end, from a descriptor that it closes as soon as it has read all.

    The first chunk is read at once, so that a small object costs one visit to a thread.
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
        """The next chunk; empty at the end."""
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
