"""How uploads in parts end, and that nothing of them is left."""

from datetime import timedelta

import pytest
from tests.support.uploads import Uploading
from tests.uploads.multipart.sending import NOTHING, begun, left, sent, unfinished

from imagegallery.errors import (
    BadImage,
    ChecksumMismatch,
    QuotaExceeded,
    TooLarge,
    UploadEnded,
    UploadExpired,
)
from imagegallery.uploads.session.policy import UploadPolicy


async def test_what_is_no_picture_leaves_nothing(uploading: Uploading) -> None:
    noise = b"\xff\xd8\xff\xe0" + bytes(2_000)
    session = await begun(uploading, noise)
    await sent(uploading, session, noise)
    with pytest.raises(BadImage):
        await uploading.service.complete(uploading.me, session.id)
    assert await left(uploading) == (NOTHING, [])


async def test_another_checksum_leaves_nothing(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture, sha256=bytes(32))
    await sent(uploading, session, picture)
    with pytest.raises(ChecksumMismatch):
        await uploading.service.complete(uploading.me, session.id)
    assert await left(uploading) == (NOTHING, [])


async def test_cancelling_forgets_the_parts(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    await sent(uploading, session, picture)
    assert len(await unfinished(uploading)) == 1
    await uploading.service.cancel(uploading.me, session.id)
    assert await left(uploading) == (NOTHING, [])
    with pytest.raises(UploadEnded):
        await uploading.service.parts.sign(uploading.me, session.id, [1])
    with pytest.raises(UploadEnded):
        await uploading.service.complete(uploading.me, session.id)


async def test_running_out_of_time_forgets_the_parts(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    await sent(uploading, session, picture)
    uploading.clock.advance(timedelta(hours=1))
    with pytest.raises(UploadExpired):
        await uploading.service.complete(uploading.me, session.id)
    assert await uploading.service.sweep() == 1
    assert await left(uploading) == (NOTHING, [])


async def test_parts_that_no_session_knows_of_are_swept(uploading: Uploading) -> None:
    """Whoever began them was killed before the row could say so."""
    store = uploading.library.store
    await store.create_multipart("incoming/forgotten", content_type="image/jpeg")
    await uploading.service.sweep()
    assert len(await unfinished(uploading)) == 1
    uploading.clock.advance(timedelta(hours=1, seconds=1))
    await uploading.service.sweep()
    assert await unfinished(uploading) == []


async def test_parts_on_their_way_take_room(uploading: Uploading, picture: bytes) -> None:
    limited = uploading.having(policy=UploadPolicy(parts_threshold=1_000, storage_limit=len(picture) * 3 // 2))
    session = await begun(limited, picture)
    with pytest.raises(QuotaExceeded):
        await begun(limited, picture)
    await limited.service.cancel(uploading.me, session.id)
    await begun(limited, picture)


async def test_parts_that_the_client_cuts_take_no_more_room_than_there_is(uploading: Uploading, picture: bytes) -> None:
    """Nobody said how large the file is: what arrives is counted."""
    limited = uploading.having(policy=UploadPolicy(storage_limit=len(picture) + 10))
    session = await limited.service.parts.begin(uploading.me, filename="tram.jpg", content_type="image/jpeg")
    first, second = await limited.service.parts.sign(uploading.me, session.id, [1, 2])
    await limited.send_part(first, picture)
    with pytest.raises(TooLarge):
        await limited.send_part(second, bytes(11))
    assert (await limited.service.parts.complete(uploading.me, session.id)).file_size == len(picture)
    full = uploading.having(policy=UploadPolicy(storage_limit=len(picture)))
    with pytest.raises(QuotaExceeded):
        await full.service.parts.begin(uploading.me, filename="tram.jpg", content_type="image/jpeg")
    assert (await full.service.room(uploading.me)).open == 0


async def test_what_a_signed_url_may_bring_is_kept_for_it(uploading: Uploading) -> None:
    """Two uploads of sizes that nobody said are not promised the same room; one that is given up gives it back."""
    limited = uploading.having(policy=UploadPolicy(storage_limit=100, max_size=80))
    service, me = limited.service, uploading.me
    first = await service.parts.begin(me, filename="tram.jpg", content_type="image/jpeg")
    assert first.reserved == 80
    second = await service.server.create_in_one_request(me, filename="tram.jpg", content_type="image/jpeg")
    assert second.reserved == 20
    room = await service.room(me)
    assert (room.used, room.limit, room.awaited, room.open) == (0, 100, 100, 2)
    with pytest.raises(QuotaExceeded):
        await service.create(me, size=1, filename="tram.jpg", content_type="image/jpeg")
    assert [each.id for each in (await service.list(me, limit=1)).items] == [second.id]
    await service.cancel(me, first.id)
    assert [each.id for each in (await service.list(me)).items] == [second.id]
    assert (await service.parts.begin(me, filename="tram.jpg", content_type="image/jpeg")).reserved == 80
