"""A file that is in already: kept beside the other, refused, or answered with the image that is there."""

import hashlib

import pytest
from attrs import evolve
from tests.support.uploads import Uploading

from imagegallery.errors import DuplicateImage, ObjectNotFound, QuotaExceeded
from imagegallery.images.duplicates import lookalike_records
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal
from imagegallery.storage.streams import bytes_chunks
from imagegallery.uploads.session.policy import OnDuplicate, UploadPolicy
from imagegallery.uploads.session.session import UploadState

KEEP, REJECT, RETURN = OnDuplicate.KEEP_BOTH, OnDuplicate.REJECT, OnDuplicate.RETURN_EXISTING


async def read(uploading: Uploading, image: Image) -> bytes:
    async with uploading.library.store.get(image.original_key) as stream:
        return b"".join([chunk async for chunk in stream.chunks])


async def test_both_are_kept_and_stored_once(uploading: Uploading, jpeg: bytes) -> None:
    first = await uploading.service.add(uploading.me, jpeg)
    before = await uploading.traces()

    second = await uploading.service.add(uploading.me, jpeg, on_duplicate=KEEP)

    assert second.id != first.id
    assert second.original_key == first.original_key
    assert await uploading.traces() == evolve(before, images=2, jobs=2)


async def test_the_original_goes_with_the_last_of_them(uploading: Uploading, jpeg: bytes) -> None:
    first, second = [await uploading.service.add(uploading.me, jpeg) for _ in range(2)]

    await uploading.library.delete_for_good(first)
    assert (await uploading.traces()).storage_used == len(jpeg)
    assert await read(uploading, second) == jpeg

    await uploading.library.delete_for_good(second)
    assert (await uploading.traces()).storage_used == 0


async def test_another_owner_stores_the_same_bytes_anew(uploading: Uploading, jpeg: bytes) -> None:
    mine = await uploading.service.add(uploading.me, jpeg)
    theirs = await uploading.service.add(Principal.user("ben"), jpeg, on_duplicate=REJECT)

    assert mine.original_key != theirs.original_key
    assert (await uploading.traces()).storage_used == 2 * len(jpeg)


@pytest.mark.parametrize("declared", [True, False])
async def test_a_refused_duplicate_names_the_image_and_leaves_nothing(
    uploading: Uploading, jpeg: bytes, *, declared: bool
) -> None:
    first = await uploading.service.add(uploading.me, jpeg)
    before = await uploading.traces()
    sha256 = first.sha256 if declared else None

    with pytest.raises(DuplicateImage) as refusal:
        await uploading.service.add(uploading.me, jpeg, sha256=sha256, on_duplicate=REJECT)

    assert refusal.value.details == {"image_id": str(first.id)}
    assert await uploading.traces() == before


async def test_a_refusal_is_repeated_to_those_who_complete_again(uploading: Uploading, jpeg: bytes) -> None:
    session = await uploading.uploaded(jpeg)
    first = await uploading.service.add(uploading.me, jpeg)
    strict = uploading.having(policy=UploadPolicy(on_duplicate=REJECT))

    for _ in range(2):
        with pytest.raises(DuplicateImage) as refusal:
            await strict.service.complete(uploading.me, session.id)
        assert refusal.value.details == {"image_id": str(first.id)}
    assert await uploading.objects() == [first.original_key]


async def test_the_image_that_is_there_is_answered_and_joins_the_gallery(uploading: Uploading, jpeg: bytes) -> None:
    first = await uploading.service.add(uploading.me, jpeg)
    gallery = await uploading.gallery()
    before = await uploading.traces()
    returning = uploading.having(policy=UploadPolicy(on_duplicate=RETURN))
    session = await uploading.uploaded(jpeg, gallery_id=gallery.id)

    answers = [await returning.service.complete(uploading.me, session.id) for _ in range(2)]

    assert [image.id for image in answers] == [first.id, first.id]
    ended = await uploading.service.get(uploading.me, session.id)
    assert (ended.state, ended.image_id) == (UploadState.COMPLETED, first.id)
    assert await uploading.traces() == evolve(before, memberships=1, counted=1)


