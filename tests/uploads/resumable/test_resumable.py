"""Uploads that come little by little: what is durable is the offset, and the last byte makes the image."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import anyio
import attrs
import pytest
from tests.support.uploads import Traces, Uploading
from tests.uploads.resumable.client import BrokenOff, begun, broken_off, growing

from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import (
    LengthMismatch,
    OffsetMismatch,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadInterrupted,
    UploadLocked,
)
from imagegallery.uploads.session.policy import OnDuplicate, UploadPolicy
from imagegallery.uploads.session.session import UploadState

# --- to the end ----------------------------------------------------------------------------------------------


async def test_the_last_byte_makes_the_image(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    assert (await client.send(jpeg[:100], 0)).received == 100
    assert (await client.row()).image_id is None
    done = await client.send(jpeg[100:], 100)
    assert done.state is UploadState.COMPLETED
    image = await uploading.library.images.get(uploading.me, done.image_id or UUID(int=0))
    assert (image.filename, image.file_size, image.sha256) == ("tram.jpg", len(jpeg), hashlib.sha256(jpeg).digest())
    assert (await client.look()).received == len(jpeg)
    assert await growing(uploading) == []


async def test_the_length_may_come_later(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, None)
    await client.send(jpeg[:100], 0)
    assert (await client.look()).size is None
    assert (await client.send(jpeg[100:200], 100, length=len(jpeg))).size == len(jpeg)
    with pytest.raises(LengthMismatch):
        await client.send(jpeg[200:], 200, length=len(jpeg) + 1)
    assert (await client.send(jpeg[200:], 200)).image_id


async def test_the_draft_completes_when_it_says_so(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg), completes_itself=False)
    assert (await client.send(jpeg, 0)).state is UploadState.UPLOADING
    assert (await client.look()).state is UploadState.UPLOADING
    assert (await client.send(b"", len(jpeg), completes=True, announced=0)).image_id


async def test_the_type_may_be_told_by_the_name(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg), content_type=None, filename="TRAM.JPEG")
    assert (await client.send(jpeg, 0)).content_type == "image/jpeg"
    with pytest.raises(UnsupportedType):
        await begun(uploading, 10, content_type="text/html", filename="tram.jpg")


async def test_a_repeated_end_is_no_error(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    first = await client.send(jpeg, 0)
    again = await client.send(b"", len(jpeg))
    assert (first.image_id, first.state) == (again.image_id, again.state)
    with pytest.raises(LengthMismatch):
        await client.send(b"more", len(jpeg))
    with pytest.raises(OffsetMismatch):
        await client.send(jpeg, 0)
    assert (await uploading.traces()).images == 1


async def test_a_file_that_is_in_already_is_answered(uploading: Uploading, jpeg: bytes) -> None:
    uploading = uploading.having(policy=UploadPolicy(on_duplicate=OnDuplicate.RETURN_EXISTING))
    first = await (await begun(uploading, len(jpeg))).send(jpeg, 0)
    second = await (await begun(uploading, len(jpeg))).send(jpeg, 0)
    at_once = await begun(uploading, len(jpeg), sha256=hashlib.sha256(jpeg).digest())
    assert first.image_id == second.image_id == at_once.session.image_id == (await at_once.look()).image_id
    assert (await uploading.traces()).images == 1
    assert await growing(uploading) == []


# --- interruptions -------------------------------------------------------------------------------------------


async def test_what_came_before_a_break_is_kept(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    with pytest.raises(BrokenOff):
        await client.stream(broken_off(jpeg[:150]), 0)
    assert (await client.look()).received == (await client.row()).received == 150
    assert (await client.send(jpeg[150:], 150)).image_id


@pytest.mark.parametrize("where", ["same process", "another process"])
async def test_a_newcomer_takes_over(where: str, uploading: Uploading, jpeg: bytes, database_dsn: str) -> None:
    client = await begun(uploading, len(jpeg))
    came = anyio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield jpeg[:120]
        came.set()
        await anyio.sleep_forever()

    async def stall() -> None:
        with pytest.raises(UploadInterrupted):
            await client.stream(stalling(), 0)

    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=2)) as elsewhere:
        library = attrs.evolve(uploading.library, database=elsewhere)
        other = attrs.evolve(uploading, library=library).having()
        newcomer = client if where == "same process" else attrs.evolve(client, uploading=other)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stall)
            await came.wait()
            assert (await newcomer.look()).received == 120
            assert (await newcomer.send(jpeg[120:], 120)).image_id


async def test_cancelling_ends_the_request_in_flight(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    came = anyio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield jpeg[:120]
        came.set()
        await anyio.sleep_forever()

    async def stall() -> None:
        with pytest.raises(UploadInterrupted):
            await client.stream(stalling(), 0)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stall)
        await came.wait()
        await uploading.service.cancel(uploading.me, client.session.id)
    assert await growing(uploading) == []
    assert (await client.row()).state is UploadState.CANCELLED


async def test_a_request_that_does_not_give_way_locks_the_upload(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    impatient = client.service
    impatient._patience = timedelta(milliseconds=20)
    async with client.service.alone_with(client.session):
        with pytest.raises(UploadLocked):
            await client.look()
        with pytest.raises(UploadLocked):
            await client.send(jpeg, 0)
        with pytest.raises(UploadLocked):
            await uploading.service.cancel(uploading.me, client.session.id)
    assert (await client.look()).received == 0


async def test_bytes_for_another_place_change_nothing(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    await client.send(jpeg[:100], 0)
    for offset in (0, 99, 101, len(jpeg)):
        with pytest.raises(OffsetMismatch) as caught:
            await client.send(jpeg[offset:], offset)
        assert (caught.value.expected, caught.value.provided) == (100, offset)
    assert (await client.send(jpeg[100:], 100)).image_id


async def test_bytes_that_are_gone_end_the_upload(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    await client.send(jpeg[:100], 0)
    for path in (uploading.directory / "objects" / ".scratch" / "growing").iterdir():
        path.unlink()
    with pytest.raises(UploadEnded):
        await client.look()
    assert (await client.row()).state is UploadState.CANCELLED


# --- the end of a session ------------------------------------------------------------------------------------


async def test_an_expired_upload_is_gone(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    await client.send(jpeg[:100], 0)
    uploading.clock.advance(uploading.policy.session_lifetime)
    with pytest.raises(UploadExpired):
        await client.look()
    with pytest.raises(UploadExpired):
        await client.send(jpeg[100:], 100)
    assert await uploading.service.sweep() == 1
    assert await growing(uploading) == []
    assert await uploading.traces() == Traces()


async def test_a_cancelled_upload_leaves_nothing(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    await client.send(jpeg[:100], 0)
    await uploading.service.cancel(uploading.me, client.session.id)
    with pytest.raises(UploadEnded):
        await client.look()
    with pytest.raises(UploadEnded):
        await client.send(jpeg[100:], 100)
    assert await growing(uploading) == []


async def test_what_grows_for_no_session_is_swept(uploading: Uploading) -> None:
    store = uploading.library.store
    await store.begin_append("incoming/forgotten", content_type="image/jpeg")
    await uploading.service.sweep()
    assert len(await growing(uploading)) == 1
    uploading.clock.advance(uploading.policy.session_lifetime + timedelta(seconds=1))
    await uploading.service.sweep()
    assert await growing(uploading) == []
