"""Objects that grow as plain files: `AppendsObjects` for the filesystem store, as a mixin.

A growing object is a file in ``.scratch/growing``, outside of the keys and of any process's own directory, so it
survives a crash. Its size is the offset. To write, finish or abort it, a process takes a lock on it (flock(2)): a
writer that was taken for dead but still runs cannot write next to its successor or after it.
"""

import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import anyio
from anyio import CancelScope, to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import frozen

from imagegallery.common.filelock import try_lock
from imagegallery.common.folders import PRIVATE_FILE
from imagegallery.errors import ObjectNotFound, PreconditionFailed, TooLarge, Unavailable
from imagegallery.storage.filesystem.files import SCRATCH, Reader, check_own_key, full_disk
from imagegallery.storage.filesystem.tree import Tree
from imagegallery.storage.protocol import ObjectInfo
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.streams import CHUNK_SIZE, too_large

FOLDER = (SCRATCH, "growing")
SYNC_EVERY = 16 * 1024 * 1024
"""The most bytes of a running request that a power failure can lose."""

# Batches of one request in memory: the queued ones, the one being written and the one being received.
_BATCHES_AHEAD = 6

# How long a cancelled writer may take to release the file. Polled, because a wait in the kernel cannot be cancelled.
_PATIENCE = timedelta(seconds=5)
_POLL = 0.02
_APPEND_ID = re.compile(r"[0-9a-f]{24}")


@frozen
class _Folder:
    """The open folder of growing files, from which `Tree.publish` takes a draft."""

    descriptor: int


