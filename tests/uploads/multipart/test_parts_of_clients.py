"""Files that clients cut as they like: nobody told them a plan."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from tests.support.uploads import Uploading
from tests.uploads.multipart.sending import NOTHING, left

from imagegallery.errors import (
    SizeMismatch,
    TooLarge,
)
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.protocol import UploadRequest
from imagegallery.storage.signatures import UrlSigner
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession


class UncountedStore(FilesystemStore):
    """Takes whatever arrives, as S3 does."""

    async def presign_part(
        self, key: str, multipart_id: str, number: int, *, size: int, expires_at: datetime, total: int | None = None
    ) -> UploadRequest:
        return await super().presign_part(key, multipart_id, number, size=size, expires_at=expires_at, total=10**12)


@pytest.fixture
async def uncounted(uploading: Uploading) -> AsyncIterator[UncountedStore]:
    signer = UrlSigner(b"only for tests, never for a service", uploading.clock)
    async with UncountedStore(uploading.directory / "objects", signer, uploading.clock) as store:
        yield store


async def cut_by_the_client(uploading: Uploading, *bodies: bytes, size: int | None = None) -> UploadSession:
    session = await uploading.service.parts.begin(
        uploading.me, filename="a.jpg", content_type="image/jpeg", size=size, completes_itself=True
    )
    for part in await uploading.service.parts.sign(uploading.me, session.id, range(1, len(bodies) + 1)):
        await uploading.send_part(part, bodies[part.number - 1])
    return session


async def test_a_client_may_cut_the_file_as_it_likes(uploading: Uploading, picture: bytes) -> None:
    session = await cut_by_the_client(uploading, picture[:7], picture[7:900], picture[900:])
    assert (session.part_plan, session.part_requests) == (None, ())
    assert (await uploading.service.complete(uploading.me, session.id)).file_size == len(picture)


@pytest.mark.parametrize("more", [-1, 1])
async def test_a_length_that_lies_ends_the_upload(
    uploading: Uploading, uncounted: UncountedStore, picture: bytes, more: int
) -> None:
    lied_to = uploading.having(store=uncounted)
    session = await cut_by_the_client(lied_to, picture[:500], picture[500:], size=len(picture) + more)
    for _ in range(2):
        with pytest.raises(SizeMismatch):
            await lied_to.service.complete(uploading.me, session.id)
    assert await left(uploading) == (NOTHING, [])


async def test_parts_that_are_too_much_together_are_not_joined(uploading: Uploading, uncounted: UncountedStore) -> None:
    small = uploading.having(policy=UploadPolicy(max_size=1_000), store=uncounted)
    session = await cut_by_the_client(small, bytes(600), bytes(600))
    with pytest.raises(TooLarge):
        await small.service.complete(uploading.me, session.id)
    assert await left(small) == (NOTHING, [])
