"""Images on a real database: who sees what of them, and what becomes of them."""

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import anyio
import pytest
from attrs import evolve
from tests.support.library import (
    COUNT_STORAGE,
    Library,
    digest_of,
    make_image,
    with_failure,
    with_place,
    without_variants,
)

from imagegallery.access.audience import VisibilityLike
from imagegallery.errors import Conflict, Fault, Forbidden, InvalidInput, NotFound, Unauthenticated
from imagegallery.images.image import records
from imagegallery.images.image.image import Image, ProcessingStatus
from imagegallery.images.jobs import PROCESS_IMAGE, about
from imagegallery.principal import Principal
from imagegallery.queue.job import ClaimedJob
from imagegallery.variants import records as variant_records

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
LEASE = timedelta(minutes=1)


async def add_to_gallery(library: Library, image: Image, visibility: VisibilityLike) -> UUID:
    gallery = await library.galleries.create(Principal.user(image.owner_id), name="Lisbon", visibility=visibility)
    await library.galleries.add_images(Principal.user(image.owner_id), gallery.id, [image.id])
    return gallery.id


async def storage_used(library: Library, owner_id: str) -> int | None:
    async with library.database.connection() as connection:
        used: int | None = await connection.fetchval("SELECT storage_used FROM owners WHERE owner_id = $1", owner_id)
        return used


async def claim_jobs(library: Library) -> list[ClaimedJob]:
    return await library.queue.claim([PROCESS_IMAGE], limit=10, lease=LEASE)


async def test_an_image_comes_back_as_it_went_in(library: Library) -> None:
    image = await library.add_image(with_place(make_image()))

    shown = await library.images.get(ANA, image.id)

    without_urls = tuple(evolve(each, url="") for each in shown.variants)
    stored = evolve(shown, urls_expire_at=None, variants=without_urls)
    assert stored == image
    assert shown.responsive.src is not None


async def test_a_failure_comes_back_with_its_reason(library: Library) -> None:
    image = await library.add_image(with_failure(make_image()))

    assert (await library.images.get(ANA, image.id)).failure == image.failure


async def test_an_image_in_no_open_gallery_exists_for_its_owner_only(library: Library) -> None:
    image = await library.add_image(make_image())
    await add_to_gallery(library, image, "private")
    images = library.images

    assert (await images.get(ANA, image.id)).variants[0].url.startswith("/objects/")
    for attempt in (
        images.get(BEN, image.id),
        images.get(VISITOR, image.id),
        images.view(VISITOR, image.id),
        images.update(BEN, image.id, alt_text="mine"),
        images.delete(BEN, image.id),
        images.retry(BEN, image.id),
        images.download_url(BEN, image.id),
        images.wait_until_ready(BEN, image.id),
        library.check_open(image.variants[0].key),
        images.get(ANA, uuid4()),
    ):
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
async def test_an_image_in_an_open_gallery_is_open_without_its_place(
    library: Library, visibility: VisibilityLike
) -> None:
    image = await library.add_image(with_place(make_image()))
    await add_to_gallery(library, image, "private")
    await add_to_gallery(library, image, visibility)

    for principal in (BEN, VISITOR):
        shown = await library.images.get(principal, image.id)
        assert shown.variants[0].url == f"/files/{image.variants[0].key}"
        assert (shown.latitude, shown.longitude) == (None, None)
        assert shown.metadata is not None
        assert (shown.metadata.make, shown.metadata.latitude, shown.metadata.altitude) == ("Canon", None, None)
    assert (await library.images.get(ANA, image.id)).latitude == image.latitude
    for attempt in (
        library.images.update(BEN, image.id, alt_text="mine"),
        library.images.delete(BEN, image.id),
        library.images.retry(BEN, image.id),
        library.images.download_url(BEN, image.id),
    ):
        with pytest.raises(Forbidden):
            await attempt