class GrowingFile:
    """A growing file, open and locked. ``size`` is in bytes. Blocking: for threads."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self._unsynced = 0

    def write(self, data: bytes) -> None:
        """Append ``data``. It is durable after `sync`, and after every `SYNC_EVERY` bytes."""
        view = memoryview(data)
        while view:
            written = os.pwrite(self.descriptor, view, self.size)
            self.size += written
            self._unsynced += written
            view = view[written:]
        if self._unsynced >= SYNC_EVERY:
            os.fsync(self.descriptor)
            self._unsynced = 0

    def cut(self, size: int) -> None:
        os.ftruncate(self.descriptor, size)
        self.size = size

    def sync(self, modified_ns: int) -> None:
        os.utime(self.descriptor, ns=(modified_ns, modified_ns))
        os.fsync(self.descriptor)

    def close(self) -> None:
        os.close(self.descriptor)


class FilesystemAppends:
    """The part of `FilesystemStore` that implements `AppendsObjects`."""

    _tree: Tree

    async def begin_append(self, key: str, *, content_type: str) -> str:
        check_own_key(key)
        await self._open_scratch()
        append_id = secrets.token_hex(12)
        with full_disk():
            await to_thread.run_sync(self._create, _name(key, append_id))
        return append_id

    async def append(
        self, key: str, append_id: str, data: AsyncIterable[bytes], *, offset: int, max_size: int | None = None
    ) -> int:
        file = await self._lock(_name(key, append_id))
        try:
            if file.size != offset:
                raise PreconditionFailed("What grows is not of that size.")
            try:
                await _fill(file, data, max_size)
            finally:
                with CancelScope(shield=True):
                    await to_thread.run_sync(file.sync, self._timestamp())
            return file.size
        finally:
            file.close()

    async def appended(self, key: str, append_id: str) -> int:
        return await to_thread.run_sync(self._durable_size, _name(key, append_id))

    async def read_appended(self, key: str, append_id: str) -> AsyncIterator[bytes]:
        descriptor = await to_thread.run_sync(self._open_growing, _name(key, append_id), os.O_RDONLY)
        reader = await to_thread.run_sync(Reader, descriptor, None)
        try:
            chunk = reader.first
            while chunk:
                yield chunk
                chunk = await to_thread.run_sync(reader.read)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(reader.close)

    async def finish_append(self, key: str, append_id: str) -> ObjectInfo:
        check_own_key(key)
        try:
            file = await self._lock(_name(key, append_id))
        except ObjectNotFound:
            return await self.head(key)
        try:
            await to_thread.run_sync(self._finish, file, _name(key, append_id), key)
        finally:
            file.close()
        return await self.head(key)

    async def abort_append(self, key: str, append_id: str) -> None:
        await to_thread.run_sync(self._remove, _name(key, append_id))

    # --- what the store has --------------------------------------------------------------------------------

    async def head(self, key: str) -> ObjectInfo:
        raise NotImplementedError

    async def _open_scratch(self) -> Scratch:
        raise NotImplementedError

    def _timestamp(self) -> int:
        raise NotImplementedError

    # --- in threads ----------------------------------------------------------------------------------------

    @contextmanager
    def _folder(self, *, create: bool = False) -> Iterator[int]:
        with self._tree.folder([*FOLDER], create=create) as folder:
            yield folder

    def _create(self, name: str) -> None:
        with self._folder(create=True) as folder:
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE, dir_fd=folder)
            try:
                os.utime(descriptor, ns=(self._timestamp(),) * 2)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.fsync(folder)

    def _open_growing(self, name: str, mode: int) -> int:
        try:
            with self._folder() as folder:
                return os.open(name, mode | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            raise _not_growing() from None

    def _durable_size(self, name: str) -> int:
        descriptor = self._open_growing(name, os.O_RDWR)
        try:
            size = os.fstat(descriptor).st_size  # read before the sync: later writes may not be covered by it
            os.fsync(descriptor)
            return size
        finally:
            os.close(descriptor)

    async def _lock(self, name: str) -> GrowingFile:
        """Open and lock the file. Raises `ObjectNotFound`, or `Unavailable` while another writer keeps it."""
        with anyio.move_on_after(_PATIENCE.total_seconds()):
            while (file := await to_thread.run_sync(self._try_to_lock, name)) is None:  # noqa: ASYNC110 (a process)
                await anyio.sleep(_POLL)
            return file
        raise Unavailable("Another request is still writing to this upload.")

    def _try_to_lock(self, name: str) -> GrowingFile | None:
        descriptor = self._open_growing(name, os.O_RDWR)
        if not try_lock(descriptor):
            os.close(descriptor)
            return None
        with suppress(FileNotFoundError):
            with self._folder() as folder:
                named = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if os.path.samestat(named, os.fstat(descriptor)):
                return GrowingFile(descriptor)
        os.close(descriptor)
        raise _not_growing()

    def _finish(self, file: GrowingFile, name: str, key: str) -> None:
        file.sync(self._timestamp())
        with self._folder() as folder:
            try:
                self._tree.publish(_Folder(folder), name, key, if_absent=False)
            except FileNotFoundError:
                raise _not_growing() from None  # aborted since it was opened

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError), self._folder() as folder:
            os.unlink(name, dir_fd=folder)

    def _clear_growing(self, before: float) -> int:
        """Remove the files last written before that time, in seconds since 1970. Returns their number."""
        count = 0
        with suppress(FileNotFoundError), self._folder() as folder, os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < before:
                        os.unlink(entry.name, dir_fd=folder)
                        count += 1
        return count


async def _fill(file: GrowingFile, data: AsyncIterable[bytes], max_size: int | None) -> None:
    """Write the stream in large batches, while the next ones arrive.

    If the stream breaks off, what arrived is written. If it is too long, nothing is.
    """
    start, failures = file.size, list[Exception]()
    send, receive = anyio.create_memory_object_stream[bytes](_BATCHES_AHEAD)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_write_behind, file, receive, failures)
        with send:
            try:
                await _pass_on(data, send, start, max_size)
            except Exception as error:  # a task group would wrap it
                failures.append(error)
    if failures:
        if isinstance(failures[0], TooLarge):
            file.cut(start)
        raise failures[0]


async def _pass_on(
    data: AsyncIterable[bytes], send: MemoryObjectSendStream[bytes], start: int, max_size: int | None
) -> None:
    batch, held, size = list[bytes](), 0, start
    try:
        async for chunk in data:
            batch.append(chunk)
            held += len(chunk)
            size += len(chunk)
            if max_size is not None and size > max_size:
                batch = []
                raise too_large(max_size)
            if held >= CHUNK_SIZE:
                whole, batch, held = b"".join(batch), [], 0
                with CancelScope(shield=True):
                    await send.send(whole)
    finally:
        if batch:
            with CancelScope(shield=True):
                await send.send(b"".join(batch))


async def _write_behind(
    file: GrowingFile, receive: MemoryObjectReceiveStream[bytes], failures: list[Exception]
) -> None:
    """Write all that was received, whatever happens to the request."""
    with CancelScope(shield=True), receive:
        try:
            async for batch in receive:
                await _write(file, batch)
        except Exception as error:  # reported to the caller, who would only see a closed stream
            failures.append(error)


async def _write(file: GrowingFile, data: bytes) -> None:
    with full_disk():
        await to_thread.run_sync(file.write, data)


def _name(key: str, append_id: str) -> str:
    """The file's name, different for each key and id. Raises `ObjectNotFound` for an id that is none of ours."""
    if not _APPEND_ID.fullmatch(append_id):
        raise _not_growing()
    return f"{append_id}-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _not_growing() -> ObjectNotFound:
    return ObjectNotFound("There is nothing that grows under this key.")
