"""Objects as plain files below one directory, named by their keys.

Needs: a file system with hard links and nanosecond times (ext4, XFS, Btrfs, ZFS, APFS, NFS) for the root and all in it.
Several processes and machines may share a root. Files may be copied, backed up and restored as they are. Keys that
differ only in case are one object on file systems that ignore case. The folder ``.scratch`` is ours.

Durable: a file is complete and synced before it is linked under its key, and the folder is synced before a call
returns. Media types are not stored: signed URLs carry them, and our keys imply them.
"""

import itertools
import os
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Self

from anyio import CancelScope, Lock, to_thread

from imagegallery.clock import EPOCH, MICROSECOND, Clock, utc_now
from imagegallery.common.folders import make_private
from imagegallery.errors import ConfigurationError, ObjectNotFound, PreconditionFailed, SignatureInvalid
from imagegallery.storage.accepted import accepted
from imagegallery.storage.filesystem.appends import FilesystemAppends
from imagegallery.storage.filesystem.files import (
    SCRATCH,
    FileDraft,
    Reader,
    check_own_key,
    full_disk,
    object_info,
)
from imagegallery.storage.filesystem.multipart import FilesystemMultipart
from imagegallery.storage.filesystem.part_files import PartFiles
from imagegallery.storage.filesystem.tree import Tree, already_there
from imagegallery.storage.protocol import (
    ByteRange,
    ObjectInfo,
    ObjectStream,
    ReadMethod,
    SignedObject,
    SignedStream,
    UploadRequest,
    UploadTarget,
)
from imagegallery.storage.scratch import Scratch, claim
from imagegallery.storage.signatures import PartGrant, UploadGrant, UrlSigner
from imagegallery.storage.signed_downloads import SignedDownloads
from imagegallery.storage.streams import at_most, coalesce

_LISTED_AT_ONCE = 500


