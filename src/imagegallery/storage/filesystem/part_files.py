"""The parts of objects that are not whole yet, as files in a folder for each multipart upload. Blocking: for threads.

The folders lie in the store's scratch folder, beside those of processes, and outlive every process. What names one
is the key and the upload's id together, so that an id is of no use with another key.
"""

import errno
import hashlib
import math
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

from imagegallery.common.folders import PRIVATE_FILE, PRIVATE_FOLDER
from imagegallery.errors import ObjectNotFound, PreconditionFailed
from imagegallery.storage.filesystem.tree import Tree, version
from imagegallery.storage.protocol import Part
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.streams import CHUNK_SIZE

_ID = re.compile(r"[0-9a-f]{32}")
_COPIED_AT_ONCE = 64 * 1024 * 1024
# What copy_file_range(2) says where the file system or the system cannot do it.
_CANNOT_COPY = frozenset({errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF})


class PartFiles:
    """Multipart uploads in the folder ``parts`` of the store's folder ``hidden``."""

    def __init__(self, tree: Tree, hidden: str) -> None:
        self._tree = tree
        self._above = [hidden, "parts"]

    def begin(self, key: str, modified_ns: int) -> str:
        """The id of a new multipart upload to ``key``."""
        multipart_id = secrets.token_hex(16)
        name = _folder_name(key, multipart_id)
        with self._tree.folder(self._above, create=True) as above:
            os.mkdir(name, PRIVATE_FOLDER, dir_fd=above)
            os.utime(name, ns=(modified_ns, modified_ns), dir_fd=above)
            os.fsync(above)
        return multipart_id

    def add(self, scratch: Scratch, draft: str, key: str, multipart_id: str, number: int) -> None:
        """Make a synced scratch file this part, for good, in place of the one that was there."""
        with self._folder(key, multipart_id) as folder:
            modified_ns = os.stat(draft, dir_fd=scratch.descriptor, follow_symlinks=False).st_mtime_ns
            os.replace(draft, str(number), src_dir_fd=scratch.descriptor, dst_dir_fd=folder)
            os.utime(folder, ns=(modified_ns, modified_ns))  # what `clear` goes by: one clock's times
            os.fsync(folder)

    def list(self, key: str, multipart_id: str) -> list[Part]:
        """The parts, by number."""
        with self._folder(key, multipart_id) as folder:
            numbers = sorted(int(name) for name in _names(folder) if name.isdigit())
            return [_part(folder, number) for number in numbers]

    def complete(
        self, scratch: Scratch, key: str, multipart_id: str, parts: Sequence[Part], modified_ns: int
    ) -> os.stat_result:
        """`MultipartUploads.complete_multipart`. Whenever it stops, the parts are all there, or the object is."""
        try:
            with self._folder(key, multipart_id) as folder, self._noticing_the_end(key, multipart_id):
                whole = _whole_name(parts)
                _make_whole(scratch, folder, whole, parts, modified_ns)
                # In a folder that is on its way out, ours may not have been the first.
                self._check_there(key, multipart_id)
                status = self._publish(scratch, folder, whole, key)
        except ObjectNotFound:
            return self._tree.status(key)
        self.forget(scratch, key, multipart_id)
        return status

    def forget(self, scratch: Scratch, key: str, multipart_id: str) -> None:
        """Remove the folder and all in it: out of sight at once, so that no part can come in between."""
        with suppress(ObjectNotFound):
            self._forget(scratch, _folder_name(key, multipart_id))

    def clear(self, scratch: Scratch, before: float) -> int:
        """Forget the uploads that nobody has begun or added to since ``before``, in seconds since 1970; answers how
        many."""
        with self._tree.folder(self._above, create=True) as above, os.scandir(above) as entries:
            old = [entry.name for entry in entries if _modified(entry) < before]
        for name in old:
            with suppress(ObjectNotFound):
                self._forget(scratch, name)
        return len(old)

    def _forget(self, scratch: Scratch, name: str) -> None:
        aside = scratch.fresh_name()
        with self._named(name) as folder:
            with self._tree.folder(self._above) as above:
                os.rename(name, aside, src_dir_fd=above, dst_dir_fd=scratch.descriptor)
            for inner in _names(folder):
                with suppress(FileNotFoundError):
                    os.unlink(inner, dir_fd=folder)
            with suppress(OSError):  # a part came in by its open folder: it goes with the process's scratch
                os.rmdir(aside, dir_fd=scratch.descriptor)

    def _folder(self, key: str, multipart_id: str) -> AbstractContextManager[int]:
        """A descriptor of the upload's folder. Raises `ObjectNotFound`, also when it goes in the meantime."""
        return self._named(_folder_name(key, multipart_id))

    @contextmanager
    def _named(self, name: str) -> Iterator[int]:
        try:
            with self._tree.folder([*self._above, name]) as folder:
                yield folder
        except (FileNotFoundError, NotADirectoryError):
            raise _not_there() from None

    @contextmanager
    def _noticing_the_end(self, key: str, multipart_id: str) -> Iterator[None]:
        """A part that is missing because another call is just doing away with the whole upload: `ObjectNotFound`."""
        try:
            yield
        except PreconditionFailed:
            self._check_there(key, multipart_id)
            raise

    def _check_there(self, key: str, multipart_id: str) -> None:
        """Raises `ObjectNotFound` unless the upload's folder is in its place still."""
        with self._folder(key, multipart_id):
            pass

    def _publish(self, scratch: Scratch, folder: int, whole: str, key: str) -> os.stat_result:
        """The whole under its key. By its second name it is the same file, so that repeating this changes nothing."""
        claim = scratch.fresh_name()
        os.link(whole, claim, src_dir_fd=folder, dst_dir_fd=scratch.descriptor, follow_symlinks=False)
        try:
            status = os.stat(claim, dir_fd=scratch.descriptor, follow_symlinks=False)
            try:
                self._tree.publish(scratch, claim, key, if_absent=True)
            except PreconditionFailed:
                if not os.path.samestat(self._tree.status(key), status):
                    self._tree.publish(scratch, claim, key, if_absent=False)
            return status
        finally:
            with suppress(FileNotFoundError):
                os.unlink(claim, dir_fd=scratch.descriptor)


