"""Whatever goes wrong while variants are made: the image says so, and nothing is left over."""

from datetime import timedelta
from uuid import UUID

import anyio
import pytest
from attrs import evolve
from tests.support.photographs import photograph
from tests.support.studio import LEASE, Studio, picture

from imagegallery.errors import Conflict, Failure, LeaseLost, NotFound, Unavailable
from imagegallery.images.image.image import Image, ProcessingStatus
from imagegallery.images.jobs import process_image
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.principal import Principal
from imagegallery.storage.streams import bytes_chunks
from imagegallery.testing.storage.base import read
from imagegallery.variants.jobs import discard_objects
from imagegallery.variants.preset import DEFAULT_PRESETS
from imagegallery.variants.processing import GAVE_UP, SUPERSEDED_GRACE

ANA = Principal.user("ana")
PHOTO = photograph(400, 300)
FIRST, LATER = "image.process", "image.process_later"


def keys(image: Image) -> set[str]:
    return {variant.key for variant in image.variants}


async def assert_nothing_left(studio: Studio, image_id: UUID) -> None:
    """Every object is an original or has its row, no temporary file is there and no job waits."""
    while "image.discard" in await studio.waiting():
        await studio.run("image.discard")
    assert await studio.objects() == keys(await studio.image(image_id))
    assert [path async for path in anyio.Path(studio.scratch.path).iterdir() if await path.is_dir()] == []
    assert await studio.waiting() == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (PHOTO[:500], "truncated"),
        (b"GIF89a" + PHOTO[6:], "type_mismatch"),
    ],
)
async def test_a_bad_picture_fails_with_its_reason_and_the_next_one_works(
    studio: Studio, body: bytes, code: str
) -> None:
    bad = await studio.upload(body, 400, 300)
    await studio.run(FIRST)
    failed = await studio.image(bad.id)
    assert failed.status is ProcessingStatus.FAILED
    assert failed.failure is not None
    assert failed.failure.code == code
    await assert_nothing_left(studio, bad.id)

    good = await studio.upload(PHOTO, 400, 300)
    await studio.run(FIRST)
    assert (await studio.image(good.id)).status is ProcessingStatus.COMPLETE


