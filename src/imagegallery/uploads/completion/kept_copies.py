"""What is kept of a file that may become an image: the file, or a copy without metadata, as administrators say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import evolve, frozen

from imagegallery.errors import PreconditionFailed
from imagegallery.imaging.protocol import ImagingEngine, Removal
from imagegallery.storage.protocol import LocalObjects, ObjectInfo, ObjectStore, TemporaryFiles
from imagegallery.storage.streams import HashingStream, copy_to_file, file_chunks
from imagegallery.uploads.completion.verification import VerifiedUpload
from imagegallery.uploads.session.found_picture import Arrived
from imagegallery.uploads.session.session import UploadSession


@frozen
class KeptCopies:
    """Makes copies in the sandbox, here: stored they are when the session's row is locked, in place of the file."""

    store: ObjectStore
    engine: ImagingEngine
    scratch: TemporaryFiles

    @asynccontextmanager
    async def kept(
        self, session: UploadSession, verified: VerifiedUpload, removal: Removal
    ) -> AsyncIterator[VerifiedUpload]:
        """The upload with its copy, which is there within the block. A file that has nothing to hide is kept itself.

        ``verified`` was looked at as a whole. Raises `BadImage` for a file whose structure does not hold together,
        `ObjectNotFound` when another completion moved it away meanwhile, and `PreconditionFailed` when it was replaced.
        """
        async with self.scratch.directory() as directory:
            source, copy = await self._as_file(verified.info, directory), directory / "kept"
            await self.engine.remove_metadata(
                source, copy, content_type=verified.content_type, removal=removal, owner_id=session.owner_id
            )
            if (await self.store.head(verified.info.key)).etag != verified.info.etag:
                raise PreconditionFailed("The file was replaced meanwhile.")
            hashing = HashingStream(file_chunks(copy))
            async for _ in hashing:
                pass
            if hashing.sha256() == verified.sha256:
                yield verified
                return
            yield evolve(
                verified,
                info=evolve(verified.info, size=hashing.size),
                sha256=hashing.sha256(),
                copy=copy,
                arrived=Arrived(removal, verified.info.size, verified.sha256 or b""),
            )

    async def _as_file(self, info: ObjectInfo, directory: Path) -> Path:
        if isinstance(self.store, LocalObjects):
            return self.store.local_path(info.key)
        async with self.store.get(info.key) as stream:
            await copy_to_file(stream.chunks, directory / "original")
        return directory / "original"