def _folder_name(key: str, multipart_id: str) -> str:
    if not _ID.fullmatch(multipart_id):
        raise _not_there()
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}-{multipart_id}"


def _whole_name(parts: Sequence[Part]) -> str:
    """Of the object that these parts make: other parts, another name."""
    listed = "\n".join(f"{part.number} {part.etag}" for part in parts)
    return f"whole-{hashlib.sha256(listed.encode()).hexdigest()}"


def _names(folder: int) -> Sequence[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _modified(entry: "os.DirEntry[str]") -> float:
    """In seconds since 1970; of what is gone by now, never long ago."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return math.inf


def _part(folder: int, number: int) -> Part:
    status = os.stat(str(number), dir_fd=folder, follow_symlinks=False)
    return Part(number, version(status), status.st_size)


def _make_whole(scratch: Scratch, folder: int, whole: str, parts: Sequence[Part], modified_ns: int) -> None:
    """Of several who do this at once, or again, the first makes it and the others find it."""
    draft = scratch.fresh_name()
    try:
        if len(parts) == 1:
            _pin(folder, parts[0], scratch, draft)
        else:
            _concatenate(folder, parts, scratch, draft, modified_ns)
        with suppress(FileExistsError):
            os.link(draft, whole, src_dir_fd=scratch.descriptor, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=scratch.descriptor)


def _pin(folder: int, part: Part, scratch: Scratch, draft: str) -> None:
    """An only part is the object: it needs another name, not a copy."""
    with _checking(part):
        os.link(str(part.number), draft, src_dir_fd=folder, dst_dir_fd=scratch.descriptor, follow_symlinks=False)
        _check(part, os.stat(draft, dir_fd=scratch.descriptor, follow_symlinks=False))


def _concatenate(folder: int, parts: Sequence[Part], scratch: Scratch, draft: str, modified_ns: int) -> None:
    target = os.open(
        draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE, dir_fd=scratch.descriptor
    )
    try:
        for part in parts:
            _append(folder, part, target)
        os.utime(target, ns=(modified_ns, modified_ns))
        os.fsync(target)
    finally:
        os.close(target)


def _append(folder: int, part: Part, target: int) -> None:
    with _checking(part):
        source = os.open(str(part.number), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        _check(part, os.fstat(source))
        while _copy(source, target):
            pass
    finally:
        os.close(source)


def _copy(source: int, target: int) -> int:
    """The next bytes, inside the system where it can (shared, not copied, where the file system can); answers how
    many."""
    try:
        return os.copy_file_range(source, target, _COPIED_AT_ONCE)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _CANNOT_COPY:
            raise
    chunk = memoryview(os.read(source, CHUNK_SIZE))
    written = 0
    while written < len(chunk):
        written += os.write(target, chunk[written:])
    return written


@contextmanager
def _checking(part: Part) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):  # a link is no part
            raise
        raise PreconditionFailed(f"Part {part.number} is missing.") from None


def _check(part: Part, status: os.stat_result) -> None:
    if version(status) != part.etag:
        raise PreconditionFailed(f"Part {part.number} is another than the one that was named.")


def _not_there() -> ObjectNotFound:
    return ObjectNotFound("There is no such multipart upload.")
