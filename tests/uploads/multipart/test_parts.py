"""Files that go up in parts: in any order, again after a failure, and nothing left of those that become nothing."""

import hashlib

import anyio
import pytest
from tests.support.uploads import Uploading
from tests.uploads.multipart.sending import PART, POLICY, begun, cut, left, sent, unfinished

from imagegallery.errors import (
    InvalidInput,
    NotFound,
    PartMismatch,
    SizeMismatch,
    TooLarge,
    Unauthenticated,
    UploadIncomplete,
)
from imagegallery.principal import Principal
from imagegallery.uploads.session.part_plan import ClaimedPart, PartPlan
from imagegallery.uploads.session.session import Transport, UploadState


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
    await uploading.send_part(session.part_requests[1], bytes(PART))
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


# --- what is not right, and can be put right -----------------------------------------------------------------


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


async def test_a_short_part_is_not_taken(uploading: Uploading, picture: bytes) -> None:
    session = await begun(uploading, picture)
    first = session.part_requests[0]
    with pytest.raises(SizeMismatch):
        await uploading.send_part(first, cut(picture, first)[:-1])
    assert list(await uploading.service.parts.list(uploading.me, session.id)) == []


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


# --- whose it is ---------------------------------------------------------------------------------------------


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
