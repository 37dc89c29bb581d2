"""The storage suite's tests of requests that clients send themselves, signed URLs, and local files.

PYTEST_DONT_REWRITE: a difference of megabytes would take pytest minutes to describe.
"""

import hashlib
from datetime import timedelta
from typing import NoReturn

import pytest
from anyio import Path

from imagegallery.errors import (
    ChecksumMismatch,
    ImageGalleryError,
    ObjectNotFound,
    PreconditionFailed,
    SignatureExpired,
    SignatureInvalid,
    SizeMismatch,
    TooLarge,
    TypeMismatch,
)
from imagegallery.storage.protocol import (
    ByteRange,
    LocalObjects,
    ObjectInfo,
    ObjectStore,
    PresignsUploads,
    ServesSignedUrls,
    SignsDownloads,
    UploadRequest,
    UploadTarget,
)
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import (
    BODY,
    TYPE,
    Broken,
    StoreTests,
    at_once,
    broken_off,
    keys,
    read,
    token_of,
    write,
)

HOUR = timedelta(hours=1)


def presigner(store: ObjectStore) -> PresignsUploads:
    return store if isinstance(store, PresignsUploads) else _lacking(store, "presign uploads")


def signer(store: ObjectStore) -> SignsDownloads:
    return store if isinstance(store, SignsDownloads) else _lacking(store, "sign downloads")


def server(store: ObjectStore) -> ServesSignedUrls:
    return store if isinstance(store, ServesSignedUrls) else _lacking(store, "leave signed URLs to us to serve")


def local(store: ObjectStore) -> LocalObjects:
    return store if isinstance(store, LocalObjects) else _lacking(store, "keep local files")


def _lacking(store: ObjectStore, capability: str) -> NoReturn:
    pytest.skip(f"{type(store).__name__} does not {capability}")


def download_token(url: str) -> str:
    """The part of a URL after ``/objects/``."""
    assert url.startswith("/objects/")
    return url.removeprefix("/objects/")


