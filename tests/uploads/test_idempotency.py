"""A request for a new upload comes again, with its key, because the answer to the first one was lost."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

import anyio
import pytest
from tests.support.uploads import Traces, Uploading
from tests.uploads.multipart.sending import PART, POLICY, cut, left, sent, unfinished

from imagegallery.database.connection import Connection
from imagegallery.errors import (
    IdempotencyKeyReused,
    ImageGalleryError,
    InvalidInput,
    QuotaExceeded,
    TooManyUploads,
    Unavailable,
    UploadEnded,
    UploadLocked,
)
from imagegallery.principal import Principal
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.uploads.session import records
from imagegallery.uploads.session.opener import NewUpload, SessionOpener
from imagegallery.uploads.session.policy import OnDuplicate, UploadPolicy
from imagegallery.uploads.session.session import Transport, UploadSession, UploadState

BOB = Principal.user("bob")


async def asked(
    uploading: Uploading,
    data: bytes,
    *,
    key: str = "once",
    filename: str = "tram.jpg",
    content_type: str = "image/jpeg",
    sha256: bytes | None = None,
    gallery_id: UUID | None = None,
    on_duplicate: OnDuplicate | None = None,
    who: Principal | None = None,
) -> UploadSession:
    return await uploading.service.create(
        who or uploading.me,
        filename=filename,
        content_type=content_type,
        size=len(data),
        sha256=sha256,
        gallery_id=gallery_id,
        on_duplicate=on_duplicate,
        idempotency_key=key,
    )


@pytest.fixture
def in_parts(uploading: Uploading) -> Uploading:
    return uploading.having(policy=POLICY)


async def test_the_same_request_answers_the_same_session(uploading: Uploading, jpeg: bytes) -> None:
    first = await asked(uploading, jpeg)
    again = await asked(uploading, jpeg)
    assert again.id == first.id
    await uploading.send(again.request, jpeg)
    image = await uploading.service.complete(uploading.me, first.id)
    ended = await asked(uploading, jpeg)
    assert (ended.id, ended.image_id, ended.request) == (first.id, image.id, None)
    assert (await uploading.traces()).images == 1


async def test_a_key_is_one_owners(uploading: Uploading, jpeg: bytes) -> None:
    mine, hers = await asked(uploading, jpeg), await asked(uploading, jpeg, who=BOB)
    assert mine.id != hers.id
    assert (mine.owner_id, hers.owner_id) == ("ada", "bob")


async def test_another_key_is_another_upload(uploading: Uploading, jpeg: bytes) -> None:
    assert (await asked(uploading, jpeg)).id != (await asked(uploading, jpeg, key="twice")).id


@pytest.mark.parametrize(
    "other",
    [
        {"filename": "bus.jpg"},
        {"content_type": "image/png"},
        {"data": b"longer than it was"},
        {"sha256": hashlib.sha256(b"").digest()},
        {"on_duplicate": OnDuplicate.REJECT},
        {"gallery": True},
    ],
)
async def test_another_request_with_the_same_key_is_an_error(
    uploading: Uploading, jpeg: bytes, other: dict[str, object]
) -> None:
    first = await asked(uploading, jpeg)
    if other.pop("gallery", False):
        other = {"gallery_id": (await uploading.gallery()).id}
    with pytest.raises(IdempotencyKeyReused) as caught:
        await asked(uploading, **{"data": jpeg, **other})  # type: ignore[arg-type]
    assert caught.value.details == {"upload_id": str(first.id)}


async def test_what_is_said_in_another_way_is_the_same_request(uploading: Uploading, jpeg: bytes) -> None:
    first = await asked(uploading, jpeg, filename="a/tram.jpg", content_type="image/jpg")
    assert (await asked(uploading, jpeg, filename="tram.jpg", content_type="IMAGE/JPEG; q=1")).id == first.id
    unnamed = await asked(uploading, jpeg, filename="", key="unnamed")
    assert (await asked(uploading, jpeg, filename="", key="unnamed")).id == unnamed.id


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_has_1_to_255_characters(uploading: Uploading, jpeg: bytes, key: str) -> None:
    with pytest.raises(InvalidInput):
        await asked(uploading, jpeg, key=key)
    assert (await asked(uploading, jpeg, key="ß" * 255)).state is UploadState.PENDING


async def test_a_repeat_takes_no_room(uploading: Uploading, jpeg: bytes) -> None:
    narrow = uploading.having(policy=UploadPolicy(max_open=1, storage_limit=len(jpeg)))
    first = await asked(narrow, jpeg)
    assert (await asked(narrow, jpeg)).id == first.id


async def test_an_upload_that_is_over_is_answered_as_it_ended_until_it_is_forgotten(
    uploading: Uploading, jpeg: bytes
) -> None:
    first = await asked(uploading, jpeg)
    uploading.clock.advance(uploading.policy.session_lifetime)
    expired = await asked(uploading, jpeg)
    assert (expired.id, expired.state, expired.request) == (first.id, UploadState.EXPIRED, None)
    uploading.clock.advance(uploading.policy.session_retention + timedelta(seconds=1))
    await uploading.service.sweep()
    await uploading.service.sweep()
    anew = await asked(uploading, jpeg)
    assert anew.state is UploadState.PENDING
    await uploading.send(anew.request, jpeg)
    assert (await uploading.service.complete(uploading.me, anew.id)).id == anew.future_image_id


async def test_asked_several_times_at_once_it_is_one_session(in_parts: Uploading) -> None:
    picture, found = bytes(5 * PART), []

    async def ask() -> None:
        found.append(await asked(in_parts, picture))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(ask)
    assert len({session.id for session in found}) == 1
    assert len({session.multipart_id for session in found}) == 1
    assert all(len(session.part_requests) == 5 for session in found)
    await in_parts.service.cancel(in_parts.me, found[0].id)
    assert await left(in_parts) == (Traces(), [])


@pytest.mark.parametrize("refusal", [UploadLocked, TooManyUploads, QuotaExceeded])
async def test_who_was_slower_answers_the_session_of_who_was_quicker(
    refusal: type[ImageGalleryError], uploading: Uploading, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, quicker = SessionOpener.begin, []
    policies: dict[type[ImageGalleryError], UploadPolicy] = {
        TooManyUploads: UploadPolicy(max_open=1),
        QuotaExceeded: UploadPolicy(storage_limit=len(jpeg)),
    }

    async def overtaken(self: SessionOpener, principal: Principal, new: NewUpload) -> UploadSession:
        quicker.append(await begin(self, principal, new))
        with pytest.raises(refusal) as caught:
            await begin(self, principal, new)
        raise caught.value

    monkeypatch.setattr(SessionOpener, "begin", overtaken)
    session = await asked(uploading.having(policy=policies.get(refusal)), jpeg)
    assert session.id == quicker[0].id
    assert session.request is not None


async def test_a_repeat_goes_on_with_the_parts_that_have_come(in_parts: Uploading, large: bytes) -> None:
    first = await asked(in_parts, large)
    await in_parts.send_part(first.part_requests[0], cut(large, first.part_requests[0]))
    again = await asked(in_parts, large)
    assert (again.transport, again.multipart_id) == (Transport.PARTS, first.multipart_id)
    assert [part.number for part in await in_parts.service.parts.list(in_parts.me, again.id)] == [1]
    claimed = await sent(in_parts, again, large)
    image = await in_parts.service.parts.complete(in_parts.me, again.id, claimed)
    assert image.id == first.future_image_id
    assert await unfinished(in_parts) == []


async def test_a_repeat_names_the_parts_where_the_first_request_came_to_its_end_too_early(
    in_parts: Uploading, large: bytes
) -> None:
    first = await asked(in_parts, large)
    async with in_parts.library.database.connection() as connection:
        await connection.execute("UPDATE upload_sessions SET multipart_id = NULL WHERE id = $1", first.id)
    again = await asked(in_parts, large)
    assert again.multipart_id not in (None, first.multipart_id)
    await sent(in_parts, again, large)
    assert (await in_parts.service.parts.complete(in_parts.me, again.id)).id == first.future_image_id


async def test_a_repeat_goes_on_where_the_store_was_away(
    in_parts: Uploading, large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> str:
        raise Unavailable("The store does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(FilesystemStore, "create_multipart", away)
        with pytest.raises(Unavailable):
            await asked(in_parts, large)
    await goes_on(in_parts, large)


async def test_a_repeat_goes_on_where_the_first_request_was_cancelled_as_it_named_the_parts(
    in_parts: Uploading, large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, scope = records.set_multipart, anyio.CancelScope()

    async def cancelled(connection: Connection, session_id: UUID, multipart_id: str, *, now: datetime) -> str:
        kept = await name(connection, session_id, multipart_id, now=now)
        scope.cancel()
        await anyio.sleep(0)
        return kept

    monkeypatch.setattr(records, "set_multipart", cancelled)
    with scope:
        await asked(in_parts, large)
    await goes_on(in_parts, large)


async def goes_on(uploading: Uploading, picture: bytes) -> None:
    """The same request, once more, leads to an image."""
    again = await asked(uploading, picture)
    await sent(uploading, again, picture)
    assert (await uploading.service.parts.complete(uploading.me, again.id)).id == again.future_image_id
    assert await unfinished(uploading) == []


async def test_a_repeat_of_what_was_given_up_says_so(uploading: Uploading, jpeg: bytes) -> None:
    first = await asked(uploading, jpeg)
    await uploading.service.cancel(uploading.me, first.id)
    assert (await asked(uploading, jpeg)).state is UploadState.CANCELLED
    with pytest.raises(UploadEnded):
        await uploading.service.complete(uploading.me, first.id)


@pytest.fixture
def large(jpeg: bytes) -> bytes:
    """Some parts long: bytes after its end do a JPEG no harm."""
    return jpeg + bytes(4 * PART)
