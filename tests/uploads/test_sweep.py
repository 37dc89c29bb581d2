"""Sessions nobody finished, and the rows of those that are over."""

from datetime import timedelta
from uuid import UUID, uuid4

import anyio
import pytest
from tests.support.database import explain
from tests.support.uploads import Traces, Uploading

from imagegallery.errors import NotFound, UploadEnded, UploadExpired
from imagegallery.storage.keys import INCOMING_PREFIX
from imagegallery.storage.protocol import ObjectStore
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads import sweep as sweeping
from imagegallery.uploads.session import records
from imagegallery.uploads.session.end import delete_objects
from imagegallery.uploads.session.policy import UploadPolicy
from imagegallery.uploads.session.session import UploadSession, UploadState

NOTHING = Traces()
LIFETIME = timedelta(hours=1)
RETENTION = timedelta(days=1)
TICK = timedelta(microseconds=1)

MANY_SESSIONS = """
INSERT INTO upload_sessions (
    id, owner_id, transport, state, incoming_key, key_prefix, filename, content_type, declared_size, image_id,
    created_at, updated_at, expires_at
)
SELECT gen_random_uuid(), 'owner ' || n % 400, 'simple', CASE WHEN n % 2 = 0 THEN 'pending' ELSE 'completed' END,
       'incoming/' || n, 'p/' || n, 'a', 'image/png', 1, gen_random_uuid(),
       $1, $1, $1::timestamptz + n * interval '1 second'
FROM generate_series(1, 4000) AS n"""


async def begun(uploading: Uploading) -> UUID:
    session = await uploading.service.create(uploading.me, filename="a", content_type="image/jpeg", size=9)
    return session.id


