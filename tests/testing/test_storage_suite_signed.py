"""The storage suite's part on capabilities is worth what it catches: see ``test_storage_suite.py``."""

from collections.abc import AsyncIterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.testing.sabotage import SECRET, Sabotages, StoresOf, each_notices, names_of_tests, run

from imagegallery.clock import utc_now
from imagegallery.errors import ImageGalleryError
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import ByteRange, ObjectInfo, SignedObject, UploadRequest, UploadTarget
from imagegallery.storage.signatures import DownloadGrant, UploadGrant, UrlSigner
from imagegallery.testing.storage import ObjectStoreSuite
from imagegallery.testing.storage.signed import SignedUrlPromises

SABOTAGES = Sabotages()
caught_by = SABOTAGES.caught_by


class Suite(StoresOf, SignedUrlPromises):
    """The tests of this part alone."""


# --- stores that break one promise ----------------------------------------------------------------------------


@caught_by("accept_stores_once", "a_presigned_request_writes_once", "accept_answers_the_same_bytes_as_before")
class AlwaysOverwrites(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        await self.delete(self.upload_target(token).key)
        return await super().accept(token, data, **options)


@caught_by("a_presigned_request_may_be_repeated", "accept_answers_the_same_bytes_as_before")
class TakesNothingTwice(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        await self._refuse_if_taken(self.upload_target(token).key)
        return await super().accept(token, data, **options)


@caught_by("accept_refuses_too_much", "a_presigned_request_refuses_another_size")
class TakesTooMuch(FilesystemStore):
    async def presign_upload(self, key: str, *, size: int, **options: Any) -> UploadRequest:
        return await super().presign_upload(key, size=size + 1, **{**options, "is_exact": False})


@caught_by("accept_refuses_fewer_bytes_than_were_signed", "a_presigned_request_refuses_another_size")
class TakesTooLittle(FilesystemStore):
    async def presign_upload(self, key: str, **options: Any) -> UploadRequest:
        return await super().presign_upload(key, **{**options, "is_exact": False})


@caught_by("a_presigned_request_of_unknown_size_takes_up_to_the_most")
class TakesOneSize(FilesystemStore):
    async def presign_upload(self, key: str, **options: Any) -> UploadRequest:
        return await super().presign_upload(key, **{**options, "is_exact": True})


@caught_by("accept_refuses_another_digest", "a_presigned_request_refuses_another_digest")
class ForgetsTheDigest(FilesystemStore):
    async def presign_upload(self, key: str, **options: Any) -> UploadRequest:
        return await super().presign_upload(key, **{**options, "sha256": None})


@caught_by("accept_refuses_another_type")
class AcceptsAnyType(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        grant = self._signer.read(token, UploadGrant)
        return await super().accept(token, data, **{**options, "content_type": grant.content_type})


@caught_by("accept_refuses_too_much")
class ReadsWhatWasAnnouncedAsTooMuch(FilesystemStore):
    async def accept(self, token: str, data: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        return await super().accept(token, data, content_type=options["content_type"])


@caught_by("accept_refuses_other_tokens", "a_presigned_request_expires")
class AcceptsLate(FilesystemStore):
    async def presign_upload(self, key: str, *, expires_at: datetime, **options: Any) -> UploadRequest:
        return await super().presign_upload(key, expires_at=expires_at + timedelta(days=1), **options)


@caught_by("accept_stores_what_was_signed")
class AcceptsUnderAnotherKey(FilesystemStore):
    async def presign_upload(self, key: str, **options: Any) -> UploadRequest:
        return await super().presign_upload(f"{key}-other", **options)


@caught_by("accept_stores_what_was_signed")
class NamesAnotherKey(FilesystemStore):
    def upload_target(self, token: str) -> UploadTarget:
        return UploadTarget(f"{super().upload_target(token).key}-other")


@caught_by("accept_refuses_other_tokens")
class NamesAKeyForAnyToken(FilesystemStore):
    def upload_target(self, token: str) -> UploadTarget:
        with suppress(ImageGalleryError):
            return super().upload_target(token)
        return UploadTarget("in/a")


@caught_by("downloads_refuse_other_tokens")
class ReadsWithUploadTokens(FilesystemStore):
    async def describe(self, token: str) -> SignedObject:
        with suppress(ImageGalleryError):
            grant = self._signer.read(token, UploadGrant)
            return SignedObject(await self.head(grant.key), grant.content_type, grant.expires_at, None)
        return await super().describe(token)


@caught_by("a_signed_download_can_be_described_and_opened")
class ForgetsTheRange(FilesystemStore):
    def open(self, token: str, byte_range: ByteRange | None = None) -> Any:
        return super().open(token)


@caught_by("a_signed_download_of_nothing_is_not_found")
class DescribesNothing(FilesystemStore):
    async def describe(self, token: str) -> SignedObject:
        grant = self._signer.read(token, DownloadGrant)
        return SignedObject(ObjectInfo(grant.key, 0, "", utc_now()), grant.content_type, grant.expires_at, None)


@caught_by("equal_downloads_have_equal_urls")
class SignsAnew(FilesystemStore):
    number = 0

    def sign_download(self, key: str, *, expires_at: datetime, **options: Any) -> str:
        self.number += 1
        return super().sign_download(key, expires_at=expires_at + timedelta(seconds=self.number), **options)


@caught_by("a_local_path_holds_the_bytes")
class PointsElsewhere(FilesystemStore):
    def local_path(self, key: str) -> Path:
        return super().local_path(key).with_suffix(".other")


# --- and that they are caught ---------------------------------------------------------------------------------

ALL_TESTS = sorted(names_of_tests(SignedUrlPromises))


@pytest.mark.parametrize("kind", SABOTAGES, ids=lambda kind: kind.__name__)
async def test_a_broken_promise_is_noticed(kind: type[FilesystemStore], tmp_path: Path) -> None:
    await each_notices(Suite(kind, tmp_path), SABOTAGES[kind])


@pytest.mark.parametrize("name", ALL_TESTS)
async def test_an_honest_store_passes(name: str, tmp_path: Path) -> None:
    await run(Suite(FilesystemStore, tmp_path), name)


def test_every_test_of_the_suite_has_noticed_something() -> None:
    assert set(ALL_TESTS) == SABOTAGES.caught


class BareStore:
    """An `ObjectStore` and nothing more."""

    def __init__(self, store: FilesystemStore) -> None:
        for name in ("put", "get", "head", "promote", "delete", "list", "aclose"):
            setattr(self, name, getattr(store, name))


@pytest.mark.parametrize(
    "name", ["accept_stores_once", "a_presigned_request_writes_once", "a_local_path_holds_the_bytes"]
)
async def test_what_a_store_cannot_do_is_skipped(name: str, tmp_path: Path) -> None:
    class Bare(ObjectStoreSuite):
        async def make_store(self) -> Any:
            return BareStore(FilesystemStore(tmp_path, UrlSigner(SECRET, utc_now)))

    with pytest.raises(pytest.skip.Exception):
        await getattr(Bare(), f"test_{name}")()
