"""Check that the bytes are what the client declared, and a picture that can be shown."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from anyio import to_thread
from attrs import evolve, frozen

from imagegallery.errors import (
    BadImage,
    ChecksumMismatch,
    EmptyFile,
    ObjectNotFound,
    SizeMismatch,
    Unavailable,
)
from imagegallery.images.metadata.metadata import read_metadata
from imagegallery.images.words.file_words import read_words
from imagegallery.imaging.limits import TOO_MUCH
from imagegallery.imaging.protocol import ImagingEngine, Inspection
from imagegallery.imaging.signature import HEAD_SIZE, sniff
from imagegallery.storage.protocol import ByteRange, LocalObjects, ObjectInfo, ObjectStore, TemporaryFiles
from imagegallery.storage.streams import HashingStream, copy_to_file, peek
from imagegallery.uploads.session.found_picture import Arrived, FoundPicture
from imagegallery.uploads.session.limits import UploadLimits
from imagegallery.uploads.session.policy import Verify, actual_type
from imagegallery.uploads.session.session import UploadSession

HEAD_BYTES: Final = 128 * 1024
"""Of a file of which only the head is looked at: as much as holds the EXIF block and the size of nearly all."""


@frozen
class VerifiedUpload:
    """An upload that passed: the object that was looked at, its SHA-256 if that is known, what it is, and what the
    decoder found; of all of it (``is_whole``), or of its head.

    If a ``copy`` of it is kept, a file here, size and SHA-256 are the copy's, and ``arrived`` has those of what came.
    """

    info: ObjectInfo
    sha256: bytes | None
    content_type: str
    picture: FoundPicture
    is_whole: bool = True
    copy: Path | None = None
    arrived: Arrived | None = None


@frozen
class _Content:
    """An object as a file, with its first bytes and its digest."""

    path: Path
    start: bytes
    sha256: bytes


@frozen
class Verification:
    """Looks at an upload in the sandbox, as much as the policy says. Changes nothing.

    ``full``: it is decoded once, and read back for its SHA-256, unless that was taken on the way. ``head``: its first
    bytes are read. Where these do not suffice, all of it is looked at.
    """

    store: ObjectStore
    engine: ImagingEngine
    scratch: TemporaryFiles
    limits: UploadLimits

    async def verify(self, session: UploadSession, keys: Sequence[str], *, needs_all: bool = False) -> VerifiedUpload:
        """Check the object under the first of ``keys`` that is there: size, type, SHA-256, picture. With ``needs_all``
        its head is not enough.

        Raises one of `imagegallery.uploads.session.rejection.REJECTIONS` when the bytes are bad, and `ObjectNotFound`
        when there are none, or when another completion moved them away meanwhile.
        """
        info = await self._find(keys)
        check_size(session, info.size)
        known = session.received_sha256 or info.sha256
        if self.limits.service.verify is Verify.HEAD and not needs_all:
            try:
                return await self._look_at_head(session, info, known)
            except BadImage as error:
                if info.size <= HEAD_BYTES or error.reason in TOO_MUCH:
                    raise
        async with self._as_file(info, known) as content:
            content_type = actual_type(session.content_type, sniff(content.start), self.limits.of(session))
            _check_digest(session, content.sha256)
            inspection = await self._inspect(session, info, content.path, content_type)
            return VerifiedUpload(info, content.sha256, content_type, _picture(inspection))

    async def with_sha256(self, session: UploadSession, verified: VerifiedUpload) -> VerifiedUpload:
        """The same with its SHA-256, for which all of it is read, unless it is known. Raises `ChecksumMismatch`, and
        `ObjectNotFound` when it was moved away meanwhile."""
        if verified.sha256 is not None:
            return verified
        sha256 = await self.sha256_of(verified.info.key)
        _check_digest(session, sha256)
        return evolve(verified, sha256=sha256)

    async def sha256_of(self, key: str) -> bytes:
        """Reads the object. Raises `ObjectNotFound`."""
        async with self.store.get(key) as stream:
            hashing = HashingStream(stream.chunks)
            async for _ in hashing:
                pass
        return hashing.sha256()

    async def _look_at_head(self, session: UploadSession, info: ObjectInfo, sha256: bytes | None) -> VerifiedUpload:
        """What its first bytes say, in a file as long as the object, whose rest is empty."""
        async with self.scratch.directory() as directory:
            path = directory / "head"
            async with self.store.get(info.key, ByteRange(0, min(HEAD_BYTES, info.size))) as stream:
                hashing = HashingStream(stream.chunks)
                start, chunks = await peek(hashing, HEAD_SIZE)
                await copy_to_file(chunks, path)
            content_type = actual_type(session.content_type, sniff(start), self.limits.of(session))
            if info.size <= HEAD_BYTES:
                sha256 = hashing.sha256()
            _check_digest(session, sha256)
            await to_thread.run_sync(os.truncate, path, info.size)
            inspection = await self.engine.inspect(
                path, content_type=content_type, decode=False, owner_id=session.owner_id
            )
        return VerifiedUpload(info, sha256, content_type, _picture(inspection), is_whole=False)

    async def _find(self, keys: Sequence[str]) -> ObjectInfo:
        for key in keys[:-1]:
            try:
                return await self.store.head(key)
            except ObjectNotFound:
                continue
        return await self.store.head(keys[-1])

    async def _inspect(self, session: UploadSession, info: ObjectInfo, path: Path, content_type: str) -> Inspection:
        try:
            return await self.engine.inspect(path, content_type=content_type, owner_id=session.owner_id)
        except (BadImage, Unavailable):
            # A file that was moved during decoding is neither bad nor unreachable.
            await self.store.head(info.key)
            raise

    @asynccontextmanager
    async def _as_file(self, info: ObjectInfo, sha256: bytes | None) -> AsyncIterator[_Content]:
        if isinstance(self.store, LocalObjects):
            path = self.store.local_path(info.key)
            needed = None if sha256 is None else ByteRange(0, min(HEAD_SIZE, info.size))
            async with self.store.get(info.key, needed) as stream:
                hashing = HashingStream(stream.chunks)
                start, chunks = await peek(hashing, HEAD_SIZE)
                async for _ in chunks:
                    pass
            yield _Content(path, start, sha256 or hashing.sha256())
            return
        async with self.scratch.directory() as directory:
            async with self.store.get(info.key) as stream:
                hashing = HashingStream(stream.chunks)
                start, chunks = await peek(hashing if sha256 is None else stream.chunks, HEAD_SIZE)
                await copy_to_file(chunks, directory / "original")
            yield _Content(directory / "original", start, sha256 or hashing.sha256())


def _picture(found: Inspection) -> FoundPicture:
    metadata, words = read_metadata(found.exif, found.notes), read_words(found.exif, found.notes)
    return FoundPicture(found.width, found.height, found.frames, found.is_truncated, metadata, words)


def check_size(session: UploadSession, size: int) -> None:
    """Raise `EmptyFile`, or `SizeMismatch` if ``size`` bytes were not declared."""
    if size == 0:
        raise EmptyFile("The file is empty.")
    if session.size is not None and size != session.size:
        raise SizeMismatch(
            f"{session.size:,} bytes were declared and {size:,} arrived.", declared=session.size, received=size
        )


def _check_digest(session: UploadSession, sha256: bytes | None) -> None:
    """Raises `ChecksumMismatch` for another one than was declared; what is not known yet, the first job compares."""
    if sha256 is not None and session.sha256 not in (None, sha256):
        raise ChecksumMismatch("The SHA-256 of the file is not the declared one.")
