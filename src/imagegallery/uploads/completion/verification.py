"""Are the bytes that arrived what the client declared, and a picture that can be shown?"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import frozen

from imagegallery.errors import (
    BadImage,
    ChecksumMismatch,
    EmptyFile,
    ObjectNotFound,
    SizeMismatch,
    Unavailable,
)
from imagegallery.imaging.protocol import ImagingEngine, Inspection
from imagegallery.imaging.signature import HEAD_SIZE, sniff
from imagegallery.storage.protocol import ByteRange, LocalObjects, ObjectInfo, ObjectStore, TemporaryFiles
from imagegallery.storage.streams import HashingStream, copy_to_file, peek
from imagegallery.uploads.session.policy import UploadPolicy, actual_type
from imagegallery.uploads.session.session import UploadSession


@frozen
class Verified:
    """An upload that passed: the object that was looked at, its SHA-256, what it is, and what the decoder found."""

    info: ObjectInfo
    sha256: bytes
    content_type: str
    inspection: Inspection


@frozen
class _Content:
    """An object as a file, with its first bytes and its digest."""

    path: Path
    start: bytes
    sha256: bytes


@frozen
class Verification:
    """Decodes an upload once, in the sandbox, and reads it back for its SHA-256, unless that was taken on the way.
    Changes nothing."""

    store: ObjectStore
    engine: ImagingEngine
    scratch: TemporaryFiles
    policy: UploadPolicy

    async def verify(self, session: UploadSession, keys: Sequence[str]) -> Verified:
        """Check the object under the first of ``keys`` that is there: size, type, SHA-256, a full decode.

        Raises one of `imagegallery.uploads.session.rejection.REJECTIONS` when the bytes are bad, and `ObjectNotFound`
        when there are none, or when another completion moved them away meanwhile.
        """
        info = await self._find(keys)
        check_size(session, info.size)
        async with self._as_file(info, session.received_sha256) as content:
            content_type = actual_type(session.content_type, sniff(content.start), self.policy)
            _check_digest(session, content)
            inspection = await self._inspect(session, info, content.path, content_type)
            return Verified(info, content.sha256, content_type, inspection)

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
            # A file that was moved away under the decoder is neither bad nor out of reach.
            await self.store.head(info.key)
            raise

    @asynccontextmanager
    async def _as_file(self, info: ObjectInfo, sha256: bytes | None) -> AsyncIterator[_Content]:
        if isinstance(self.store, LocalObjects):
            path = self.store.local_path(info.key)
            needed = None if sha256 is None else ByteRange(0, min(HEAD_SIZE, info.size))
            async with self.store.get(info.key, needed) as stream:
                digesting = HashingStream(stream.chunks)
                start, chunks = await peek(digesting, HEAD_SIZE)
                async for _ in chunks:
                    pass
            yield _Content(path, start, sha256 or digesting.sha256())
            return
        async with self.scratch.directory() as directory:
            async with self.store.get(info.key) as stream:
                digesting = HashingStream(stream.chunks)
                start, chunks = await peek(digesting if sha256 is None else stream.chunks, HEAD_SIZE)
                await copy_to_file(chunks, directory / "original")
            yield _Content(directory / "original", start, sha256 or digesting.sha256())


def check_size(session: UploadSession, size: int) -> None:
    """Raises `EmptyFile`, or `SizeMismatch` when ``size`` bytes are not what was declared."""
    if size == 0:
        raise EmptyFile("The file is empty.")
    if session.size is not None and size != session.size:
        raise SizeMismatch(
            f"{session.size:,} bytes were declared and {size:,} arrived.", declared=session.size, received=size
        )


def _check_digest(session: UploadSession, content: _Content) -> None:
    if session.sha256 is not None and session.sha256 != content.sha256:
        raise ChecksumMismatch("The SHA-256 of the file is not the declared one.")