async def test_visitors_write_nothing(library: Library) -> None:
    image = await library.add_image(make_image())
    images = library.images

    for attempt in (
        images.update(VISITOR, image.id, alt_text="mine"),
        images.delete(VISITOR, image.id),
        images.retry(VISITOR, image.id),
        images.download_url(VISITOR, image.id),
        images.library.list(VISITOR),
        images.find_by_content(VISITOR, digest_of(image)),
    ):
        with pytest.raises(Unauthenticated):
            await attempt


async def test_a_public_url_works_while_the_image_is_open(library: Library) -> None:
    image = await library.add_image(make_image())
    key = image.variants[-1].key
    gallery_id = await add_to_gallery(library, image, "unlisted")

    await library.check_open(key)

    await library.galleries.update(ANA, gallery_id, visibility="private")
    with pytest.raises(NotFound):
        await library.check_open(key)


async def test_the_library_is_listed_newest_first(library: Library) -> None:
    images = [await library.add_image(make_image(age=timedelta(hours=hours))) for hours in range(5)]
    await library.add_image(make_image("ben"))
    await add_to_gallery(library, images[1], "public")

    shown: list[Image] = []
    cursor = None
    while True:
        page = await library.images.library.list(ANA, cursor=cursor, limit=2)
        assert len(page.items) <= 2
        shown += page.items
        cursor = page.next_cursor
        if cursor is None:
            break

    assert [image.id for image in shown] == [image.id for image in images]
    public = [image.variants[0].url.startswith("/files/") for image in shown]
    assert public == [False, True, False, False, False]


async def test_update_changes_what_is_given_and_nothing_else(library: Library) -> None:
    image = await library.add_image(make_image())
    library.clock.advance(timedelta(seconds=1))

    changed = await library.images.update(ANA, image.id, alt_text="A yellow tram\n", is_favorite=True)

    assert (changed.alt_text, changed.is_favorite) == ("A yellow tram\n", True)
    assert (changed.filename, changed.is_archived) == (image.filename, False)
    assert changed.updated_at == library.clock()
    again = await library.images.update(ANA, image.id, alt_text="", filename=" eléctrico 28.jpg ", is_favorite=False)
    assert (again.alt_text, again.filename, again.is_favorite) == ("", "eléctrico 28.jpg", False)


async def test_every_fault_of_an_update_is_named(library: Library) -> None:
    image = await library.add_image(make_image())

    with pytest.raises(InvalidInput) as caught:
        await library.images.update(ANA, image.id, alt_text="x" * 501, filename="a/b")

    assert caught.value.faults == (
        Fault(("body", "alt_text"), "must be at most 500 characters long"),
        Fault(("body", "filename"), "is no name that is safe in any file system; 'b' would be"),
    )
    for bad in ("a\0b", "\ud800"):
        with pytest.raises(InvalidInput):
            await library.images.update(ANA, image.id, alt_text=bad)


async def test_a_failed_image_is_tried_again_with_a_job(library: Library) -> None:
    image = await library.add_image(with_failure(make_image()))

    retried = await library.images.retry(ANA, image.id)

    assert (retried.status, retried.failure) == (ProcessingStatus.PENDING, None)
    (job,) = await claim_jobs(library)
    assert (job.kind, job.payload) == (PROCESS_IMAGE, about(image))
    with pytest.raises(Conflict):
        await library.images.retry(ANA, image.id)


