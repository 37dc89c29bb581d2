"""Objects in memory, for tests of applications: nothing is left behind, and no disk is waited for."""

import itertools
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from anyio.lowlevel import checkpoint
from attrs import evolve, frozen

from imagegallery.clock import Clock, utc_now
from imagegallery.errors import ObjectNotFound, PreconditionFailed, TooLarge
from imagegallery.storage.accepted import accepted
from imagegallery.storage.keys import check_key
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
from imagegallery.storage.signatures import UploadGrant, UrlSigner
from imagegallery.storage.signed_downloads import SignedDownloads
from imagegallery.storage.streams import at_most, bytes_chunks

_SECRET = b"objects in memory end with their process"


@frozen
class _Object:
    info: ObjectInfo
    body: bytes


class MemoryStore:
    """An `ObjectStore` that also is `PresignsUploads`, `SignsDownloads`, `ServesSignedUrls`, `AppendsObjects` and
    `DeletesMany`. It belongs to one process, and any event loop of it. As with any store, others come to their turn
    while it works.

    ``base_url`` is the start of its signed URLs: the address of the API, or empty for relative URLs.
    """

    def __init__(self, clock: Clock = utc_now, *, base_url: str = "", secret: bytes = _SECRET) -> None:
        self._objects: dict[str, _Object] = {}
        self._growing: dict[tuple[str, str], bytearray] = {}
        self._finished: dict[tuple[str, str], ObjectInfo] = {}
        self._clock = clock
        self._base_url = base_url
        self._signer = UrlSigner(secret, clock)
        self._downloads = SignedDownloads(self, self._signer, base_url)
        self._numbers = itertools.count(1)

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
        check_key(key)
        await checkpoint()
        body = b"".join([chunk async for chunk in at_most(data, max_size)])
        if if_absent:
            self._refuse_if_taken(key)
        return self._keep(key, body)

    @asynccontextmanager
    async def get(self, key: str, byte_range: ByteRange | None = None) -> AsyncIterator[ObjectStream]:
        await checkpoint()
        found = self._find(key)
        chosen = slice(None) if byte_range is None else slice(byte_range.start, byte_range.stop)
        yield ObjectStream(found.info, bytes_chunks(found.body[chosen]))

    async def head(self, key: str) -> ObjectInfo:
        await checkpoint()
        return self._find(key).info

    async def promote(self, source: str, target: str, *, etag: str, content_type: str) -> ObjectInfo:
        check_key(source)
        await checkpoint()
        moved, there = self._objects.get(source), self._objects.get(self._checked(target))
        if moved is None:
            return self._find(target).info
        if moved.info.etag != etag or (there is not None and there.info.etag != etag):
            raise PreconditionFailed("The object is not the one that was checked, or its new key is taken.")
        self._objects[target] = evolve(moved, info=evolve(moved.info, key=target))
        del self._objects[source]
        return self._objects[target].info

    async def delete(self, key: str) -> None:
        await checkpoint()
        self._objects.pop(self._checked(key), None)

    async def delete_many(self, keys: Sequence[str]) -> None:
        for key in keys:
            await self.delete(key)

    async def list(self, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        for found in [*self._objects.values()]:
            if found.info.key.startswith(prefix):
                await checkpoint()
                yield found.info

    async def aclose(self) -> None:
        """The objects stay until the store itself is gone."""

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
        grant = UploadGrant(self._checked(key), content_type, size if is_exact else 1, size, expires_at, sha256)
        url = f"{self._base_url}/objects/{self._signer.sign(grant)}"
        return UploadRequest("PUT", url, headers={"Content-Type": content_type})

    def sign_download(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        return self._downloads.sign_download(
            key, content_type=content_type, expires_at=expires_at, download_as=download_as, method=method
        )

    def upload_target(self, token: str) -> UploadTarget:
        return UploadTarget(self._signer.read(token, UploadGrant).key)

    async def accept(
        self, token: str, data: AsyncIterable[bytes], *, content_type: str, content_length: int | None = None
    ) -> ObjectInfo:
        grant = self._signer.read(token, UploadGrant)
        checked = accepted(grant, data, content_type=content_type, content_length=content_length)
        body = b"".join([chunk async for chunk in checked])
        there = self._objects.get(grant.key)
        if there is not None and there.body == body:
            return there.info
        self._refuse_if_taken(grant.key)
        return self._keep(grant.key, body)

    async def describe(self, token: str) -> SignedObject:
        return await self._downloads.describe(token)

    def open(self, token: str, byte_range: ByteRange | None = None) -> AbstractAsyncContextManager[SignedStream]:
        return self._downloads.open(token, byte_range)

    # --- AppendsObjects ------------------------------------------------------------------------------------

    async def begin_append(self, key: str, *, content_type: str) -> str:
        append_id = str(next(self._numbers))
        self._growing[self._checked(key), append_id] = bytearray()
        return append_id

    async def append(
        self, key: str, append_id: str, data: AsyncIterable[bytes], *, offset: int, max_size: int | None = None
    ) -> int:
        growing = self._find_growing(key, append_id)
        if len(growing) != offset:
            raise PreconditionFailed(f"The object has {len(growing)} bytes, not {offset}.")
        try:
            async for chunk in at_most(data, None if max_size is None else max_size - offset):
                growing += chunk
        except TooLarge:
            del growing[offset:]
            raise
        return len(growing)

    async def appended(self, key: str, append_id: str) -> int:
        return len(self._find_growing(key, append_id))

    async def read_appended(self, key: str, append_id: str) -> AsyncIterator[bytes]:
        async for chunk in bytes_chunks(bytes(self._find_growing(key, append_id))):
            yield chunk

    async def finish_append(self, key: str, append_id: str) -> ObjectInfo:
        name = self._checked(key), append_id
        if name not in self._finished:
            self._finished[name] = self._keep(key, bytes(self._find_growing(key, append_id)))
            del self._growing[name]
        return self._finished[name]

    async def abort_append(self, key: str, append_id: str) -> None:
        self._growing.pop((self._checked(key), append_id), None)

    # -------------------------------------------------------------------------------------------------------

    def _checked(self, key: str) -> str:
        check_key(key)
        return key

    def _find(self, key: str) -> _Object:
        try:
            return self._objects[self._checked(key)]
        except KeyError:
            raise ObjectNotFound("There is no such object.") from None

    def _find_growing(self, key: str, append_id: str) -> bytearray:
        try:
            return self._growing[self._checked(key), append_id]
        except KeyError:
            raise ObjectNotFound("There is no such growing object.") from None

    def _keep(self, key: str, body: bytes) -> ObjectInfo:
        info = ObjectInfo(key, len(body), f"{next(self._numbers)}", self._clock())
        self._objects[key] = _Object(info, body)
        return info

    def _refuse_if_taken(self, key: str) -> None:
        if key in self._objects:
            raise PreconditionFailed("There is an object under this key already.")