async def test_an_original_that_was_damaged_in_the_store_is_not_rendered(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    await studio.store.put(image.original_key, bytes_chunks(picture(400, 301)), content_type="image/jpeg")
    await studio.run(FIRST)
    failure = (await studio.image(image.id)).failure
    assert failure is not None
    assert failure.code == "checksum_mismatch"
    assert studio.engine.rendered == []


async def test_no_row_is_written_before_its_object_and_a_second_attempt_finishes_the_first(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    studio.store.puts_left = 2
    job = await studio.claim(FIRST)
    with pytest.raises(Unavailable):
        await studio.processing.handlers()[FIRST].run(job)
    begun = await studio.image(image.id)
    assert begun.status is ProcessingStatus.PROCESSING
    assert begun.variants == ()
    assert len(await studio.objects()) == 2

    await studio.hand_back(job)
    studio.store.puts_left = None
    await studio.run(FIRST)
    await studio.run(LATER)
    assert (await studio.image(image.id)).status is ProcessingStatus.COMPLETE
    await assert_nothing_left(studio, image.id)


async def test_giving_up_fails_the_image_and_takes_back_what_was_stored(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    studio.store.puts_left = 2
    job = await studio.claim(FIRST)
    with pytest.raises(Unavailable):
        await studio.processing.handlers()[FIRST].run(job)
    await studio.processing.handlers()[FIRST].give_up(job, "unavailable: the store went away")
    await studio.library.queue.bury(job, error="away")

    assert (await studio.image(image.id)).failure == GAVE_UP
    await studio.run("image.discard")
    assert await studio.objects() == set()


async def test_a_failed_image_can_be_tried_again(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    job = await studio.claim(FIRST)
    await studio.processing.handlers()[FIRST].give_up(job, "its workers died")
    await studio.library.queue.complete(job)
    while "image.discard" in await studio.waiting():
        await studio.run("image.discard")

    await studio.library.images.retry(ANA, image.id)
    await studio.run(FIRST)
    revived = await studio.image(image.id)
    assert (revived.status, revived.failure) == (ProcessingStatus.COMPLETE, None)


async def test_a_dead_letter_that_is_requeued_makes_the_variants(studio: Studio) -> None:
    """Whatever was away for longer than a job is tried is back, and so is the operator."""
    image = await studio.upload(PHOTO, 400, 300)
    job = await studio.claim(FIRST)
    await studio.processing.handlers()[FIRST].give_up(job, "unavailable: the store went away")
    await studio.library.queue.bury(job, error="away")
    while "image.discard" in await studio.waiting():
        await studio.run("image.discard")

    await studio.library.queue.requeue(job.id)
    await studio.run(FIRST)
    revived = await studio.image(image.id)
    assert (revived.status, revived.failure) == (ProcessingStatus.COMPLETE, None)


async def test_a_job_that_runs_again_after_it_failed_the_image_leaves_it(studio: Studio) -> None:
    image = await studio.upload(PHOTO[:500], 400, 300)
    await studio.run(FIRST)
    await studio.enqueue(process_image(image))
    await studio.run(FIRST)
    assert len(studio.engine.rendered) == 1
    assert (await studio.image(image.id)).status is ProcessingStatus.FAILED


async def test_a_worker_that_lost_its_lease_writes_nothing_and_spoils_nothing(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    slow = await studio.claim(FIRST)

    async def another_worker_does_it() -> None:
        studio.engine.after_render = _nothing
        studio.clock.advance(LEASE + timedelta(seconds=1))
        await studio.run(FIRST)

    studio.engine.after_render = another_worker_does_it
    with pytest.raises(LeaseLost):
        await studio.processing.handlers()[FIRST].run(slow)

    done = await studio.image(image.id)
    assert done.status is ProcessingStatus.COMPLETE
    assert await studio.objects() == keys(done)
    await studio.run(LATER)
    await assert_nothing_left(studio, image.id)


async def test_a_worker_that_lost_its_lease_before_it_began_does_not_begin(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    lost = await studio.claim(FIRST)
    studio.clock.advance(LEASE + timedelta(seconds=1))
    await studio.claim(FIRST)
    with pytest.raises(LeaseLost):
        await studio.processing.handlers()[FIRST].run(lost)
    assert studio.engine.rendered == []
    assert (await studio.image(image.id)).status is ProcessingStatus.PENDING


async def test_a_late_failure_of_a_worker_that_lost_its_lease_does_not_count(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    slow = await studio.claim(FIRST)
    studio.clock.advance(LEASE + timedelta(seconds=1))
    await studio.run(FIRST)
    with pytest.raises(LeaseLost):
        await studio.processing.handlers()[FIRST].give_up(slow, "too late")
    assert (await studio.image(image.id)).status is ProcessingStatus.COMPLETE


async def test_an_image_deleted_meanwhile_leaves_no_object(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)

    async def deleted_and_purged() -> None:
        await studio.library.delete_for_good(image)
        await _purge(studio)

    studio.engine.after_render = deleted_and_purged
    await studio.run(FIRST)
    await _purge(studio)
    assert [info.key async for info in studio.store.list()] == []
    assert await studio.waiting() == []
    with pytest.raises(NotFound):
        await studio.image(image.id)


async def test_the_job_of_a_deleted_image_does_nothing(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    await studio.library.delete_for_good(image)
    await studio.run(FIRST)
    assert studio.engine.rendered == []


async def test_the_job_of_an_image_in_the_trash_does_its_work_for_when_it_comes_back(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    await studio.library.images.delete(ANA, image.id)
    await studio.run(FIRST)
    restored = await studio.library.images.trash.restore(ANA, image.id)
    assert restored.status is ProcessingStatus.COMPLETE
    assert restored.variants


@pytest.mark.parametrize("ending", ["begun again", "given up"])
async def test_what_a_dead_attempt_stored_of_an_image_deleted_since_goes(studio: Studio, ending: str) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    studio.store.puts_left = 2
    job = await studio.claim(FIRST)
    handler = studio.processing.handlers()[FIRST]
    with pytest.raises(Unavailable):
        await handler.run(job)
    stored = {key: await read(studio.store, key) for key in await studio.objects()}
    await studio.library.delete_for_good(image)
    await _purge(studio)
    # The last objects of the attempt arrive when the purge is over.
    studio.store.puts_left = None
    for key, body in stored.items():
        await studio.store.put(key, bytes_chunks(body), content_type="image/webp")
    assert len(stored) == 2

    await studio.hand_back(job)
    if ending == "begun again":
        await studio.run(FIRST)
    else:
        job = await studio.claim(FIRST)
        await handler.give_up(job, "its workers died")
        await studio.library.queue.complete(job)
    await _purge(studio)
    assert await studio.objects() == set()
    assert await studio.waiting() == []


async def test_a_complete_image_stays_complete_when_later_formats_fail(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    await studio.run(FIRST)
    usable = await studio.image(image.id)
    await studio.store.put(image.original_key, bytes_chunks(PHOTO[:2000]), content_type="image/jpeg")

    await studio.run(LATER)
    after = await studio.image(image.id)
    assert (after.status, after.variants) == (ProcessingStatus.COMPLETE, usable.variants)
    await assert_nothing_left(studio, image.id)


async def test_a_complete_image_stays_complete_when_later_formats_are_given_up(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    await studio.run(FIRST)
    usable = await studio.image(image.id)
    studio.store.puts_left = 0
    job = await studio.claim(LATER)
    with pytest.raises(Unavailable):
        await studio.processing.handlers()[LATER].run(job)
    await studio.processing.handlers()[LATER].give_up(job, "unavailable: the store went away")
    await studio.library.queue.complete(job)

    after = await studio.image(image.id)
    assert (after.status, after.failure, after.variants) == (ProcessingStatus.COMPLETE, None, usable.variants)
    await assert_nothing_left(studio, image.id)


async def test_a_complete_image_stays_complete_when_it_cannot_be_made_anew(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    await studio.run(FIRST)
    await studio.run(LATER)
    before = await studio.image(image.id)
    studio.use(*(evolve(preset, quality=30) for preset in DEFAULT_PRESETS))
    await studio.store.put(image.original_key, bytes_chunks(PHOTO[:2000]), content_type="image/jpeg")
    await studio.enqueue(process_image(image))

    await studio.run(FIRST)
    after = await studio.image(image.id)
    assert (after.status, after.failure, after.variants) == (ProcessingStatus.COMPLETE, None, before.variants)
    await assert_nothing_left(studio, image.id)


async def test_cancelling_a_job_leaves_no_temporary_file_and_no_row(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    job = await studio.claim(FIRST)
    with anyio.CancelScope() as scope:

        async def stop() -> None:
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        studio.engine.after_render = stop
        await studio.processing.handlers()[FIRST].run(job)
    assert scope.cancelled_caught
    assert (await studio.image(image.id)).variants == ()
    assert await studio.objects() == set()
    assert [path async for path in anyio.Path(studio.scratch.path).iterdir() if await path.is_dir()] == []


async def test_discarding_spares_what_has_a_row_and_waits_while_an_image_is_processed(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    discard = studio.processing.handlers()["image.discard"]
    await studio.enqueue(discard_objects(image.id, [f"{image.key_prefix}small-x.webp"], now=studio.clock()))
    job = await studio.claim("image.discard")
    with pytest.raises(Conflict):
        await discard.run(job)

    await studio.run(FIRST)
    done = await studio.image(image.id)
    recorded = sorted(keys(done))
    await discard.run(evolve(job, payload={**job.payload, "keys": "\n".join(recorded)}))
    assert await studio.objects() == keys(done)


async def test_discarding_spares_what_another_attempt_has_stored_since(studio: Studio) -> None:
    image = await studio.upload(PHOTO, 400, 300)
    await studio.run(FIRST)
    old, new = (f"{image.key_prefix}{name}.webp" for name in ("small-old", "small-new"))
    await studio.store.put(old, bytes_chunks(b"old"), content_type="image/webp")
    await studio.enqueue(discard_objects(image.id, [old, new], now=studio.clock(), after=SUPERSEDED_GRACE))
    studio.clock.advance(SUPERSEDED_GRACE)
    await studio.store.put(new, bytes_chunks(b"new"), content_type="image/webp")
    await studio.run("image.discard")
    objects = await studio.objects()
    assert (old in objects, new in objects) == (False, True)


async def test_the_failure_is_announced_to_those_who_wait(studio: Studio) -> None:
    image = await studio.upload(PHOTO[:500], 400, 300)
    waited: list[Failure | None] = []

    async def wait() -> None:
        waited.append((await studio.library.images.wait_until_ready(ANA, image.id)).failure)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await studio.run(FIRST)
    assert [failure.code for failure in waited if failure] == ["truncated"]


async def _nothing() -> None:
    pass


async def _purge(studio: Studio) -> None:
    job = await studio.claim("image.purge")
    await PurgeObjects(studio.library.database, studio.store).run(job)
    await studio.library.queue.complete(job)
