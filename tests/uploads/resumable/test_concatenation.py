"""Resumable uploads that are made of others."""

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from tests.support.uploads import Traces, Uploading
from tests.uploads.resumable.client import Client, begun, concatenated, growing, partial

from imagegallery.errors import (
    Forbidden,
    TooLarge,
    TypeMismatch,
    UploadEnded,
    UploadIncomplete,
)
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import Concatenation


async def test_partial_uploads_become_one(uploading: Uploading, jpeg: bytes) -> None:
    policy = UploadPolicy(storage_limit=len(jpeg), max_open=2)  # nothing counts twice
    uploading = uploading.having(policy=policy)
    parts = [await partial(uploading, jpeg[:100]), await partial(uploading, jpeg[100:])]
    whole = await concatenated(uploading, *parts)
    assert (whole.received, whole.size, whole.wire_concatenation) == (len(jpeg), len(jpeg), "final;/a /b")
    image = await uploading.library.images.get(uploading.me, whole.image_id or UUID(int=0))
    assert image.sha256 == hashlib.sha256(jpeg).digest()
    with pytest.raises(Forbidden):
        await Client(uploading, whole).send(b"", len(jpeg))
    with pytest.raises(UploadEnded):
        await Client(uploading, parts[0]).look()
    assert await growing(uploading) == []


async def test_a_partial_upload_becomes_no_image_by_itself(uploading: Uploading, jpeg: bytes) -> None:
    part = await partial(uploading, jpeg)
    with pytest.raises(UploadIncomplete):
        await uploading.service.complete(uploading.me, part.id)
    uploading.clock.advance(timedelta(minutes=30))
    await uploading.service.sweep()
    assert (await uploading.traces()).images == 0


async def test_only_whole_partial_uploads_are_concatenated(uploading: Uploading, jpeg: bytes) -> None:
    part = await partial(uploading, jpeg[:100])
    unfinished = await begun(uploading, 50, concatenation=Concatenation.PARTIAL)
    ordinary = await begun(uploading, len(jpeg))
    for other in (unfinished, ordinary):
        with pytest.raises(UploadIncomplete):
            await concatenated(uploading, part, other.session)
    with pytest.raises(TooLarge):
        await concatenated(uploading.having(policy=UploadPolicy(max_size=199)), part, part)
    assert (await Client(uploading, part).look()).received == 100


async def test_a_concatenation_that_is_no_image_leaves_nothing(uploading: Uploading, jpeg: bytes) -> None:
    parts = [await partial(uploading, jpeg[100:]), await partial(uploading, jpeg[:100])]
    with pytest.raises(TypeMismatch):
        await concatenated(uploading, *parts)
    assert await growing(uploading) == []
    assert await uploading.traces() == Traces()
