"""What resumable uploads refuse, and that nothing of it is left."""

import hashlib

import pytest
from tests.support.uploads import RemoteStore, Traces, Uploading
from tests.uploads.resumable.client import STRANGER, BrokenOff, begun, broken_off, growing

from imagegallery.errors import (
    BadImage,
    ChunkMismatch,
    EmptyFile,
    LengthMismatch,
    NotFound,
    QuotaExceeded,
    TooLarge,
    TypeMismatch,
    Unauthenticated,
)
from imagegallery.principal import Principal
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.resumable.rules import UploadChecksum, UploadPiece
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadState

# --- bad input -----------------------------------------------------------------------------------------------


async def test_a_piece_with_the_wrong_checksum_leaves_no_byte(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    right = UploadChecksum("sha1", hashlib.sha1(jpeg[:100], usedforsecurity=False).digest())
    assert (await client.send(jpeg[:100], 0, checksums=(right,))).received == 100
    for wrong in (right, UploadChecksum("sha256", b""), UploadChecksum("sha512", bytes(64))):
        with pytest.raises(ChunkMismatch):
            await client.send(jpeg[100:], 100, checksums=(wrong,))
        assert (await client.look()).received == 100
    sha512 = UploadChecksum("sha512", hashlib.sha512(jpeg[100:]).digest())
    assert (await client.send(jpeg[100:], 100, checksums=(sha512,))).image_id
    assert (await uploading.traces()).temporary_files == ()


async def test_a_checked_piece_that_breaks_off_leaves_no_byte(uploading: Uploading, jpeg: bytes) -> None:
    client = await begun(uploading, len(jpeg))
    piece = UploadPiece(0, checksums=(UploadChecksum("sha1", bytes(20)),))
    with pytest.raises(BrokenOff):
        await client.service.append(uploading.me, client.session.id, broken_off(jpeg), piece)
    assert (await client.look()).received == 0


@pytest.mark.parametrize("announced", [None, 201])
@pytest.mark.parametrize("checked", [False, True])
async def test_more_than_was_said_leaves_no_byte(
    announced: int | None, checked: bool, uploading: Uploading, jpeg: bytes
) -> None:
    checksums = (UploadChecksum("sha1", hashlib.sha1(jpeg[:201], usedforsecurity=False).digest()),) if checked else ()
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
    for body, error in ((b"<svg/>" + bytes(100), TypeMismatch), (jpeg[:500], BadImage)):
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
            await resumable.append(who, client.session.id, bytes_chunks(jpeg), UploadPiece(0))
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
        await uploading.service.server.resumable.look(uploading.me, session.id)


async def test_a_store_that_cannot_append_takes_none(uploading: Uploading) -> None:
    elsewhere = uploading.having(store=RemoteStore(uploading.library.store))
    with pytest.raises(NotFound):
        await begun(elsewhere, 10)
    assert await elsewhere.service.server.resumable.sweep() == 0


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
    assert (await client.send(jpeg[300:500], 300)).received == 500


@pytest.mark.parametrize("length", [None, 501])
async def test_an_upload_that_is_refused_for_want_of_room_holds_none(
    uploading: Uploading, jpeg: bytes, length: int | None
) -> None:
    tight = uploading.having(policy=UploadPolicy(storage_limit=500))
    client = await begun(tight, None)
    await client.send(jpeg[:300], 0)
    with pytest.raises(QuotaExceeded):
        await client.send(b"" if length else jpeg[300:600], 300, length=length)
    room = await tight.service.room(uploading.me)
    assert (room.awaited, room.open) == (0, 0)
    assert await uploading.traces() == Traces()
    await begun(tight, 500)