class SignedUrlPromises(StoreTests):
    presigned_requests_write_once = True
    """``False`` for a store that takes a presigned request again until it expires."""

    async def _upload(
        self,
        store: ObjectStore,
        *,
        key: str = "in/a",
        expires_in: timedelta = HOUR,
        sha256: str | None = None,
        is_exact: bool = True,
    ) -> UploadRequest:
        expires_at = self.now() + expires_in
        return await presigner(store).presign_upload(
            key, content_type=TYPE, size=len(BODY), sha256=sha256, expires_at=expires_at, is_exact=is_exact
        )

    def _download(self, store: ObjectStore, *, expires_in: timedelta = HOUR, download_as: str | None = None) -> str:
        return signer(store).sign_download(
            "a", content_type=TYPE, expires_at=self.now().replace(microsecond=0) + expires_in, download_as=download_as
        )

    # --- presigned uploads, sent for real --------------------------------------------------------------------

    async def test_a_presigned_request_writes_once(self) -> None:
        async with self.open_store() as store:
            request = await self._upload(store)
            assert await self.is_taken(store, request, BODY)
            first = await store.head("in/a")
            assert (first.size, await read(store, "in/a")) == (len(BODY), BODY)
            is_taken = await self.is_taken(store, request, BODY[::-1])
            if self.presigned_requests_write_once:
                assert not is_taken
                assert await read(store, "in/a") == BODY
            else:
                with pytest.raises(PreconditionFailed):
                    await store.promote("in/a", "out/a", etag=first.etag, content_type=TYPE)

    async def test_a_presigned_request_may_be_repeated(self) -> None:
        """With the same bytes: the response may have been lost."""
        async with self.open_store() as store:
            request = await self._upload(store)
            for _ in range(3):
                assert await self.is_taken(store, request, BODY)
            assert await read(store, "in/a") == BODY
            assert await keys(store) == ["in/a"]

    async def test_a_presigned_request_refuses_another_size(self) -> None:
        async with self.open_store() as store:
            request = await self._upload(store)
            for body in (BODY + b"!", BODY[:-1], b""):
                assert not await self.is_taken(store, request, body)
            assert await keys(store) == []
            assert await self.is_taken(store, request, BODY), "what was refused leaves nothing in the way"

    async def test_a_presigned_request_of_unknown_size_takes_up_to_the_most(self) -> None:
        async with self.open_store() as store:
            request = await self._upload(store, is_exact=False)
            for body in (BODY + b"!", b""):
                assert not await self.is_taken(store, request, body)
            assert await keys(store) == []
            assert await self.is_taken(store, request, BODY[:-1])
            assert await read(store, "in/a") == BODY[:-1]

    async def test_a_presigned_request_refuses_another_digest(self) -> None:
        async with self.open_store() as store:
            request = await self._upload(store, sha256=hashlib.sha256(BODY).hexdigest())
            assert not await self.is_taken(store, request, BODY[::-1])
            assert await keys(store) == []
            assert await self.is_taken(store, request, BODY)

    async def test_a_presigned_request_expires(self) -> None:
        async with self.open_store() as store:
            request = await self._upload(store, expires_in=-HOUR)
            assert not await self.is_taken(store, request, BODY)
            assert await keys(store) == []

    # --- uploads to our own signed URLs ----------------------------------------------------------------------

    async def test_accept_stores_what_was_signed(self) -> None:
        async with self.open_store() as store:
            serving, request = server(store), await self._upload(store)
            assert serving.upload_target(token_of(request)) == UploadTarget("in/a")
            assert dict(request.headers) == {"Content-Type": TYPE}
            info = await serving.accept(token_of(request), bytes_chunks(BODY), content_type=TYPE)
            assert (info.key, info.size) == ("in/a", len(BODY))
            assert await read(store, "in/a") == BODY

    async def test_accept_stores_once(self) -> None:
        async with self.open_store() as store:
            serving, token = server(store), token_of(await self._upload(store))
            with pytest.raises(Broken):
                await serving.accept(token, broken_off(BODY[:100]), content_type=TYPE)
            await serving.accept(token, bytes_chunks(BODY), content_type=TYPE)
            with pytest.raises(PreconditionFailed):
                await serving.accept(token, bytes_chunks(BODY[::-1]), content_type=TYPE)
            assert await read(store, "in/a") == BODY

    async def test_accept_answers_the_same_bytes_as_before(self) -> None:
        async with self.open_store() as store:
            serving, token = server(store), token_of(await self._upload(store))
            infos: list[ObjectInfo] = []

            async def race(_: int) -> None:
                infos.append(await serving.accept(token, bytes_chunks(BODY), content_type=TYPE))

            await at_once(3, race)
            await race(0)
            assert infos == [await store.head("in/a")] * 4

    async def test_accept_refuses_another_type(self) -> None:
        async with self.open_store() as store:
            serving, token = server(store), token_of(await self._upload(store))
            with pytest.raises(TypeMismatch):
                await serving.accept(token, bytes_chunks(BODY), content_type="text/html")
            assert await keys(store) == []

    async def test_accept_refuses_fewer_bytes_than_were_signed(self) -> None:
        async with self.open_store() as store:
            serving, token = server(store), token_of(await self._upload(store))
            with pytest.raises(SizeMismatch):
                await serving.accept(token, bytes_chunks(BODY[:-1]), content_type=TYPE)
            with pytest.raises(SizeMismatch):
                await serving.accept(token, broken_off(b""), content_type=TYPE, content_length=len(BODY) - 1)
            assert await keys(store) == []

    async def test_accept_refuses_another_digest(self) -> None:
        async with self.open_store() as store:
            serving = server(store)
            token = token_of(await self._upload(store, sha256=hashlib.sha256(BODY).hexdigest()))
            with pytest.raises(ChecksumMismatch):
                await serving.accept(token, bytes_chunks(BODY[::-1]), content_type=TYPE)
            assert await keys(store) == []

    async def test_accept_refuses_too_much(self) -> None:
        async with self.open_store() as store:
            serving, token = server(store), token_of(await self._upload(store))
            with pytest.raises(TooLarge):
                await serving.accept(token, bytes_chunks(BODY + b"!"), content_type=TYPE)
            unread = broken_off(b"")
            with pytest.raises(TooLarge):
                await serving.accept(token, unread, content_type=TYPE, content_length=len(BODY) + 1)
            assert await keys(store) == []

    async def test_accept_refuses_other_tokens(self) -> None:
        async with self.open_store() as store:
            serving = server(store)
            upload = token_of(await self._upload(store))
            download = download_token(self._download(store))
            for token in (download, altered(upload), upload + "A", "", "no.token", "\ud800"):
                with pytest.raises(SignatureInvalid):
                    serving.upload_target(token)
                with pytest.raises(SignatureInvalid):
                    await serving.accept(token, bytes_chunks(BODY), content_type=TYPE)
            late = token_of(await self._upload(store, expires_in=-timedelta(seconds=1)))
            with pytest.raises(SignatureExpired):
                serving.upload_target(late)
            with pytest.raises(SignatureExpired):
                await serving.accept(late, bytes_chunks(BODY), content_type=TYPE)
            assert await keys(store) == []

    # --- downloads from our own signed URLs ------------------------------------------------------------------

    async def test_a_signed_download_can_be_described_and_opened(self) -> None:
        async with self.open_store() as store:
            serving = server(store)
            put = await write(store, "a", BODY)
            token = download_token(self._download(store, download_as="übung 📷.jpg"))
            described = await serving.describe(token)
            assert (described.content_type, described.download_as) == (TYPE, "übung 📷.jpg")
            assert (described.info.size, described.info.etag) == (len(BODY), put.etag)
            assert timedelta() < described.expires_at - self.now() <= HOUR
            async with serving.open(token, ByteRange(3, 70)) as stream:
                assert stream.object == described
                assert b"".join([chunk async for chunk in stream.chunks]) == BODY[3:70]

    async def test_a_signed_download_of_nothing_is_not_found(self) -> None:
        async with self.open_store() as store:
            serving, token = server(store), download_token(self._download(store))
            await raises(ObjectNotFound, serving, token)

    async def test_downloads_refuse_other_tokens(self) -> None:
        async with self.open_store() as store:
            serving = server(store)
            await write(store, "a", BODY)
            download = download_token(self._download(store))
            upload = token_of(await self._upload(store, key="a"))
            for token in (upload, altered(download), download + "A", "", "no.token", "\ud800"):
                await raises(SignatureInvalid, serving, token)
            await raises(SignatureExpired, serving, download_token(self._download(store, expires_in=-HOUR)))

    async def test_equal_downloads_have_equal_urls(self) -> None:
        async with self.open_store() as store:
            signing, moment = signer(store), self.now().replace(microsecond=0) + HOUR
            urls = {signing.sign_download("a", content_type=TYPE, expires_at=moment) for _ in range(3)}
            assert len(urls) == 1, "a URL that differs each time cannot be cached"

    # --- local files -----------------------------------------------------------------------------------------

    async def test_a_local_path_holds_the_bytes(self) -> None:
        async with self.open_store() as store:
            files = local(store)
            await write(store, "a/b.jpg", BODY)
            assert await Path(files.local_path("a/b.jpg")).read_bytes() == BODY


async def raises(error: type[ImageGalleryError], serving: ServesSignedUrls, token: str) -> None:
    """Check that the token can be neither described nor opened."""
    with pytest.raises(error):
        await serving.describe(token)
    with pytest.raises(error):
        async with serving.open(token):
            pass


def altered(token: str) -> str:
    """Change the token's first character."""
    return ("B" if token[0] == "A" else "A") + token[1:]
