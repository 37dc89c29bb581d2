"""Files that go up in parts: in any order, again after a failure, and nothing left of those that become nothing."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import (
    BadImage,
    ChecksumMismatch,
    InvalidInput,
    NotFound,
    PartMismatch,
    QuotaExceeded,
    SizeMismatch,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UploadEnded,
    UploadExpired,
    UploadIncomplete,
)
from imagegallery.principal import Principal
from imagegallery.queue.job import NewJob
from imagegallery.storage.filesystem import FilesystemStore
from imagegallery.storage.protocol import ObjectInfo, Part, PartLimits
from imagegallery.storage.signing import UrlSigner
from imagegallery.testing.clock import ManualClock
from imagegallery.testing.uploading import Traces, Uploading
from imagegallery.uploads.part_plan import ClaimedPart, PartPlan, SignedPart
from imagegallery.uploads.policy import UploadPolicy
from imagegallery.uploads.session import Transport, UploadSession, UploadState

NOTHING = Traces()
PART = 300
POLICY = UploadPolicy(parts_threshold=1_000, part_size=PART)


@pytest.fixture
async def uploading(database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Uploading]:
    """A service that takes anything beyond 1,000 bytes in parts of 300."""
    async with Uploading.on(database, tmp_path, clock) as uploading:
        yield uploading.having(policy=POLICY)


@pytest.fixture
def picture(encode: Callable[..., bytes]) -> bytes:
    """Some parts long, the last shorter than the others."""
    picture = encode("JPEG", (80, 60))
    assert len(picture) > 4 * PART
    assert len(picture) % PART
    return picture


async def begun(uploading: Uploading, picture: bytes, *, sha256: bytes | None = None) -> UploadSession:
    return await uploading.service.create(
        uploading.me, filename="tram.jpg", content_type="image/jpeg", size=len(picture), sha256=sha256
    )


def cut(picture: bytes, part: SignedPart) -> bytes:
    return picture[(part.number - 1) * PART :][: part.size]


async def sent(uploading: Uploading, session: UploadSession, picture: bytes) -> list[ClaimedPart]:
    """All parts, last first; answers them in order."""
    etags = {part.number: await uploading.send_part(part, cut(picture, part)) for part in session.part_requests[::-1]}
    return [ClaimedPart(number, etags[number]) for number in sorted(etags)]


async def unfinished(uploading: Uploading) -> list[str]:
    return await anyio.to_thread.run_sync(uploading.unfinished)


async def left(uploading: Uploading) -> tuple[Traces, list[str]]:
    return await uploading.traces(), await unfinished(uploading)


async def test_a_small_file_goes_in_one_request(uploading: Uploading) -> None:
    session = await begun(uploading, bytes(POLICY.parts_threshold))
    assert (session.transport, session.part_plan, session.part_requests) == (Transport.SIMPLE, None, ())
    assert session.request is not None


async def test_a_large_file_is_planned_in_equal_parts(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    assert (session.transport, session.request) == (Transport.PARTS, None)
    assert session.part_plan == PartPlan(len(picture), PART)
    sizes = [part.size for part in session.part_requests]
    assert sizes == [PART] * (len(picture) // PART) + [len(picture) % PART]
    assert {part.expires_at for part in session.part_requests} == {session.expires_at}


async def test_of_a_very_large_file_the_first_hundred_parts_are_signed(uploading: Uploading) -> None:
    session = await begun(uploading, bytes(PART * 150))
    assert [part.number for part in session.part_requests] == list(range(1, 101))
    (last,) = await uploading.service.parts.sign(uploading.me, session.id, [150])
    assert (last.number, last.size) == (150, PART)


async def test_parts_in_any_order_become_an_image(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture, sha256=hashlib.sha256(picture).digest())
    await uploading.send_part(session.part_requests[1], b"a first attempt that broke off")
    claimed = await sent(uploading, session, picture)
    stored = await uploading.service.parts.list(uploading.me, session.id)
    assert [ClaimedPart(part.number, part.etag) for part in stored] == claimed
    image = await uploading.service.parts.complete(uploading.me, session.id, claimed)
    assert (image.file_size, image.sha256) == (len(picture), hashlib.sha256(picture).digest())
    assert image.id == session.future_image_id
    assert await uploading.objects() == [session.original_key]
    assert await unfinished(uploading) == []


async def test_completing_twice_answers_with_the_same_image(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    claimed = await sent(uploading, session, picture)
    first = await uploading.service.complete(uploading.me, session.id)
    assert (await uploading.service.complete(uploading.me, session.id)).id == first.id
    assert (await uploading.service.parts.complete(uploading.me, session.id, claimed)).id == first.id
    assert (await uploading.traces()).images == 1
    assert list(await uploading.service.parts.list(uploading.me, session.id)) == []


async def test_several_may_complete_at_once(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    await sent(uploading, session, picture)
    ids = set()

    async def complete() -> None:
        ids.add((await uploading.service.complete(uploading.me, session.id)).id)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(complete)
    assert ids == {session.future_image_id}
    traces, parts = await left(uploading)
    assert (traces.images, traces.jobs, traces.objects, parts) == (1, 1, (session.original_key,), [])


# --- what is not right, and can be put right ---------------------------------------------------------------------


async def test_a_part_that_is_missing_can_still_come(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    *most, last = session.part_requests
    for part in most:
        await uploading.send_part(part, cut(picture, part))
    with pytest.raises(UploadIncomplete):
        await uploading.service.complete(uploading.me, session.id)
    assert (await uploading.service.get(uploading.me, session.id)).state is UploadState.PENDING
    await uploading.send_part(last, cut(picture, last))
    assert (await uploading.service.complete(uploading.me, session.id)).id == session.future_image_id


async def test_a_short_part_can_be_sent_again(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    await sent(uploading, session, picture)
    second = session.part_requests[1]
    await uploading.send_part(second, cut(picture, second)[:-1])
    with pytest.raises(PartMismatch):
        await uploading.service.complete(uploading.me, session.id)
    await uploading.send_part(second, cut(picture, second))
    assert (await uploading.service.complete(uploading.me, session.id)).id == session.future_image_id


async def test_a_part_that_is_too_long_is_not_taken(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    with pytest.raises(TooLarge):
        await uploading.send_part(session.part_requests[0], bytes(PART + 1))
    assert list(await uploading.service.parts.list(uploading.me, session.id)) == []


@pytest.mark.parametrize("wrong", ["repeated", "out of order", "another etag"])
async def test_claims_are_compared_and_the_upload_goes_on(uploading: Uploading, picture: bytes, wrong: str) -> None:
    session = await begun(uploading, picture)
    claimed = await sent(uploading, session, picture)
    refused = {
        "repeated": [claimed[0], *claimed],
        "out of order": claimed[::-1],
        "another etag": [*claimed[:-1], ClaimedPart(claimed[-1].number, claimed[0].etag)],
    }
    with pytest.raises((InvalidInput, PartMismatch)):
        await uploading.service.parts.complete(uploading.me, session.id, refused[wrong])
    assert (await uploading.service.parts.complete(uploading.me, session.id, claimed)).id == session.future_image_id


async def test_urls_can_be_renewed_for_parts_of_the_plan_alone(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    assert await uploading.service.parts.sign(uploading.me, session.id, [2, 1]) == session.part_requests[1::-1]
    for numbers in ([], [0], [len(session.part_requests) + 1], [1, 1]):
        with pytest.raises(InvalidInput):
            await uploading.service.parts.sign(uploading.me, session.id, numbers)


# --- whose it is -------------------------------------------------------------------------------------------------


async def test_an_upload_is_its_owners_alone(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    parts, eve, nobody = uploading.service.parts, Principal.user("eve"), Principal.anonymous()
    for principal, refusal in ((eve, NotFound), (nobody, Unauthenticated)):
        with pytest.raises(refusal):
            await parts.get(principal, session.id)
        with pytest.raises(refusal):
            await parts.sign(principal, session.id, [1])
        with pytest.raises(refusal):
            await parts.list(principal, session.id)
        with pytest.raises(refusal):
            await parts.complete(principal, session.id)


async def test_a_key_is_compared_and_never_trusted(uploading: Uploading, picture: bytes) -> None:
    session, other = await begun(uploading, picture), await begun(uploading, picture)
    assert (await uploading.service.parts.get(uploading.me, session.id, key=session.incoming_key)).id == session.id
    for key in (other.incoming_key, session.original_key, ""):
        with pytest.raises(NotFound):
            await uploading.service.parts.get(uploading.me, session.id, key=key)


async def test_an_upload_in_one_request_has_no_parts(uploading: Uploading) -> None:
    session = await begun(uploading, b"small")
    with pytest.raises(NotFound):
        await uploading.service.parts.sign(uploading.me, session.id, [1])


async def test_a_store_that_takes_no_parts_gets_the_file_whole(uploading: Uploading, picture: bytes) -> None:
    remote = uploading.without_files()
    assert (await begun(remote, picture)).transport is Transport.SERVICE
    with pytest.raises(NotFound):
        await remote.service.parts.begin(uploading.me, filename="a", content_type="image/jpeg")


# --- without a plan ----------------------------------------------------------------------------------------------


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
async def test_a_length_that_lies_ends_the_upload(uploading: Uploading, picture: bytes, more: int) -> None:
    session = await cut_by_the_client(uploading, picture[:500], picture[500:], size=len(picture) + more)
    for _ in range(2):
        with pytest.raises(SizeMismatch):
            await uploading.service.complete(uploading.me, session.id)
    assert await left(uploading) == (NOTHING, [])


async def test_parts_that_are_too_much_together_are_not_joined(uploading: Uploading, picture: bytes) -> None:
    small = uploading.having(policy=UploadPolicy(max_size=1_000))
    session = await cut_by_the_client(small, bytes(600), bytes(600))
    with pytest.raises(TooLarge):
        await small.service.complete(uploading.me, session.id)
    assert await left(small) == (NOTHING, [])


# --- ends --------------------------------------------------------------------------------------------------------


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


async def test_parts_on_their_way_take_room(uploading: Uploading, picture: bytes) -> None:
    limited = uploading.having(policy=UploadPolicy(parts_threshold=1_000, storage_limit=len(picture) * 3 // 2))
    session = await begun(limited, picture)
    with pytest.raises(QuotaExceeded):
        await begun(limited, picture)
    await limited.service.cancel(uploading.me, session.id)
    await begun(limited, picture)


# --- interruptions -----------------------------------------------------------------------------------------------


class TroubledStore(FilesystemStore):
    """Fails as told."""

    creates, joins = True, True

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        if not self.creates:
            raise Unavailable("The store does not answer.")
        return await super().create_multipart(key, content_type=content_type)

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        info = await super().complete_multipart(key, multipart_id, parts)
        if not self.joins:
            raise Unavailable("The connection broke before the answer came.")
        return info


@pytest.fixture
async def troubled(uploading: Uploading) -> AsyncIterator[TroubledStore]:
    signer = UrlSigner(b"only for tests, never for a service", uploading.clock)
    async with TroubledStore(uploading.directory / "objects", signer, uploading.clock) as store:
        yield store


async def test_a_store_that_does_not_begin_leaves_no_reservation(
    uploading: Uploading, troubled: TroubledStore, picture: bytes
) -> None:
    policy = UploadPolicy(parts_threshold=1_000, storage_limit=len(picture))
    trouble = uploading.having(store=troubled, policy=policy)
    troubled.creates = False
    with pytest.raises(Unavailable):
        await begun(trouble, picture)
    troubled.creates = True
    assert (await begun(trouble, picture)).transport is Transport.PARTS


async def test_joined_and_not_heard_of_is_found_again(
    uploading: Uploading, troubled: TroubledStore, picture: bytes
) -> None:
    trouble = uploading.having(store=troubled, policy=POLICY)
    session = await begun(trouble, picture)
    claimed = await sent(uploading, session, picture)
    troubled.joins = False
    with pytest.raises(Unavailable):
        await trouble.service.parts.complete(uploading.me, session.id, claimed)
    assert (await uploading.service.parts.complete(uploading.me, session.id, claimed)).id == session.future_image_id


class DyingOutbox:
    """The process ends here: after the object was moved, before anything is committed."""

    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        raise SystemError


async def test_joined_moved_and_not_committed_is_found_again(uploading: Uploading, picture: bytes) -> None:
    dying = uploading.having(outbox=DyingOutbox(), policy=POLICY)
    session = await begun(dying, picture)
    claimed = await sent(uploading, session, picture)
    with pytest.raises(SystemError):
        await dying.service.parts.complete(uploading.me, session.id, claimed)
    assert (await uploading.service.parts.complete(uploading.me, session.id, claimed)).id == session.future_image_id
    assert (await uploading.traces()).images == 1


class CancellingStore(TroubledStore):
    """Somebody cancels the upload just before it is joined."""

    uploading: Uploading
    session: UploadSession

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        async with self.uploading.library.database.connection() as connection:
            await connection.execute("UPDATE upload_sessions SET state = 'cancelled' WHERE id = $1", self.session.id)
        return await super().complete_multipart(key, multipart_id, parts)


async def test_what_is_joined_after_the_end_goes_again(uploading: Uploading, picture: bytes) -> None:
    signer = UrlSigner(b"only for tests, never for a service", uploading.clock)
    async with CancellingStore(uploading.directory / "objects", signer, uploading.clock) as store:
        trouble = uploading.having(store=store, policy=POLICY)
        session = await begun(trouble, picture)
        await sent(uploading, session, picture)
        store.uploading, store.session = uploading, session
        with pytest.raises(UploadEnded):
            await trouble.service.complete(uploading.me, session.id)
        assert await uploading.objects() == []


class ChangingStore(TroubledStore):
    """A part is sent again between the look at it and the joining."""

    uploading: Uploading
    again: SignedPart | None = None

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[Part]) -> ObjectInfo:
        if self.again is not None:
            await self.uploading.send_part(self.again, bytes(self.again.size))
        return await super().complete_multipart(key, multipart_id, parts)


async def test_a_part_that_changes_meanwhile_is_not_joined_unseen(uploading: Uploading, picture: bytes) -> None:
    signer = UrlSigner(b"only for tests, never for a service", uploading.clock)
    async with ChangingStore(uploading.directory / "objects", signer, uploading.clock) as store:
        trouble = uploading.having(store=store, policy=POLICY)
        session = await begun(trouble, picture)
        await sent(uploading, session, picture)
        store.uploading, store.again = uploading, session.part_requests[1]
        with pytest.raises(PartMismatch):
            await trouble.service.complete(uploading.me, session.id)
        store.again = None
        await sent(uploading, session, picture)
        assert (await trouble.service.complete(uploading.me, session.id)).id == session.future_image_id


class LimitedStore(FilesystemStore):
    part_limits = PartLimits(500, 1_000, 3)


async def test_a_store_decides_how_large_parts_are(uploading: Uploading) -> None:
    signer = UrlSigner(b"only for tests, never for a service", uploading.clock)
    async with LimitedStore(uploading.directory / "objects", signer, uploading.clock) as store:
        limited = uploading.having(store=store, policy=POLICY)
        assert (await begun(limited, bytes(1_200))).part_plan == PartPlan(1_200, 500)
        assert (await begun(limited, bytes(2_400))).part_plan == PartPlan(2_400, 800)
        with pytest.raises(TooLarge):
            await begun(limited, bytes(3_001))