class FilesystemStore(FilesystemMultipart, FilesystemAppends):
    """An `ObjectStore` that also is `PresignsUploads`, `SignsDownloads`, `ServesSignedUrls`, `MultipartUploads`,
    `AppendsObjects`, `ClearsDrafts` and `LocalObjects`.

    Entering it with ``async with`` creates ``root`` and removes what crashed processes left there.

    Attributes:
        base_url: The start of its signed URLs: the address of the API, or empty for relative URLs.
    """

    def __init__(self, root: Path, signer: UrlSigner, clock: Clock = utc_now, *, base_url: str = "") -> None:
        self._root = root
        self._signer = signer
        self._downloads = SignedDownloads(self, signer, base_url)
        self._base_url = base_url
        self._clock = clock
        self._tree = Tree(root, hidden=SCRATCH)
        self._part_files = PartFiles(self._tree, SCRATCH)
        self._scratch: Scratch | None = None
        self._scratch_opening = Lock()
        self._writes = itertools.count()

    async def __aenter__(self) -> Self:
        """Create and clean the root. Without ``async with`` the first write does so."""
        await self._open_scratch()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        if self._scratch is not None:
            await self._scratch.aclose()
            self._scratch = None

    # --- ObjectStore ---------------------------------------------------------------------------------------

    async def put(
        self,
        key: str,
        data: AsyncIterable[bytes],
        *,
        content_type: str,
        max_size: int | None = None,
        if_absent: bool = False,
    ) -> ObjectInfo:
        check_own_key(key)
        if if_absent:
            await self._refuse_if_taken(key)
        async with self._draft(at_most(data, max_size)) as draft:
            return await to_thread.run_sync(self._publish, draft, key, if_absent)

    @asynccontextmanager
    async def get(self, key: str, byte_range: ByteRange | None = None) -> AsyncIterator[ObjectStream]:
        check_own_key(key)
        reader = await to_thread.run_sync(self._start_reading, key, byte_range)
        try:
            yield ObjectStream(object_info(key, reader.status), _chunks(reader))
        finally:
            if not reader.closed:
                with CancelScope(shield=True):
                    await to_thread.run_sync(reader.close)

    async def head(self, key: str) -> ObjectInfo:
        check_own_key(key)
        return object_info(key, await to_thread.run_sync(self._tree.status, key))

    async def promote(self, source: str, target: str, *, etag: str, content_type: str) -> ObjectInfo:
        check_own_key(source)
        check_own_key(target)
        scratch = await self._open_scratch()
        return object_info(target, await to_thread.run_sync(self._tree.move, scratch, source, target, etag))

    async def delete(self, key: str) -> None:
        """Remove the object and the folders that become empty."""
        check_own_key(key)
        await to_thread.run_sync(self._tree.remove, key)

    async def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        if folder := prefix.rpartition("/")[0]:
            check_own_key(folder)
        files = self._tree.walk(prefix)
        try:
            while page := await to_thread.run_sync(lambda: [*itertools.islice(files, _LISTED_AT_ONCE)]):
                for key, status in page:
                    yield object_info(key, status)
        finally:
            await to_thread.run_sync(files.close)

    # --- signed URLs ---------------------------------------------------------------------------------------

    async def presign_upload(
        self,
        key: str,
        *,
        content_type: str,
        size: int,
        sha256: str | None,
        expires_at: datetime,
        is_exact: bool = True,
    ) -> UploadRequest:
        check_own_key(key)
        token = self._signer.sign(UploadGrant(key, content_type, size if is_exact else 1, size, expires_at, sha256))
        return UploadRequest("PUT", f"{self._base_url}/objects/{token}", headers={"Content-Type": content_type})

    def sign_download(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        """Return a URL that works for GET and HEAD."""
        check_own_key(key)
        return self._downloads.sign_download(
            key, content_type=content_type, expires_at=expires_at, download_as=download_as
        )

    def upload_target(self, token: str) -> UploadTarget:
        grant = self._upload_grant(token)
        return UploadTarget(grant.key, grant.number if isinstance(grant, PartGrant) else None)

    async def accept(
        self, token: str, data: AsyncIterable[bytes], *, content_type: str, content_length: int | None = None
    ) -> ObjectInfo:
        grant = self._upload_grant(token)
        checked = accepted(grant, data, content_type=content_type, content_length=content_length)
        if isinstance(grant, PartGrant):
            return await self._accept_part(grant, checked)
        async with self._draft(checked) as draft:
            return await to_thread.run_sync(self._publish_once, draft, grant.key)

    async def describe(self, token: str) -> SignedObject:
        return await self._downloads.describe(token)

    def open(self, token: str, byte_range: ByteRange | None = None) -> AbstractAsyncContextManager[SignedStream]:
        return self._downloads.open(token, byte_range)

    def _upload_grant(self, token: str) -> UploadGrant | PartGrant:
        with suppress(SignatureInvalid):
            return self._signer.read(token, UploadGrant)
        return self._signer.read(token, PartGrant)

    # --- ClearsDrafts --------------------------------------------------------------------------------------

    async def clear_drafts(self, before: datetime) -> int:
        scratch, seconds = await self._open_scratch(), before.timestamp()
        parts = await to_thread.run_sync(self._part_files.clear, scratch, seconds)
        return parts + await to_thread.run_sync(self._clear_growing, seconds)

    # --- LocalObjects --------------------------------------------------------------------------------------

    def local_path(self, key: str) -> Path:
        check_own_key(key)
        return self._root / key

    # --- in threads ----------------------------------------------------------------------------------------

    def _publish(self, draft: FileDraft, key: str, if_absent: bool) -> ObjectInfo:
        status = draft.seal(self._timestamp())
        self._tree.publish(draft.scratch, draft.name, key, if_absent=if_absent)
        draft.discard()
        return object_info(key, status)

    def _publish_once(self, draft: FileDraft, key: str) -> ObjectInfo:
        """Publish the draft. Returns the existing object if it has the same bytes: then the first response was lost."""
        try:
            return self._publish(draft, key, if_absent=True)
        except PreconditionFailed:
            with suppress(ObjectNotFound), os.fdopen(self._tree.open(key), "rb") as there:
                if draft.has_bytes_of(there):
                    return object_info(key, os.fstat(there.fileno()))
            raise

    def _start_reading(self, key: str, byte_range: ByteRange | None) -> Reader:
        return Reader(self._tree.open(key), byte_range)

    def _timestamp(self) -> int:
        """The time in nanoseconds since 1970, unique for each write.

        File systems take times from a timer with ticks of milliseconds, so two versions could look the same. These
        differ by a microsecond, or by a count of writes below it.
        """
        return (self._clock() - EPOCH) // MICROSECOND * 1000 + next(self._writes) % 1000

    def _claim_scratch(self) -> Scratch:
        make_private(self._root)
        try:
            with self._tree.folder([SCRATCH], create=True):
                return claim(self._root / SCRATCH)
        except NotADirectoryError:
            raise ConfigurationError(f"{SCRATCH} in the store's directory is a file or a link; remove it.") from None

    # -------------------------------------------------------------------------------------------------------

    async def _open_scratch(self) -> Scratch:
        async with self._scratch_opening:
            if self._scratch is None:
                self._scratch = await to_thread.run_sync(self._claim_scratch)
            return self._scratch

    @asynccontextmanager
    async def _draft(self, data: AsyncIterable[bytes]) -> AsyncIterator[FileDraft]:
        """Write the bytes to a draft in scratch. Leaving the context removes a draft that was not published."""
        draft = FileDraft(await self._open_scratch())
        try:
            with full_disk():
                async for batch in coalesce(data):
                    await to_thread.run_sync(draft.write, batch)
                yield draft
        finally:
            if not draft.discarded:
                with CancelScope(shield=True):
                    await to_thread.run_sync(draft.discard)

    async def _refuse_if_taken(self, key: str) -> None:
        """Fail early if the key is taken. `Tree.publish` enforces write-once."""
        with suppress(ObjectNotFound):
            await to_thread.run_sync(self._tree.status, key)
            raise already_there()


async def _chunks(reader: Reader) -> AsyncIterator[bytes]:
    if reader.first:
        yield reader.first
    while not reader.closed:
        if chunk := await to_thread.run_sync(reader.read):
            yield chunk