async def test_a_known_file_need_not_be_sent_at_all(uploading: Uploading, jpeg: bytes) -> None:
    first = await uploading.service.add(uploading.me, jpeg)
    gallery = await uploading.gallery()
    before = await uploading.traces()

    session = await uploading.service.create(
        uploading.me,
        filename="again.jpg",
        content_type="image/jpeg",
        size=len(jpeg),
        sha256=hashlib.sha256(jpeg).digest(),
        gallery_id=gallery.id,
        on_duplicate=RETURN,
    )

    assert (session.state, session.image_id, session.request) == (UploadState.COMPLETED, first.id, None)
    assert (await uploading.service.complete(uploading.me, session.id)).id == first.id
    assert await uploading.traces() == evolve(before, memberships=1, counted=1)


@pytest.mark.parametrize("wanted", [REJECT, RETURN])
async def test_what_is_in_the_trash_is_no_duplicate(uploading: Uploading, jpeg: bytes, wanted: OnDuplicate) -> None:
    first = await uploading.service.add(uploading.me, jpeg)
    await uploading.library.images.delete(uploading.me, first.id)

    second = await uploading.service.add(uploading.me, jpeg, on_duplicate=wanted)

    assert second.id != first.id
    await uploading.library.images.trash.purge(uploading.me, first.id)
    assert await read(uploading, second) == jpeg


async def test_a_lost_original_is_restored_by_the_next_upload_of_it(uploading: Uploading, jpeg: bytes) -> None:
    first = await uploading.service.add(uploading.me, jpeg)
    await uploading.library.store.delete(first.original_key)

    await uploading.service.add(uploading.me, jpeg)

    assert await read(uploading, first) == jpeg
    assert await uploading.objects() == [first.original_key]


async def test_what_a_completion_that_died_had_moved_goes_when_another_was_first(
    uploading: Uploading, jpeg: bytes
) -> None:
    session = await uploading.uploaded(jpeg)
    await uploading.library.store.put(session.original_key, bytes_chunks(jpeg), content_type="image/jpeg")
    await uploading.library.store.delete(session.incoming_key)
    first = await uploading.service.add(uploading.me, jpeg)

    second = await uploading.service.complete(uploading.me, session.id)

    assert second.original_key == first.original_key
    assert await uploading.objects() == [first.original_key]
    uploading.clock.advance(uploading.policy.session_lifetime + uploading.policy.session_retention)
    await uploading.service.sweep()
    assert await read(uploading, second) == jpeg


async def test_a_duplicate_takes_no_room(uploading: Uploading, jpeg: bytes) -> None:
    """Its bytes have to pass, but they are not counted twice."""
    tight = uploading.having(policy=UploadPolicy(storage_limit=2 * len(jpeg)))
    for _ in range(3):
        await tight.service.add(uploading.me, jpeg)

    assert (await uploading.traces()).storage_used == len(jpeg)
    with pytest.raises(QuotaExceeded):
        await tight.service.add(uploading.me, jpeg + bytes(len(jpeg)), content_type="image/jpeg")


@pytest.mark.parametrize(("said", "is_offered"), [(KEEP, False), (None, True)])
async def test_copies_that_were_to_be_kept_are_not_offered_as_duplicates(
    uploading: Uploading, jpeg: bytes, said: OnDuplicate | None, *, is_offered: bool
) -> None:
    first = await uploading.service.add(uploading.me, jpeg)
    second = await uploading.service.add(uploading.me, jpeg, on_duplicate=said)
    async with uploading.library.database.transaction() as connection:
        for image in (first, second):
            await lookalike_records.note(connection, image.owner_id, image.id, 0x9F31_77C2_0D5A_E468)

    page = await uploading.library.images.duplicates.list(uploading.me)

    assert bool(page.items) is is_offered


async def test_a_file_that_was_returned_is_no_object_that_cannot_be_read(uploading: Uploading, jpeg: bytes) -> None:
    await uploading.service.add(uploading.me, jpeg)
    session = await uploading.uploaded(jpeg)
    await uploading.having(policy=UploadPolicy(on_duplicate=RETURN)).service.complete(uploading.me, session.id)

    for key in (session.incoming_key, session.original_key):
        with pytest.raises(ObjectNotFound):
            await uploading.library.store.head(key)
