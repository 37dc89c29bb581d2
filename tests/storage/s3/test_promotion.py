"""Promotion on S3: what a copy in parts and an interruption make harder."""

import random
from typing import Any

import attrs
import pytest

from imagegallery.errors import ObjectNotFound, PreconditionFailed, Unavailable
from imagegallery.storage.options import MEBIBYTE
from imagegallery.storage.s3.bucket import Bucket
from imagegallery.storage.s3.store import S3Store
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import TYPE, keys, read

BODY = random.Random(1).randbytes(12_000_000)


@pytest.fixture
def in_parts(s3: S3Store) -> S3Store:
    """A store to which 6 MiB is too much for one copy."""
    s3._promotion = attrs.evolve(s3._promotion, copy_limit=6 * MEBIBYTE, part_size=5 * MEBIBYTE)
    return s3


async def test_what_is_too_large_for_one_copy_is_copied_in_parts(in_parts: S3Store) -> None:
    source = await in_parts.put("in/a", bytes_chunks(BODY), content_type=TYPE)
    moved = await in_parts.promote("in/a", "out/a", etag=source.etag, content_type="image/png")
    assert moved.size == len(BODY)
    assert moved.etag.endswith("-3"), "S3 marks the etag of what came in parts with their number"
    assert await read(in_parts, "out/a") == BODY
    assert await keys(in_parts) == ["out/a"]


async def test_the_type_becomes_the_one_that_was_found(s3: S3Store) -> None:
    source = await s3.put("in/a", bytes_chunks(b"x"), content_type="text/html")
    await s3.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
    reply = await s3._bucket.client.head_object(Bucket=s3._bucket.name, Key=f"{s3._bucket.prefix}out/a")
    assert reply["ContentType"] == TYPE


class Interrupted(Exception):
    """The process ends here."""


@pytest.mark.parametrize("fixture", ["s3", "in_parts"])
async def test_a_move_cut_short_before_the_deletion_is_finished(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, s3: S3Store, fixture: str
) -> None:
    store: S3Store = s3 if fixture == "s3" else request.getfixturevalue(fixture)
    source = await store.put("in/a", bytes_chunks(BODY), content_type=TYPE)

    async def stop(*_: object, **__: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "delete", stop)
        with pytest.raises(Interrupted):
            await store.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
    assert await keys(store) == ["in/a", "out/a"]
    await store.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
    assert await keys(store) == ["out/a"]


async def test_a_copy_that_came_to_nothing_costs_the_source_nothing(
    in_parts: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts of the copy were forgotten before it was completed: by a rule of the bucket, say."""
    source = await in_parts.put("in/a", bytes_chunks(BODY), content_type=TYPE)
    complete = Bucket.complete

    async def too_late(self: Bucket, key: str, upload: str, parts: Any, **named: Any) -> None:
        await self.abort(key, upload)
        await complete(self, key, upload, parts, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "complete", too_late)
        with pytest.raises(ObjectNotFound):
            await in_parts.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
    assert await keys(in_parts) == ["in/a"]
    assert await read(in_parts, "in/a") == BODY


async def test_a_copy_whose_answer_was_lost_is_finished(in_parts: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore sends again what got no answer; S3 then knows the copy's parts no more, or finds the key taken."""
    source = await in_parts.put("in/a", bytes_chunks(BODY), content_type=TYPE)
    complete = Bucket.complete

    async def twice(self: Bucket, key: str, upload: str, parts: Any, **named: Any) -> None:
        await complete(self, key, upload, parts, **named)
        await complete(self, key, upload, parts, **named)

    monkeypatch.setattr(Bucket, "complete", twice)
    await in_parts.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
    assert await keys(in_parts) == ["out/a"]


async def test_the_same_bytes_from_elsewhere_are_another_object(s3: S3Store) -> None:
    one = await s3.put("in/1", bytes_chunks(b"same"), content_type=TYPE)
    two = await s3.put("in/2", bytes_chunks(b"same"), content_type=TYPE)
    assert one.etag == two.etag
    await s3.promote("in/1", "out", etag=one.etag, content_type=TYPE)
    with pytest.raises(PreconditionFailed):
        await s3.promote("in/2", "out", etag=two.etag, content_type=TYPE)
    assert await keys(s3) == ["in/2", "out"]


async def test_a_copy_of_parts_that_fails_leaves_nothing(in_parts: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    source = await in_parts.put("in/a", bytes_chunks(BODY), content_type=TYPE)
    copy = Bucket.copy_part

    async def failing(self: Bucket, key: str, upload: str, number: int, span: Any) -> Any:
        if number == 2:
            raise Unavailable("The object store is busy.")
        return await copy(self, key, upload, number, span)

    monkeypatch.setattr(Bucket, "copy_part", failing)
    with pytest.raises(Unavailable):
        await in_parts.promote("in/a", "out/a", etag=source.etag, content_type=TYPE)
    assert await keys(in_parts) == ["in/a"]
    reply = await in_parts._bucket.client.list_multipart_uploads(
        Bucket=in_parts._bucket.name, Prefix=in_parts._bucket.prefix
    )
    assert not reply.get("Uploads")
