"""Uploads that come little by little: what is durable is the offset, and the last byte makes the image."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import attrs
import pytest

from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import (
    BadImage,
    ChunkMismatch,
    EmptyFile,
    Forbidden,
    LengthMismatch,
    NotFound,
    OffsetMismatch,
    QuotaExceeded,
    TooLarge,
    TypeMismatch,
    Unauthenticated,
    UnsupportedType,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
    UploadInterrupted,
    UploadLocked,
)
from imagegallery.principal import Principal
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.uploading import RemoteStore, Traces, Uploading
from imagegallery.uploads.policy import OnDuplicate, UploadPolicy
from imagegallery.uploads.resumable import ResumableUploads
from imagegallery.uploads.resumable_rules import Checksum, Piece
from imagegallery.uploads.session import Concatenation, UploadSession, UploadState

STRANGER = Principal.user("eve")
Slowly = Callable[[bytes, int], AsyncIterator[bytes]]


class BrokenOff(Exception):
    """What a connection that is gone raises."""


async def broken_off(data: bytes) -> AsyncIterator[bytes]:
    yield data
    raise BrokenOff


@attrs.frozen
class Client:
    """One upload, as its client sees it."""

    uploading: Uploading
    session: UploadSession

    @property
    def service(self) -> ResumableUploads:
        return self.uploading.service.resumable

    async def send(self, data: bytes, offset: int, **piece: Any) -> UploadSession:
        return await self.service.append(
            self.uploading.me, self.session.id, bytes_chunks(data, 10_000), attrs.evolve(Piece(offset), **piece)
        )

    async def stream(self, data: AsyncIterator[bytes], offset: int) -> UploadSession:
        return await self.service.append(self.uploading.me, self.session.id, data, Piece(offset))

    async def look(self) -> UploadSession:
        return await self.service.look(self.uploading.me, self.session.id)

    async def row(self) -> UploadSession:
        return await self.uploading.service.get(self.uploading.me, self.session.id)


async def begun(uploading: Uploading, size: int | None, **options: object) -> Client:
    declared: dict[str, object] = {"filename": "tram.jpg", "content_type": "image/jpeg", **options}
    session = await uploading.service.resumable.create(uploading.me, size=size, **declared)  # type: ignore[arg-type]
    return Client(uploading, session)


async def growing(uploading: Uploading) -> list[str]:
    folder = anyio.Path(uploading.directory / "objects" / ".scratch" / "growing")
    return [path.name async for path in folder.iterdir()] if await folder.exists() else []


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
        await begun(uploading, 10, content_type="application/octet-stream", filename="tram.exe")


async def test_a_repeated_end_is_no_error(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    first = await client.send(jpeg, 0)
    again = await client.send(b"", len(jpeg))
    assert (first.image_id, first.state) == (again.image_id, again.state)
    with pytest.raises(UploadEnded):
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


# --- bad input -----------------------------------------------------------------------------------------------


async def test_a_piece_with_the_wrong_checksum_leaves_no_byte(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    right = Checksum("sha1", hashlib.sha1(jpeg[:100], usedforsecurity=False).digest())
    assert (await client.send(jpeg[:100], 0, checksums=(right,))).received == 100
    for wrong in (right, Checksum("sha256", b""), Checksum("sha512", bytes(64))):
        with pytest.raises(ChunkMismatch):
            await client.send(jpeg[100:], 100, checksums=(wrong,))
        assert (await client.look()).received == 100
    sha512 = Checksum("sha512", hashlib.sha512(jpeg[100:]).digest())
    assert (await client.send(jpeg[100:], 100, checksums=(sha512,))).image_id
    assert (await uploading.traces()).temporary_files == ()


async def test_a_checked_piece_that_breaks_off_leaves_no_byte(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    piece = Piece(0, checksums=(Checksum("sha1", bytes(20)),))
    with pytest.raises(BrokenOff):
        await client.service.append(uploading.me, client.session.id, broken_off(jpeg), piece)
    assert (await client.look()).received == 0


@pytest.mark.parametrize("announced", [None, 201])
@pytest.mark.parametrize("checked", [False, True])
async def test_more_than_was_said_leaves_no_byte(
    announced: int | None, checked: bool, uploading: Uploading, jpeg: bytes
) -> None:
    checksums = (Checksum("sha1", hashlib.sha1(jpeg[:201], usedforsecurity=False).digest()),) if checked else ()
    client = await begun(uploading, 300)
    await client.send(jpeg[:100], 0)
    with pytest.raises(TooLarge):
        await client.send(jpeg[:201], 100, announced=announced, checksums=checksums)
    assert (await client.look()).received == 100


async def test_two_lengths_must_agree(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg), completes_itself=False)
    with pytest.raises(LengthMismatch):
        await client.send(jpeg[:10], 0, announced=10, completes=True)
    with pytest.raises(LengthMismatch):
        await client.send(jpeg[:10], 0, length=len(jpeg) - 1)
    assert (await client.look()).received == 0
    with pytest.raises(LengthMismatch):
        await client.send(jpeg[:10], 0, completes=True)
    assert (await client.look()).state is UploadState.UPLOADING


async def test_what_is_no_image_is_refused_and_gone(uploading: Uploading, jpeg: bytes) -> None:
    nothing = await uploading.traces()
    for body, error in ((b"GIF89a" + bytes(100), TypeMismatch), (jpeg[: len(jpeg) // 2], BadImage)):
        client = await begun(uploading, len(body))
        with pytest.raises(error):
            await client.send(body, 0)
        for ask in (client.look, lambda client=client, body=body: client.send(b"", len(body))):
            with pytest.raises(error):
                await ask()
        rejection = (await client.row()).rejection
        assert rejection is not None
        assert rejection.code == error.code
    assert await uploading.traces() == nothing == Traces()
    assert await growing(uploading) == []


async def test_an_empty_file_is_refused(uploading: Uploading) -> None:
    with pytest.raises(EmptyFile):
        await begun(uploading, 0)
    client = await begun(uploading, None, completes_itself=False)
    with pytest.raises(EmptyFile):
        await client.send(b"", 0, announced=0, completes=True)
    assert (await client.row()).state is UploadState.REJECTED
    deferred = await begun(uploading, None)
    with pytest.raises(EmptyFile):
        await deferred.send(b"", 0, length=0)
    assert await growing(uploading) == []


async def test_nobody_else_gets_at_it(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    resumable = client.service
    for who, error in ((STRANGER, NotFound), (Principal.anonymous(), Unauthenticated)):
        with pytest.raises(error):
            await resumable.look(who, client.session.id)
        with pytest.raises(error):
            await resumable.append(who, client.session.id, bytes_chunks(jpeg), Piece(0))
        with pytest.raises(error):
            await resumable.concatenate(
                who, [client.session.id], filename="a.jpg", content_type=None, wire_concatenation="final;"
            )
        with pytest.raises(error):
            await uploading.service.cancel(who, client.session.id)
    with pytest.raises(Unauthenticated):
        await resumable.create(Principal.anonymous(), filename="a.jpg", content_type=None, size=1)
    assert (await client.look()).received == 0


async def test_other_transports_are_not_found_here(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    with pytest.raises(NotFound):
        await uploading.service.resumable.look(uploading.me, session.id)


async def test_a_store_that_cannot_append_takes_none(uploading: Uploading) -> None:
    elsewhere = uploading.having(store=RemoteStore(uploading.library.store))
    with pytest.raises(NotFound):
        await begun(elsewhere, 10)
    assert await elsewhere.service.resumable.sweep() == 0


# --- limits --------------------------------------------------------------------------------------------------


async def test_no_more_comes_than_the_policy_allows(uploading: Uploading, jpeg: bytes) -> None:
    small = uploading.having(policy=UploadPolicy(max_size=300))
    with pytest.raises(TooLarge):
        await begun(small, 301)
    client = await begun(small, None)
    await client.send(jpeg[:200], 0)
    with pytest.raises(TooLarge):
        await client.send(jpeg[200:400], 200)
    with pytest.raises(TooLarge):
        await client.send(b"", 200, length=301)
    assert (await client.look()).received == 200


async def test_storage_is_counted_while_bytes_arrive(uploading: Uploading, jpeg: bytes) -> None:
    tight = uploading.having(policy=UploadPolicy(storage_limit=500))
    client = await begun(tight, None)
    await client.send(jpeg[:300], 0)
    with pytest.raises(QuotaExceeded):
        await begun(tight, 201)
    with pytest.raises(QuotaExceeded):
        await client.send(jpeg[300:600], 300)
    with pytest.raises(QuotaExceeded):
        await client.send(b"", 300, length=501)
    assert (await client.send(jpeg[300:500], 300)).received == 500


# --- the end of a session -------------------------------------------------------------------------------------


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


# --- concatenation -------------------------------------------------------------------------------------------


async def partial(uploading: Uploading, data: bytes) -> UploadSession:
    client = await begun(uploading, len(data), filename=None, content_type=None, concatenation=Concatenation.PARTIAL)
    done = await client.send(data, 0)
    assert (done.state, done.image_id) == (UploadState.UPLOADED, None)
    return done


async def concatenated(uploading: Uploading, *parts: UploadSession) -> UploadSession:
    return await uploading.service.resumable.concatenate(
        uploading.me,
        [part.id for part in parts],
        filename="tram.jpg",
        content_type="image/jpeg",
        wire_concatenation="final;/a /b",
    )


async def test_partial_uploads_become_one(uploading: Uploading, jpeg: bytes) -> None:
    policy = UploadPolicy(storage_limit=len(jpeg))  # no byte counts twice
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
