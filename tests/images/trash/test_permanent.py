"""Images deleted for good from where they are, and galleries deleted with their images."""

from pathlib import Path
from uuid import UUID

import pytest
from tests.events.test_recorded import recorded
from tests.support.clock import ManualClock
from tests.support.events import closed_urls
from tests.support.library import Library, make_image

from imagegallery.access.audience import VisibilityLike
from imagegallery.common.validation import MAX_BATCH
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict, Forbidden, NotFound, StillReferenced
from imagegallery.galleries import service as gallery_service
from imagegallery.images.batch.batch import BatchResult
from imagegallery.images.events import GalleryChanged, ImageDeleted, ImagePurged
from imagegallery.images.image.image import Image
from imagegallery.principal import Principal

ANA, BEN = Principal.user("ana"), Principal.user("ben")
COUNTS = """
SELECT (SELECT count(*) FROM images) AS images, (SELECT count(*) FROM gallery_images) AS memberships,
       (SELECT count(*) FROM trashed_memberships) AS set_aside,
       (SELECT count(*) FROM jobs WHERE kind = 'image.purge') AS jobs,
       (SELECT coalesce(sum(storage_used), 0)::bigint FROM owners) AS stored"""


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock)


async def counts(library: Library) -> tuple[int, ...]:
    async with library.database.connection() as connection:
        (row,) = await connection.fetch(COUNTS)
        return tuple(row)


async def gallery_of(library: Library, *images: Image, visibility: VisibilityLike = "private") -> UUID:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility=visibility, meta={"shop": 1})
    if images:
        await library.galleries.add_images(ANA, gallery.id, [image.id for image in images])
    return gallery.id


async def refer_to(library: Library, image: Image) -> None:
    """A row of the application that keeps an image."""
    async with library.database.transaction() as connection:
        await connection.execute("CREATE TABLE orders (image_id uuid REFERENCES images)")
        await connection.execute("INSERT INTO orders VALUES ($1)", image.id)


async def trash_of(library: Library) -> set[UUID]:
    return {image.id for image in (await library.images.trash.list(ANA)).items}


async def test_an_image_goes_for_good_from_its_galleries(library: Library) -> None:
    image = await library.add_image(make_image())
    gallery_id = await gallery_of(library, image, visibility="public")
    before = len(await recorded(library.database))
    await library.images.delete(ANA, image.id, permanent=True)
    assert await counts(library) == (0, 0, 0, 1, 0)
    assert (await library.galleries.get(ANA, gallery_id)).image_count == 0
    told = [each for each in (await recorded(library.database))[before:] if each.type != "urls.closed"]
    assert told == [
        ImageDeleted("ana", image.id, gallery_ids=[gallery_id]),
        GalleryChanged("ana", gallery_id, "images", {"shop": 1}),
        ImagePurged("ana", image.id),
    ]
    assert len(await closed_urls(library.database)) == 1
    for delete in (library.images.delete(ANA, image.id), library.images.delete(ANA, image.id, permanent=True)):
        with pytest.raises(NotFound):
            await delete


async def test_an_image_goes_for_good_from_the_trash_and_only_its_owner_deletes_it(library: Library) -> None:
    image, shown = await library.add_image(make_image()), await library.add_image(make_image())
    await gallery_of(library, shown, visibility="public")
    for image_id, refusal in ((image.id, NotFound), (shown.id, Forbidden)):
        with pytest.raises(refusal):
            await library.images.delete(BEN, image_id, permanent=True)
    with pytest.raises(Conflict):
        await library.images.trash.purge(ANA, shown.id)
    await library.images.delete(ANA, image.id)
    await library.images.delete(ANA, image.id, permanent=True)
    assert (await counts(library))[0] == 1


async def test_what_the_application_refers_to_stays_where_it_is(library: Library) -> None:
    image = await library.add_image(make_image())
    await gallery_of(library, image)
    before, told = await counts(library), len(await recorded(library.database))
    await refer_to(library, image)
    with pytest.raises(StillReferenced):
        await library.images.delete(ANA, image.id, permanent=True)
    assert (await counts(library), len(await recorded(library.database))) == (before, told)
    assert (await library.images.get(ANA, image.id)).deleted_at is None


async def test_a_batch_deletes_for_good_all_but_what_is_kept(library: Library) -> None:
    images = [await library.add_image(make_image()) for _ in range(5)]
    others = await library.add_image(make_image("ben"))
    gallery_id = await gallery_of(library, *images)
    await library.images.delete(ANA, images[0].id)
    await refer_to(library, images[3])
    results = await library.images.batches.run(ANA, "delete", [*(image.id for image in images), others.id])
    errors = [None, None, None, "still_referenced", None, "not_found"]
    asked = [*images, others]
    assert results == tuple(BatchResult(each.id, error) for each, error in zip(asked, errors, strict=True))
    assert [image.id for image in (await library.galleries.list_images(ANA, gallery_id)).items] == [images[3].id]
    assert await counts(library) == (2, 1, 0, 4, 2_000_000)


@pytest.mark.parametrize("at_once", [2, MAX_BATCH])
async def test_a_gallery_goes_with_the_images_that_are_nowhere_else(
    library: Library, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_service, "MAX_BATCH", at_once)
    own = [await library.add_image(make_image()) for _ in range(5)]
    shared = await library.add_image(make_image())
    gallery_id = await gallery_of(library, *own, shared, visibility="public")
    other_id = await gallery_of(library, shared)
    checked: list[int] = []
    await library.galleries.delete(
        ANA, gallery_id, with_images=True, check=lambda gallery: checked.append(gallery.image_count or 0)
    )
    assert checked == [6]
    assert await trash_of(library) == {image.id for image in own}
    assert [image.id for image in (await library.galleries.list_images(ANA, other_id)).items] == [shared.id]
    with pytest.raises(NotFound):
        await library.galleries.get(ANA, gallery_id)
    events = await recorded(library.database)
    assert {each.image_id for each in events if isinstance(each, ImageDeleted)} == {image.id for image in own}
    assert events[-1] == GalleryChanged("ana", gallery_id, "deleted", {"shop": 1})
    assert sum(map(len, await closed_urls(library.database))) == 6 * 3
    restored = await library.images.trash.restore(ANA, own[0].id)
    assert restored.deleted_at is None


async def test_a_gallery_that_is_not_deleted_keeps_its_images(library: Library) -> None:
    image = await library.add_image(make_image())
    gallery_id = await gallery_of(library, image, visibility="public")

    def refuse(_: object) -> None:
        raise Conflict("Not now.")

    with pytest.raises(Forbidden):
        await library.galleries.delete(BEN, gallery_id, with_images=True)
    with pytest.raises(Conflict):
        await library.galleries.delete(ANA, gallery_id, with_images=True, check=refuse)
    assert await trash_of(library) == set()
    assert (await library.galleries.get(ANA, gallery_id)).image_count == 1
    await library.galleries.delete(ANA, gallery_id)
    assert await trash_of(library) == set()
