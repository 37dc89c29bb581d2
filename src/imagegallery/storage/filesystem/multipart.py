"""`MultipartUploads` for the filesystem store: the same plan as on S3, with signed part URLs of our own."""

from collections.abc import AsyncIterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from anyio import to_thread

from imagegallery.storage.filesystem.files import FileDraft, check_own_key, full_disk, object_info
from imagegallery.storage.filesystem.part_files import PartFiles
from imagegallery.storage.protocol import ObjectInfo, Part, PartLimits, UploadRequest
from imagegallery.storage.scratch import Scratch
from imagegallery.storage.signatures import PartGrant, UrlSigner
from imagegallery.storage.streams import too_large


class FilesystemMultipart:
    """The part of `FilesystemStore` that implements `MultipartUploads`.

    The limits are those of S3, except that a part may be of any size.
    """

    part_limits = PartLimits(smallest=1, largest=5 * 1024**3, most=10_000)

    _signer: UrlSigner
    _base_url: str
    _part_files: PartFiles

    async def _open_scratch(self) -> Scratch:
        raise NotImplementedError

    def _draft(self, data: AsyncIterable[bytes]) -> AbstractAsyncContextManager[FileDraft]:
        raise NotImplementedError

    def _timestamp(self) -> int:
        raise NotImplementedError

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        check_own_key(key)
        await self._open_scratch()
        return await to_thread.run_sync(self._part_files.begin, key, self._timestamp())

    async def presign_part(
        self, key: str, multipart_id: str, number: int, *, size: int, expires_at: datetime, total: int | None = None
    ) -> UploadRequest:
        check_own_key(key)
        token = self._signer.sign(PartGrant(key, multipart_id, number, size, expires_at, total))
        return UploadRequest("PUT", f"{self._base_url}/objects/{token}")

    async def list_parts(self, key: str, multipart_id: str) -> list[Part]:
        check_own_key(key)
        await self._open_scratch()
        return await to_thread.run_sync(self._part_files.list, key, multipart_id)

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        check_own_key(key)
        scratch = await self._open_scratch()
        named = (scratch, key, multipart_id, tuple(parts), self._timestamp())
        with full_disk():
            return object_info(key, await to_thread.run_sync(self._part_files.complete, *named))

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        check_own_key(key)
        scratch = await self._open_scratch()
        await to_thread.run_sync(self._part_files.forget, scratch, key, multipart_id)

    async def _accept_part(self, grant: PartGrant, data: AsyncIterable[bytes]) -> ObjectInfo:
        """Store the body sent to a part's URL. Returns the part's ``etag`` with its size."""
        async with self._draft(data) as draft:
            return await to_thread.run_sync(self._keep_part, draft, grant)

    def _keep_part(self, draft: FileDraft, grant: PartGrant) -> ObjectInfo:
        status = draft.seal(self._timestamp())
        if grant.max_total is not None:
            self._check_total(grant, status.st_size, grant.max_total)
        self._part_files.add(draft.scratch, draft.name, grant.key, grant.multipart_id, grant.number)
        draft.discard()
        return object_info(grant.key, status)

    def _check_total(self, grant: PartGrant, size: int, most: int) -> None:
        """Raise `TooLarge` if all parts together exceed ``most`` bytes.

        Parts that arrive at the same moment may not count each other; completion checks again.
        """
        others = (part for part in self._part_files.list(grant.key, grant.multipart_id) if part.number != grant.number)
        if sum(part.size for part in others) + size > most:
            raise too_large(most)
