"""The parts of unfinished multipart uploads, as files in one folder for each upload. Blocking: for threads.

The folders lie in the store's scratch folder next to those of the processes, and outlive every process. Their names
come from the key and the upload's id together, so an id is worthless with another key.
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
# Errors of copy_file_range(2) on systems and file systems that do not support it.
_CANNOT_COPY = frozenset({errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EBADF})


class PartFiles:
    """Multipart uploads in the folder ``parts`` of the store's folder ``hidden``."""

    def __init__(self, tree: Tree, hidden: str) -> None:
        self._tree = tree
        self._above = [hidden, "parts"]

    def begin(self, key: str, modified_ns: int) -> str:
        """Start a multipart upload to ``key`` and return its id."""
        multipart_id = secrets.token_hex(16)
        name = _folder_name(key, multipart_id)
        with self._tree.folder(self._above, create=True) as above:
            os.mkdir(name, PRIVATE_FOLDER, dir_fd=above)
            os.utime(name, ns=(modified_ns, modified_ns), dir_fd=above)
            os.fsync(above)
        return multipart_id

    def add(self, scratch: Scratch, draft: str, key: str, multipart_id: str, number: int) -> None:
        """Turn a synced scratch file into this part, replacing an earlier one."""
        with self._folder(key, multipart_id) as folder:
            modified_ns = os.stat(draft, dir_fd=scratch.descriptor, follow_symlinks=False).st_mtime_ns
            os.replace(draft, str(number), src_dir_fd=scratch.descriptor, dst_dir_fd=folder)
            os.utime(folder, ns=(modified_ns, modified_ns))  # `clear` compares these times, so they come from one clock
            os.fsync(folder)

    def list(self, key: str, multipart_id: str) -> list[Part]:
        """Return the parts by number."""
        with self._folder(key, multipart_id) as folder:
            numbers = sorted(int(name) for name in _names(folder) if name.isdigit())
            return [_part(folder, number) for number in numbers]

    def complete(
        self, scratch: Scratch, key: str, multipart_id: str, parts: Sequence[Part], modified_ns: int
    ) -> os.stat_result:
        """See `MultipartUploads.complete_multipart`. A crash leaves either all parts or the object."""
        try:
            with self._folder(key, multipart_id) as folder, self._translate_removal(key, multipart_id):
                whole = _whole_name(parts)
                _make_whole(scratch, folder, whole, parts, modified_ns)
                # Another part may have replaced ours in a folder that is being removed.
                self._check_there(key, multipart_id)
                status = self._publish(scratch, folder, whole, key)
        except ObjectNotFound:
            return self._tree.status(key)
        self.forget(scratch, key, multipart_id)
        return status

    def forget(self, scratch: Scratch, key: str, multipart_id: str) -> None:
        """Remove the folder with all parts. It disappears at once, so no part can be added meanwhile."""
        with suppress(ObjectNotFound):
            self._forget(scratch, _folder_name(key, multipart_id))

    def clear(self, scratch: Scratch, before: float) -> int:
        """Remove the uploads last touched before that time, in seconds since 1970. Returns their number."""
        with self._tree.folder(self._above, create=True) as above, os.scandir(above) as entries:
            old = [entry.name for entry in entries if _modified_at(entry) < before]
        for name in old:
            with suppress(ObjectNotFound):
                self._forget(scratch, name)
        return len(old)

    def _forget(self, scratch: Scratch, name: str) -> None:
        aside = scratch.fresh_name()
        with self._open_named(name) as folder:
            with self._tree.folder(self._above) as above:
                os.rename(name, aside, src_dir_fd=above, dst_dir_fd=scratch.descriptor)
            for inner in _names(folder):
                with suppress(FileNotFoundError):
                    os.unlink(inner, dir_fd=folder)
            # a part was added through a descriptor opened earlier; it goes with the process's scratch
            with suppress(OSError):
                os.rmdir(aside, dir_fd=scratch.descriptor)

    def _folder(self, key: str, multipart_id: str) -> AbstractContextManager[int]:
        """Open the upload's folder. Raises `ObjectNotFound`, also if the folder is removed meanwhile."""
        return self._open_named(_folder_name(key, multipart_id))

    @contextmanager
    def _open_named(self, name: str) -> Iterator[int]:
        try:
            with self._tree.folder([*self._above, name]) as folder:
                yield folder
        except (FileNotFoundError, NotADirectoryError):
            raise _not_there() from None

    @contextmanager
    def _translate_removal(self, key: str, multipart_id: str) -> Iterator[None]:
        """Raise `ObjectNotFound` for a part that is missing because another call removes the whole upload."""
        try:
            yield
        except PreconditionFailed:
            self._check_there(key, multipart_id)
            raise

    def _check_there(self, key: str, multipart_id: str) -> None:
        """Raise `ObjectNotFound` unless the upload's folder is still in its place."""
        with self._folder(key, multipart_id):
            pass

    def _publish(self, scratch: Scratch, folder: int, whole: str, key: str) -> os.stat_result:
        """Publish the whole under its key. It is the same file under a second name, so repeating this changes
        nothing."""
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
    """A name for the object made of these parts, different for other parts."""
    listed = "\n".join(f"{part.number} {part.etag}" for part in parts)
    return f"whole-{hashlib.sha256(listed.encode()).hexdigest()}"


def _names(folder: int) -> Sequence[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _modified_at(entry: "os.DirEntry[str]") -> float:
    """The modification time in seconds since 1970; 0 if the entry is gone."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return math.inf


def _part(folder: int, number: int) -> Part:
    status = os.stat(str(number), dir_fd=folder, follow_symlinks=False)
    return Part(number, version(status), status.st_size)


def _make_whole(scratch: Scratch, folder: int, whole: str, parts: Sequence[Part], modified_ns: int) -> None:
    """Join the parts. Of several concurrent or repeated calls, the first does it."""
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
    """Give a single part a second name instead of copying it."""
    with _check_part(part):
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
    with _check_part(part):
        source = os.open(str(part.number), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        _check(part, os.fstat(source))
        while _copy(source, target):
            pass
    finally:
        os.close(source)


def _copy(source: int, target: int) -> int:
    """Copy the next bytes inside the kernel if possible, sharing blocks if the file system can. Returns their
    number."""
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
def _check_part(part: Part) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):  # a link is not a part
            raise
        raise PreconditionFailed(f"Part {part.number} is missing.") from None


def _check(part: Part, status: os.stat_result) -> None:
    if version(status) != part.etag:
        raise PreconditionFailed(f"Part {part.number} is another than the one that was named.")


def _not_there() -> ObjectNotFound:
    return ObjectNotFound("There is no such multipart upload.")
