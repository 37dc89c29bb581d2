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
from imagegallery.images.words.sidecars import MAX_SIDECAR
from imagegallery.imaging.signature import HEAD_SIZE, sniff
from imagegallery.principal import Principal
from imagegallery.storage.keys import CONTENT_TYPES

CONCURRENCY = 2
_OTHER_FORMAT = "its first bytes are those of no image format that is known here"


class ImportOutcome(StrEnum):
    IMPORTED = "imported"
    ALREADY_IN = "already in"
    SIDECAR = "sidecar"  # of an image in the same folder
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
            if await anyio.to_thread.run_sync(_is_sidecar, path):
                return ImportResult(path, ImportOutcome.SIDECAR)
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
        image = await self.gallery.uploads.add(
            self.owner,
            candidate.path,
            content_type=content_type,
            sha256=candidate.sha256,
            gallery_id=self.gallery_id,
            policy=self.policy,
        )
        await self._read_sidecar(candidate.path, image.id)
        return ImportOutcome.IMPORTED

    async def _read_sidecar(self, path: Path, image_id: UUID) -> None:
        """What other programs keep beside the file, if it is anything that images have here."""
        sidecar = await anyio.to_thread.run_sync(_sidecar_of, path)
        if sidecar is not None:
            with suppress(InvalidInput):
                await self.gallery.images.read_sidecar(self.owner, image_id, sidecar)


def _sidecar_of(path: Path) -> bytes | None:
    """``tram.jpg.xmp``, as most programs call it, or ``tram.xmp``, as Adobe's do."""
    for place in (path.with_name(f"{path.name}.xmp"), path.with_suffix(".xmp"), path.with_suffix(".XMP")):
        if place != path and place.is_file():
            with place.open("rb") as file:
                return file.read(MAX_SIDECAR + 1)
    return None


def _is_sidecar(path: Path) -> bool:
    if path.suffix.lower() != ".xmp":
        return False
    names = (path.stem, *(f"{path.stem}.{each}" for each in CONTENT_TYPES))
    return any(path.with_name(name).is_file() for each in names for name in (each, _shouted(each)))


def _shouted(name: str) -> str:
    """With its extension in capitals, as cameras have it."""
    stem, dot, extension = name.rpartition(".")
    return f"{stem}{dot}{extension.upper()}"


def _examine(path: Path) -> _Candidate:
    with path.open("rb") as file:
        content_type = sniff(file.read(HEAD_SIZE))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").digest() if content_type else b""
        return _Candidate(path, content_type, digest, is_empty=not os.fstat(file.fileno()).st_size)
