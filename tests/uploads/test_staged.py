"""Files that wait to be attached to a row of the application."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import uuid4

import anyio.to_thread
import asyncpg
import pytest
from asyncpg.transaction import Transaction
from tests.support.uploads import Traces, Uploading

from imagegallery.access.audience import Visibility
from imagegallery.database.connection import Connection
from imagegallery.errors import (
    AlreadyUsed,
    BadImage,
    Forbidden,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    QuotaExceeded,
    TypeMismatch,
    Unauthenticated,
    UploadEnded,
    UploadExpired,
)
from imagegallery.events import records as events
from imagegallery.principal import Principal
from imagegallery.uploads.session.policy import UploadPolicy, Verify

BEN = Principal.user("ben")
A_DAY = timedelta(days=1)


@pytest.fixture
async def host(database_dsn: str) -> AsyncIterator[Connection]:
    """A connection of an application, which has a table of items with a picture."""
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("CREATE TABLE items (name text, image_id uuid REFERENCES images)")
    yield connection
    await connection.close()


async def begin(host: Connection) -> Transaction:
    transaction = host.transaction()
    await transaction.start()
    return transaction


async def insert_item(host: Connection, image_id: object) -> None:
    await host.execute("INSERT INTO items VALUES ('Bike', $1)", image_id)


async def test_a_staged_file_becomes_an_image_when_the_application_commits(
    uploading: Uploading, host: Connection, jpeg: bytes
) -> None:
    gallery = await uploading.gallery()
    staged = await uploading.service.stage(uploading.me, jpeg, filename="tram.jpg")
    assert (staged.filename, staged.content_type, staged.size) == ("tram.jpg", "image/jpeg", len(jpeg))
    assert (staged.width, staged.height, staged.sha256) == (40, 30, hashlib.sha256(jpeg).digest())
    assert staged.expires_at == uploading.clock() + A_DAY
    assert (await uploading.service.room(uploading.me)).awaited == len(jpeg)
    before = await uploading.traces()
    assert before == Traces(objects=before.objects)

    transaction = await begin(host)
    image = await staged.attach(
        host, gallery_id=gallery.id, alt_text="A tram", meta={"item": 7}, visibility=Visibility.UNLISTED
    )
    await insert_item(host, image.id)
    with pytest.raises(NotFound):
        await uploading.library.images.get(uploading.me, image.id)
    await transaction.commit()

    there = await uploading.library.images.get(uploading.me, image.id)
    assert there == image
    assert (there.alt_text, there.meta, there.visibility) == ("A tram", {"item": 7}, Visibility.UNLISTED)
    assert (there.width, there.height, there.sha256) == (40, 30, staged.sha256)
    assert there.metadata is not None
    assert (there.metadata.make, there.taken_at.year) == ("Trambahn", 2024)
    assert there.latitude == pytest.approx(38.71)
    assert await uploading.traces() == Traces(
        images=1, memberships=1, counted=1, jobs=1, storage_used=len(jpeg), objects=(there.original_key,)
    )
    assert (await uploading.library.images.unattached(uploading.me)).items == ()
    assert (await uploading.service.room(uploading.me)).awaited == 0
    async with uploading.library.database.connection() as connection:
        told = await connection.fetch("SELECT type FROM events WHERE data ->> 'image_id' = $1", str(image.id))
    assert [row["type"] for row in told] == ["image.uploaded"]


async def test_after_a_rollback_it_can_be_attached_again(uploading: Uploading, host: Connection, jpeg: bytes) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    before = await uploading.traces()
    for _ in range(2):
        transaction = await begin(host)
        await staged.attach(host)
        await transaction.rollback()
        assert await uploading.traces() == before
    async with host.transaction():
        image = await staged.attach(host)
    assert (await uploading.traces()).objects == before.objects == (image.original_key,)


async def test_it_is_attached_once(uploading: Uploading, host: Connection, jpeg: bytes) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    async with host.transaction():
        image = await staged.attach(host)
        with pytest.raises(AlreadyUsed) as refused:
            await staged.attach(host)
        assert refused.value.details == {"image_id": str(image.id)}
        await insert_item(host, image.id)
    found = await uploading.service.staged(uploading.me, staged.id)
    assert found.image_id == image.id
    with pytest.raises(AlreadyUsed):
        await found.attach()
    assert (await uploading.traces()).images == 1


async def test_of_two_who_attach_it_at_once_the_second_waits_for_the_first(
    uploading: Uploading, host: Connection, jpeg: bytes
) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    outcomes = []

    async def attach() -> None:
        try:
            await staged.attach()
        except AlreadyUsed:
            outcomes.append("too late")
        else:
            outcomes.append("attached")

    for ends in ("rollback", "commit"):
        transaction = await begin(host)
        held = await staged.attach(host) if not outcomes else None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(attach)
            await (transaction.rollback() if ends == "rollback" else transaction.commit())
        assert held is None or outcomes == ["attached"]
    assert outcomes == ["attached", "too late"]


async def test_it_is_its_owners_alone(uploading: Uploading, jpeg: bytes) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    for staged_id in (staged.id, uuid4()):
        with pytest.raises(NotFound, match=r"There is no such upload\."):
            await uploading.service.staged(BEN, staged_id)
    with pytest.raises(Unauthenticated):
        await uploading.service.staged(Principal.anonymous(), staged.id)
    with pytest.raises(Unauthenticated):
        await uploading.service.stage(Principal.anonymous(), jpeg)


async def test_an_upload_that_was_not_staged_is_none(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    with pytest.raises(NotFound):
        await uploading.service.staged(uploading.me, session.id)


async def test_a_form_carries_its_id_over_a_mistake(uploading: Uploading, host: Connection, jpeg: bytes) -> None:
    first = await uploading.service.stage(uploading.me, jpeg, filename="tram.jpg")
    again = await uploading.service.staged(uploading.me, first.id)
    assert again == first
    async with host.transaction():
        assert (await again.attach(host)).filename == "tram.jpg"


async def test_what_nobody_attaches_is_swept_after_a_day(uploading: Uploading, jpeg: bytes) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    uploading.clock.advance(A_DAY - timedelta(seconds=1))
    assert await uploading.service.sweep() == 0
    assert len(await uploading.objects()) == 1
    uploading.clock.advance(timedelta(seconds=1))
    with pytest.raises(UploadExpired):
        await staged.attach()
    assert await uploading.service.sweep() == 1
    assert await uploading.traces() == Traces()
    with pytest.raises(UploadExpired):
        await staged.attach()
    uploading.clock.advance(uploading.policy.session_retention)
    await uploading.service.sweep()
    with pytest.raises(NotFound):
        await staged.attach()


async def test_the_sweeper_leaves_what_a_transaction_is_attaching(
    uploading: Uploading, host: Connection, jpeg: bytes
) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    transaction = await begin(host)
    image = await staged.attach(host)
    uploading.clock.advance(A_DAY)
    assert await uploading.service.sweep() == 0
    await transaction.commit()
    assert await uploading.service.sweep() == 0
    assert await uploading.objects() == [image.original_key]


async def test_it_can_be_given_up(uploading: Uploading, jpeg: bytes) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    await uploading.service.cancel(uploading.me, staged.id)
    assert await uploading.traces() == Traces()
    with pytest.raises(UploadEnded):
        await staged.attach()


@pytest.mark.parametrize(
    ("data", "error"), [(b"no picture", TypeMismatch), (b"\xff\xd8\xff\xe0 but cut off", BadImage)]
)
async def test_what_is_no_picture_leaves_nothing(uploading: Uploading, data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        await uploading.service.stage(uploading.me, data, content_type="image/jpeg")
    assert await uploading.traces() == Traces()


async def test_the_owners_room_is_taken_from_the_start(uploading: Uploading, jpeg: bytes) -> None:
    small = uploading.having(policy=UploadPolicy(storage_limit=len(jpeg)))
    staged = await small.service.stage(small.me, jpeg)
    with pytest.raises(QuotaExceeded):
        await small.service.stage(small.me, jpeg)
    await staged.attach()
    with pytest.raises(QuotaExceeded):
        await small.service.stage(small.me, jpeg)


async def test_the_same_bytes_are_another_image_and_stored_once(
    uploading: Uploading, host: Connection, jpeg: bytes
) -> None:
    """Each row has its own, which goes with it."""
    first = await (await uploading.service.stage(uploading.me, jpeg)).attach()
    staged = await uploading.service.stage(uploading.me, jpeg)
    async with host.transaction():
        second = await staged.attach(host)
    assert second.id != first.id
    assert second.original_key == first.original_key
    assert (await uploading.traces()).storage_used == len(jpeg)
    uploading.clock.advance(A_DAY + uploading.policy.session_retention)
    await uploading.service.sweep()
    assert await uploading.objects() == [first.original_key]


async def test_if_the_others_bytes_are_lost_a_rollback_still_leaves_its_own(
    uploading: Uploading, host: Connection, jpeg: bytes
) -> None:
    first = await (await uploading.service.stage(uploading.me, jpeg)).attach()
    await uploading.library.store.delete(first.original_key)
    staged = await uploading.service.stage(uploading.me, jpeg)
    before = await uploading.objects()
    transaction = await begin(host)
    await staged.attach(host)
    await transaction.rollback()
    assert await uploading.objects() == before
    second = await staged.attach()
    assert await uploading.objects() == [second.original_key]


async def test_a_file_that_nobody_has_read_keeps_no_application_waiting(uploading: Uploading, jpeg: bytes) -> None:
    """Of the other file of this size only the head was looked at: to compare them it would have to be read."""
    unread = uploading.without_files().having(policy=UploadPolicy(verify=Verify.HEAD))
    session = await uploading.uploaded(jpeg + b"\0" * 200_000)
    first = await unread.service.complete(uploading.me, session.id)
    assert first.sha256 is None
    staged = await uploading.service.stage(uploading.me, jpeg + b"\1" * 200_000)
    second = await staged.attach()
    assert second.original_key != first.original_key


async def test_a_remote_store_is_staged_in_by_its_head(uploading: Uploading, jpeg: bytes) -> None:
    remote = uploading.without_files().having(policy=UploadPolicy(verify=Verify.HEAD))
    staged = await remote.service.stage(remote.me, jpeg + b"\0" * 200_000)
    image = await staged.attach()
    assert (image.width, image.sha256) == (40, staged.sha256)


async def test_a_repetition_with_a_key_is_the_same(
    uploading: Uploading, jpeg: bytes, encode: Callable[..., bytes]
) -> None:
    stage = uploading.service.stage
    first = await stage(uploading.me, jpeg, filename="tram.jpg", idempotency_key="k")
    assert await stage(uploading.me, jpeg, filename="tram.jpg", idempotency_key="k") == first
    with pytest.raises(IdempotencyKeyReused):
        await stage(uploading.me, encode("JPEG"), filename="tram.jpg", idempotency_key="k")
    image = await first.attach()
    assert (await stage(uploading.me, jpeg, filename="tram.jpg", idempotency_key="k")).image_id == image.id
    uploading.clock.advance(A_DAY)
    other = await stage(uploading.me, jpeg, filename="tram.jpg", idempotency_key="another")
    uploading.clock.advance(A_DAY)
    anew = await stage(uploading.me, jpeg, filename="tram.jpg", idempotency_key="another")
    assert (anew.id, anew.image_id) == (other.id, None)
    assert anew.expires_at == uploading.clock() + A_DAY


async def test_a_gallery_takes_it_only_from_its_owner(uploading: Uploading, host: Connection, jpeg: bytes) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    private, public = await uploading.gallery(BEN), await uploading.gallery(BEN, "public")
    before = await uploading.traces()
    async with host.transaction():
        with pytest.raises(NotFound):
            await staged.attach(host, gallery_id=private.id)
        with pytest.raises(Forbidden):
            await staged.attach(host, gallery_id=public.id)
        with pytest.raises(InvalidInput) as refused:
            await staged.attach(host, alt_text="x" * 501, visibility="loud")  # type: ignore[arg-type]
        assert [fault.path for fault in refused.value.faults] == [("body", "alt_text"), ("body", "visibility")]
        await insert_item(host, None)
    assert await uploading.traces() == before
    assert await host.fetchval("SELECT count(*) FROM items") == 1


async def test_a_gallery_that_the_same_transaction_makes(uploading: Uploading, host: Connection, jpeg: bytes) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    async with host.transaction():
        gallery = await uploading.library.galleries.create(uploading.me, name="Bike", connection=host)
        image = await staged.attach(host, gallery_id=gallery.id)
    seen = await uploading.library.galleries.get(uploading.me, gallery.id)
    assert (seen.image_count, seen.cover and seen.cover.id) == (1, image.id)


async def test_a_connection_without_a_transaction_attaches_nothing(
    uploading: Uploading, host: Connection, jpeg: bytes
) -> None:
    staged = await uploading.service.stage(uploading.me, jpeg)
    with pytest.raises(InvalidInput, match="in no transaction"):
        await staged.attach(host)
    assert (await uploading.traces()).images == 0


async def test_the_commit_wakes_a_worker_and_those_who_hear_events(
    uploading: Uploading, host: Connection, jpeg: bytes
) -> None:
    """Nobody of us is there when the application commits: what is to be told rides on the transaction."""
    staged = await uploading.service.stage(uploading.me, jpeg)
    database = uploading.library.database
    async with database.listen("imagegallery_jobs") as jobs, database.listen(events.CHANNEL) as told:
        transaction = await begin(host)
        await staged.attach(host)
        assert not await jobs.wait(timedelta(0))
        await transaction.commit()
        assert await jobs.wait(timedelta(seconds=30))
        assert await told.wait(timedelta(seconds=30))


async def test_another_event_loop_has_no_part_in_it(uploading: Uploading, jpeg: bytes) -> None:
    """What was staged before a loop closed is attached by the gallery of the next one, by its id."""
    staged = await uploading.service.stage(uploading.me, jpeg)
    with pytest.raises(RuntimeError, match="opened in another event loop"):
        await anyio.to_thread.run_sync(lambda: anyio.run(staged.attach))
    again = uploading.having()
    assert (await (await again.service.staged(again.me, staged.id)).attach()).width == 40