async def test_waiting_ends_when_processing_does(library: Library) -> None:
    image = await library.add_image(without_variants(make_image()))
    shown: list[Image] = []

    async def wait() -> None:
        shown.append(await library.images.wait_until_ready(ANA, image.id, timeout=timedelta(minutes=5)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        for step in (
            partial(variant_records.start, image_id=image.id, given_up="gave_up"),
            partial(variant_records.complete, image=image),
        ):
            await anyio.wait_all_tasks_blocked()
            async with library.database.transaction() as connection:
                await step(connection, now=library.clock())
                await records.announce(connection, image.id)

    assert [each.status for each in shown] == [ProcessingStatus.COMPLETE]


async def test_waiting_for_what_is_ready_or_failed_answers_at_once(library: Library) -> None:
    ready = await library.add_image(make_image())
    failed = await library.add_image(with_failure(make_image()))

    for image in (ready, failed):
        shown = await library.images.wait_until_ready(ANA, image.id, timeout=timedelta(0))
        assert shown.status is image.status


async def test_waiting_for_what_is_deleted_meanwhile_ends(library: Library) -> None:
    image = await library.add_image(without_variants(make_image()))

    async def wait() -> None:
        with pytest.raises(NotFound):
            await library.images.wait_until_ready(ANA, image.id, timeout=timedelta(minutes=5))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await library.images.delete(ANA, image.id)


async def test_waiting_in_vain_times_out(library: Library) -> None:
    image = await library.add_image(without_variants(make_image()))

    with pytest.raises(TimeoutError):
        await library.images.wait_until_ready(ANA, image.id, timeout=0.001)


async def test_content_is_found_in_the_library_and_in_a_gallery(library: Library) -> None:
    older = await library.add_image(make_image(age=timedelta(hours=2)))
    newer = await library.add_image(evolve(make_image(age=timedelta(hours=1)), sha256=older.sha256))
    await library.add_image(evolve(make_image("ben", age=timedelta(hours=3)), sha256=older.sha256))
    gallery_id = await add_to_gallery(library, newer, "private")

    assert await library.images.find_by_content(ANA, digest_of(older)) == older.id
    assert await library.images.find_by_content(ANA, digest_of(older), gallery_id) == newer.id
    assert await library.images.find_by_content(ANA, bytes(32)) is None
    assert await library.images.find_by_content(ANA, digest_of(older), uuid4()) is None
    with pytest.raises(ValueError, match="32 bytes"):
        await library.images.find_by_content(ANA, b"short")


async def test_a_view_answers_with_the_best_variant_and_its_url(library: Library) -> None:
    image = await library.add_image(make_image())
    signed = await library.images.view(ANA, image.id, variant="small", accepts=["avif", "webp"])
    assert (signed.variant_type, signed.format) == ("medium", "avif")
    assert signed.url.startswith("/objects/")

    await add_to_gallery(library, image, "public")
    public = await library.images.view(VISITOR, image.id, variant="thumbnail", accepts=["avif", "webp"])
    assert public.url == f"/files/{image.variants[0].key}"
    assert (await library.images.view(VISITOR, image.id)).format == "webp"
    for variant, image_format in (("medium", "avif"), ("thumbnail", "webp")):  # no thumbnail was kept as AVIF
        only = await library.images.view(VISITOR, image.id, variant=variant, accepts=["webp"], image_format="avif")
        assert (only.variant_type, only.format) == (variant, image_format)
    safe = await library.images.view(VISITOR, image.id, variant="medium", accepts=["avif"], image_format="webp")
    assert safe.format == "webp"
    with pytest.raises(NotFound, match="that format"):
        await library.images.view(VISITOR, image.id, image_format="gif")


async def test_a_view_of_nothing_is_one_clear_error(library: Library) -> None:
    image = await library.add_image(without_variants(make_image()))

    with pytest.raises(NotFound, match="no variant yet"):
        await library.images.view(ANA, image.id)
    with pytest.raises(InvalidInput) as caught:
        await library.images.view(ANA, image.id, variant="huge")
    assert [fault.path for fault in caught.value.faults] == [("query", "variant")]


async def test_the_owner_downloads_the_original(library: Library) -> None:
    image = await library.add_image(make_image())

    assert (await library.images.download_url(ANA, image.id)).startswith("/objects/")


async def test_storage_that_is_given_back_never_falls_below_zero(library: Library) -> None:
    async with library.database.transaction() as connection:
        await connection.execute(COUNT_STORAGE, "ana", 12)
        await records.give_back_storage(connection, "ana", 2)
    assert await storage_used(library, "ana") == 10
    async with library.database.transaction() as connection:
        await records.give_back_storage(connection, "ana", 11)
    assert await storage_used(library, "ana") == 0