async def test_a_session_over_time_ends_and_its_bytes_go(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    uploading.clock.advance(LIFETIME - TICK)
    assert await uploading.service.sweep() == 0
    assert await uploading.objects() == [session.incoming_key]
    uploading.clock.advance(TICK)
    assert await uploading.service.sweep() == 1
    assert await uploading.service.sweep() == 0
    assert await uploading.traces() == NOTHING
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.EXPIRED
    with pytest.raises(UploadExpired):
        await uploading.service.complete(uploading.me, session.id)


async def test_over_time_is_over_before_the_sweeper_comes(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    uploading.clock.advance(LIFETIME)
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.EXPIRED
    with pytest.raises(UploadExpired):
        await uploading.service.complete(uploading.me, session.id)
    with pytest.raises(UploadExpired):
        await uploading.service.server.receive(uploading.me, session.id, bytes_chunks(jpeg))
    await uploading.service.cancel(uploading.me, session.id)
    assert await uploading.traces() == NOTHING


async def test_a_cancelled_session_is_over_however_often(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    for _ in range(2):
        await uploading.service.cancel(uploading.me, session.id)
    assert await uploading.traces() == NOTHING
    with pytest.raises(UploadEnded):
        await uploading.service.complete(uploading.me, session.id)
    with pytest.raises(UploadEnded):
        await uploading.service.server.receive(uploading.me, session.id, bytes_chunks(jpeg))


async def test_many_are_swept_in_batches_by_several_at_once(
    uploading: Uploading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    for _ in range(7):
        await begun(uploading)
    uploading.clock.advance(LIFETIME)
    swept: list[int] = []

    async def sweep() -> None:
        swept.append(await uploading.having().service.sweep())

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(sweep)
    assert sum(swept) == 7


async def test_ended_sessions_are_forgotten_after_their_retention(uploading: Uploading, jpeg: bytes) -> None:
    completed = await uploading.uploaded(jpeg)
    image = await uploading.service.complete(uploading.me, completed.id)
    cancelled = await begun(uploading)
    await uploading.service.cancel(uploading.me, cancelled)

    uploading.clock.advance(LIFETIME + RETENTION - TICK)
    await uploading.service.sweep()
    assert (await uploading.service.complete(uploading.me, completed.id)).id == image.id
    uploading.clock.advance(TICK)
    await uploading.service.sweep()
    for session_id in (completed.id, cancelled):
        with pytest.raises(NotFound):
            await uploading.service.get(uploading.me, session_id)
    assert await uploading.objects() == [image.original_key]
    assert (await uploading.library.images.get(uploading.me, image.id)).id == image.id


async def test_a_slow_sweeper_does_not_forget_a_session_that_is_open_again(uploading: Uploading) -> None:
    session_id = await begun(uploading)
    async with uploading.library.database.connection() as connection:
        await records.delete(connection, [session_id])
    assert (await uploading.service.get(uploading.me, session_id)).state is UploadState.PENDING


async def test_bytes_that_come_after_the_end_go_with_the_row(uploading: Uploading, jpeg: bytes) -> None:
    """The client still holds its URL, and the place it writes to is free again."""
    session = await uploading.uploaded(jpeg)
    image = await uploading.service.complete(uploading.me, session.id)
    await uploading.send(session.request, jpeg)
    uploading.clock.advance(LIFETIME + RETENTION)
    await uploading.service.sweep()
    assert await uploading.objects() == [image.original_key]


async def test_bytes_that_come_after_the_end_do_not_stay_as_long_as_the_row(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    image = await uploading.service.complete(uploading.me, session.id)
    await uploading.send(session.request, jpeg)
    uploading.clock.advance(LIFETIME)
    await uploading.service.sweep()
    assert await uploading.objects() == sorted([image.original_key, session.incoming_key])
    uploading.clock.advance(TICK)
    await uploading.service.sweep()
    assert await uploading.objects() == [image.original_key]


async def test_bytes_that_come_after_the_row_is_gone_go_too(uploading: Uploading, jpeg: bytes) -> None:
    stray = f"{INCOMING_PREFIX}{uuid4()}"
    await uploading.library.store.put(stray, bytes_chunks(jpeg), content_type="image/jpeg")
    uploading.clock.advance(LIFETIME)
    waiting = await uploading.uploaded(jpeg)
    uploading.clock.advance(TICK)
    await uploading.service.sweep()
    assert await uploading.objects() == [waiting.incoming_key]


async def test_old_bytes_of_an_open_session_stay(uploading: Uploading, jpeg: bytes) -> None:
    longer = uploading.having(policy=UploadPolicy(session_lifetime=2 * LIFETIME))
    session = await longer.uploaded(jpeg)
    uploading.clock.advance(LIFETIME + TICK)
    await uploading.service.sweep()
    assert await uploading.objects() == [session.incoming_key]


async def test_a_session_that_cannot_go_keeps_no_other(
    uploading: Uploading, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application refers to one; the store does not delete what is left of another."""
    monkeypatch.setattr(sweeping, "BATCH", 3)
    sessions = [await uploading.uploaded(jpeg) for _ in range(5)]
    referred, stuck = sessions[0].id, sessions[1].id
    async with uploading.library.database.connection() as connection:
        await connection.execute("CREATE TABLE letters (session_id uuid REFERENCES upload_sessions)")
        await connection.execute("INSERT INTO letters VALUES ($1)", referred)

    async def deny(store: ObjectStore, session: UploadSession) -> None:
        if session.id == stuck:
            raise PermissionError("It is under a legal hold.")
        await delete_objects(store, session)

    uploading.clock.advance(LIFETIME + RETENTION)
    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "delete_objects", deny)
        await uploading.service.sweep()
    assert await kept(uploading) == {referred, stuck}
    async with uploading.library.database.connection() as connection:
        await connection.execute("DELETE FROM letters")
    await uploading.service.sweep()
    assert await kept(uploading) == {referred}, "it waits for a while"
    uploading.clock.advance(sweeping.FORGET_AGAIN)
    await uploading.service.sweep()
    assert await kept(uploading) == set()


async def kept(uploading: Uploading) -> set[UUID]:
    async with uploading.library.database.connection() as connection:
        return {row["id"] for row in await connection.fetch("SELECT id FROM upload_sessions")}


async def test_questions_about_sessions_are_answered_by_an_index(uploading: Uploading) -> None:
    now = uploading.clock()
    async with uploading.library.database.connection() as connection:
        await connection.execute(MANY_SESSIONS, now)
        await connection.execute("ANALYZE upload_sessions")
        assert "upload_sessions_open" in await explain(connection, records.EXPIRE, now + timedelta(seconds=9), 10)
        old = await explain(connection, records.SELECT_OLD, now + timedelta(seconds=9), now, UUID(int=0), 10)
        assert "upload_sessions_ended" in old
        by_key = await explain(connection, records.FIND_BY_INCOMING_KEY, "incoming/7")
        assert "upload_sessions_by_incoming_key" in by_key
        awaited = await explain(connection, records.ROOM, "owner 2", now, None)
        assert "upload_sessions_awaited" in awaited
