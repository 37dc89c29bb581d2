"""Our own download URLs over any object store: a signed token says what may be read, and until when."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import quote

from attrs import frozen

from imagegallery.storage.keys import check_key
from imagegallery.storage.protocol import ByteRange, ObjectInfo, ObjectStore, ReadMethod, SignedObject, SignedStream
from imagegallery.storage.signatures import DownloadGrant, UrlSigner


@frozen
class SignedDownloads:
    """`SignsDownloads` and `ServesDownloads` for a store without signatures."""

    store: ObjectStore
    signer: UrlSigner
    base_url: str = ""

    def sign_download(
        self,
        key: str,
        *,
        content_type: str,
        expires_at: datetime,
        download_as: str | None = None,
        method: ReadMethod = "GET",
    ) -> str:
        check_key(key)
        token = self.signer.sign(DownloadGrant(key, content_type, expires_at, download_as))
        return f"{self.base_url}/objects/{quote(token)}"

    async def describe(self, token: str) -> SignedObject:
        grant = self.signer.read(token, DownloadGrant)
        return _describe(await self.store.head(grant.key), grant)

    @asynccontextmanager
    async def open(self, token: str, byte_range: ByteRange | None = None) -> AsyncIterator[SignedStream]:
        grant = self.signer.read(token, DownloadGrant)
        async with self.store.get(grant.key, byte_range) as stream:
            yield SignedStream(_describe(stream.info, grant), stream.chunks)


def _describe(info: ObjectInfo, grant: DownloadGrant) -> SignedObject:
    return SignedObject(info, grant.content_type, grant.expires_at, grant.download_as)
