"""One import: its files, and the result of each."""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from attrs import field, frozen

from imagegallery.errors import ImageGalleryError, InvalidInput
from imagegallery.gallery import ImageGallery
from imagegallery.imaging.signature import HEAD_SIZE, sniff
from imagegallery.principal import Principal

CONCURRENCY = 2
_OTHER_FORMAT = "its first bytes are those of no image format that is known here"


class ImportOutcome(StrEnum):
    IMPORTED = "imported"
    ALREADY_IN = "already in"
    NOT_AN_IMAGE = "not an image"
    FAILED = "failed"


@frozen
class ImportResult:
    """The result of one file, with an ``error`` if it was left out."""

    path: Path
    outcome: ImportOutcome
    error: str | None = None


@frozen
class _Candidate:
    """A file that may be an image. ``content_type`` is ``None`` if its first bytes say otherwise."""

    path: Path
    content_type: str | None
    sha256: bytes
    is_empty: bool


def find_files(paths: Sequence[Path]) -> tuple[list[Path], dict[Path, str]]:
    """Return the regular files, named or below a named folder, in a stable order, and unreadable folders with their
    errors.

    Does not follow links to folders.
    """
    found: dict[Path, None] = {}
    unreadable: dict[Path, str] = {}

    def note(error: OSError) -> None:
        unreadable[Path(os.fsdecode(error.filename))] = error.strerror or "cannot be read"

    for path in paths:
        if path.is_file():
            found[path] = None
            continue
        for folder, folders, names in os.walk(path, onerror=note):
            folders.sort()
            found.update((Path(folder, name), None) for name in sorted(names))
    return [path for path in found if path.is_file()], unreadable


@frozen
class ImportRun:
    """Imports files into one gallery, skipping files whose content it has already; ``policy`` is the one that they come
    in under."""

    gallery: ImageGallery
    owner: Principal
    gallery_id: UUID
    policy: str | None = None
    _seen: set[bytes] = field(factory=set)

    @classmethod
    async def into(cls, gallery: ImageGallery, owner: Principal, name: str, policy: str | None) -> "ImportRun":
        """Start an import into the owner's gallery of that name, which is made, with this policy, if needed.

        Raises `InvalidInput` for an unknown policy.
        """
        gallery.uploads.server.limits.policies.check_known(policy)
        existing = await gallery.galleries.find_by_name(owner, name)
        target = existing or await gallery.galleries.create(owner, name=name, policy=policy)
        return cls(gallery, owner, target.id, policy)

    async def import_files(self, files: Sequence[Path], report: Callable[[ImportResult], None]) -> None:
        """Import the files, a few at a time. Calls ``report`` for each once it is stored."""
        send, receive = anyio.create_memory_object_stream[Path]()
        async with anyio.create_task_group() as tasks:
            for _ in range(CONCURRENCY):
                tasks.start_soon(self._work, receive.clone(), report)
            receive.close()
            async with send:
                for path in files:
                    await send.send(path)

    async def _work(self, files: MemoryObjectReceiveStream[Path], report: Callable[[ImportResult], None]) -> None:
        async with files:
            async for path in files:
                report(await self._import_one(path))

    async def _import_one(self, path: Path) -> ImportResult:
        try:
            candidate = await anyio.to_thread.run_sync(_examine, path)
            if candidate.content_type is None:
                return ImportResult(path, ImportOutcome.NOT_AN_IMAGE, "empty" if candidate.is_empty else _OTHER_FORMAT)
            return ImportResult(path, await self._place(candidate, candidate.content_type))
        except ImageGalleryError as error:
            return ImportResult(path, ImportOutcome.FAILED, error.message)
        except OSError as error:
            return ImportResult(path, ImportOutcome.FAILED, error.strerror or "cannot be read")

    async def _place(self, candidate: _Candidate, content_type: str) -> ImportOutcome:
        if candidate.sha256 in self._seen:
            return ImportOutcome.ALREADY_IN
        self._seen.add(candidate.sha256)
        images = self.gallery.images
        if await images.find_by_content(self.owner, candidate.sha256, gallery_id=self.gallery_id):
            return ImportOutcome.ALREADY_IN
        known = await images.find_by_content(self.owner, candidate.sha256)
        if known is not None:
            with suppress(InvalidInput):  # it does not keep the gallery's policy, and so comes in anew
                await self.gallery.galleries.add_images(self.owner, self.gallery_id, [known])
                return ImportOutcome.IMPORTED
        await self.gallery.uploads.add(
            self.owner,
            candidate.path,
            content_type=content_type,
            sha256=candidate.sha256,
            gallery_id=self.gallery_id,
            policy=self.policy,
        )
        return ImportOutcome.IMPORTED


def _examine(path: Path) -> _Candidate:
    with path.open("rb") as file:
        content_type = sniff(file.read(HEAD_SIZE))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").digest() if content_type else b""
        return _Candidate(path, content_type, digest, is_empty=not os.fstat(file.fileno()).st_size)
