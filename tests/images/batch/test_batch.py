"""One thing done to many images: the request is right or refused as a whole, then each image has its own result."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import anyio
import pytest
from attrs import evolve
from tests.support.library import Library, make_image

from imagegallery.access.audience import VisibilityLike
from imagegallery.common.unset import UNSET
from imagegallery.common.validation import MAX_BATCH
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from imagegallery.images.batch.batch import BatchAction, BatchActionLike, BatchResult
from imagegallery.images.image.image import Image
from imagegallery.images.words.words import MAX_TAGS
from imagegallery.principal import Principal

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()


async def new_images(library: Library, count: int) -> list[Image]:
    images = [make_image(age=timedelta(hours=number)) for number in range(count)]
    await library.add_images(images)
    return images


async def gallery_of(
    library: Library, *images: Image, owner: Principal = ANA, visibility: VisibilityLike = "private"
) -> UUID:
    gallery = await library.galleries.create(owner, name="Lisbon", visibility=visibility)
    if images:
        await library.galleries.add_images(owner, gallery.id, [image.id for image in images])
    return gallery.id


async def shown_in(library: Library, gallery_id: UUID) -> list[UUID]:
    return [image.id for image in (await library.galleries.list_images(ANA, gallery_id)).items]


def ids(*images: Image) -> list[UUID]:
    return [image.id for image in images]


def done(*images: Image) -> tuple[BatchResult, ...]:
    return tuple(BatchResult(image.id) for image in images)


def not_found(image_id: UUID) -> BatchResult:
    return BatchResult(image_id, "not_found")


@pytest.mark.parametrize(
    ("action", "flag", "value"),
    [
        ("favorite", "is_favorite", True),
        ("unfavorite", "is_favorite", False),
        ("archive", "is_archived", True),
        ("unarchive", "is_archived", False),
    ],
)
async def test_flags(library: Library, action: BatchActionLike, flag: str, value: bool) -> None:
    other_way, already, untouched = await new_images(library, 3)
    await library.images.update(ANA, other_way.id, is_favorite=not value, is_archived=not value)
    await library.images.update(ANA, already.id, is_favorite=value, is_archived=value)
    before = {image.id: await library.images.get(ANA, image.id) for image in (other_way, already, untouched)}
    library.clock.advance(timedelta(minutes=1))

    assert await library.images.batches.run(ANA, action, ids(already, other_way)) == done(already, other_way)

    changed = await library.images.get(ANA, other_way.id)
    assert getattr(changed, flag) is value
    assert [changed.is_favorite, changed.is_archived].count(value) == 1
    assert changed.updated_at == library.clock()
    assert await library.images.get(ANA, already.id) == before[already.id]
    assert await library.images.get(ANA, untouched.id) == before[untouched.id]


async def test_the_trash_and_back(library: Library) -> None:
    first, second, third = await new_images(library, 3)
    gallery_id = await gallery_of(library, first, second, third)

    assert await library.images.batches.run(ANA, "trash", ids(third, first)) == done(third, first)
    assert await shown_in(library, gallery_id) == [second.id]
    assert (await library.galleries.get(ANA, gallery_id)).image_count == 1
    assert await library.images.batches.run(ANA, "trash", ids(first)) == (not_found(first.id),)

    assert await library.images.batches.run(ANA, "restore", ids(first, second)) == done(first, second)
    assert await shown_in(library, gallery_id) == ids(first, second)


async def test_into_a_gallery_and_out_of_it(library: Library) -> None:
    first, second, third = await new_images(library, 3)
    gallery_id = await gallery_of(library, first)
    run = library.images.batches.run

    added = await run(ANA, "add_to_gallery", ids(third, first, second), gallery_id=gallery_id)
    assert added == done(third, first, second)
    assert await shown_in(library, gallery_id) == ids(first, third, second)

    await library.images.delete(ANA, third.id)
    removed = await run(ANA, "remove_from_gallery", ids(first, third), gallery_id=gallery_id)
    assert removed == (*done(first), not_found(third.id))
    assert await run(ANA, "remove_from_gallery", ids(first), gallery_id=gallery_id) == (not_found(first.id),)
    assert await shown_in(library, gallery_id) == ids(second)
    assert (await library.galleries.get(ANA, gallery_id)).image_count == 1


async def test_tags_and_stars_of_many(library: Library) -> None:
    first, second = await new_images(library, 2)
    full = await library.add_image(evolve(make_image(), tags=tuple(map(str, range(MAX_TAGS)))))
    run = library.images.batches.run

    added = await run(ANA, "add_tags", ids(first, full, second), tags=["Tram", "sea", "TRAM"])
    assert added == (*done(first), BatchResult(full.id, "too_many_tags"), *done(second))
    assert await run(ANA, "add_tags", ids(full), tags=["7", "8"]) == done(full), "it has these"
    assert await run(ANA, "remove_tags", ids(first), tags=["SEA", "unknown"]) == done(first)
    assert await run(ANA, "rate", ids(first, second), rating=4) == done(first, second)
    assert await run(ANA, "rate", ids(second), rating=None) == done(second)

    shown = [await library.images.get(ANA, image.id) for image in (first, second)]
    assert [(image.tags, image.rating) for image in shown] == [(("Tram",), 4), (("sea", "Tram"), None)]
    assert all(image.own_words == {"tags", "rating"} for image in shown)
    counted = {each.name: each.image_count for each in (await library.images.tags.list(ANA, prefix="t")).items}
    assert counted == {"Tram": 2}


@pytest.mark.parametrize("action", BatchAction)
async def test_what_is_not_ones_own_is_not_found_and_the_rest_is_done(library: Library, action: BatchAction) -> None:
    (mine,) = await new_images(library, 1)
    theirs = await library.add_image(make_image("ben"))
    await gallery_of(library, theirs, owner=BEN, visibility="public")
    purged = await library.add_image(make_image())
    await library.delete_for_good(purged)
    gallery_id = await gallery_of(library, mine) if "gallery" in action else None
    unknown = uuid4()
    before = await library.images.get(BEN, theirs.id)

    results = await library.images.batches.run(
        ANA,
        action,
        [unknown, mine.id, theirs.id, purged.id],
        gallery_id=gallery_id,
        tags=["tram"] if "tags" in action else None,
        rating=3 if action == "rate" else UNSET,
    )

    assert results == (not_found(unknown), *done(mine), not_found(theirs.id), not_found(purged.id))
    assert await library.images.get(BEN, theirs.id) == before


async def test_a_request_that_is_wrong_changes_nothing(library: Library) -> None:
    (image,) = await new_images(library, 1)
    gallery_id = await gallery_of(library, image)
    before = await library.images.get(ANA, image.id)
    many = [image.id, *(uuid4() for _ in range(MAX_BATCH))]
    run = library.images.batches.run

    for attempt, paths in (
        (run(ANA, "trash", many), [("body", "ids")]),
        (run(ANA, "trash", []), [("body", "ids")]),
        (run(ANA, "trash", [image.id, uuid4(), image.id]), [("body", "ids", "2")]),
        (run(ANA, "burn", [image.id]), [("body", "action")]),  # type: ignore[arg-type]
        (run(ANA, "add_to_gallery", [image.id]), [("body", "gallery_id")]),
        (run(ANA, "trash", [], gallery_id=gallery_id), [("body", "gallery_id"), ("body", "ids")]),
        (run(ANA, "add_tags", [image.id]), [("body", "tags")]),
        (run(ANA, "remove_tags", [image.id], tags=["a\0"]), [("body", "tags", "0")]),
        (run(ANA, "rate", [image.id], tags=["a"]), [("body", "tags"), ("body", "rating")]),
        (run(ANA, "rate", [image.id], rating=6), [("body", "rating")]),
    ):
        with pytest.raises(InvalidInput) as caught:
            await attempt
        assert [fault.path for fault in caught.value.faults] == paths
    with pytest.raises(Unauthenticated):
        await run(VISITOR, "trash", [image.id])
    assert await library.images.get(ANA, image.id) == before


@pytest.mark.parametrize(
    ("visibility", "error"), [("private", NotFound), ("unlisted", Forbidden), ("public", Forbidden)]
)
@pytest.mark.parametrize("action", ["add_to_gallery", "remove_from_gallery"])
async def test_anothers_gallery(
    library: Library, visibility: VisibilityLike, error: type[Exception], action: BatchActionLike
) -> None:
    (image,) = await new_images(library, 1)
    theirs = await gallery_of(library, owner=BEN, visibility=visibility)

    with pytest.raises(error):
        await library.images.batches.run(ANA, action, [image.id], gallery_id=theirs)
    with pytest.raises(NotFound):
        await library.images.batches.run(ANA, action, [image.id], gallery_id=uuid4())


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is run in transactions."""
    seen: list[str] = []
    transaction = Database.transaction

    @asynccontextmanager
    async def watched(database: Database, **arguments: None) -> AsyncIterator[Connection]:
        async with transaction(database, **arguments) as connection:
            with connection.query_logger(lambda record: seen.append(record.query)):
                yield connection

    monkeypatch.setattr(Database, "transaction", watched)
    return seen


async def test_a_thousand_take_no_more_statements_than_ten(library: Library, statements: list[str]) -> None:
    images = await new_images(library, 1000)
    gallery_id = await gallery_of(library)
    counts = []
    for some in (images[:2], images[2:10], images[10:]):  # the first also looks up types
        statements.clear()
        for action, gallery in (("add_to_gallery", gallery_id), ("trash", None), ("restore", None), ("archive", None)):
            results = await library.images.batches.run(ANA, action, ids(*some), gallery_id=gallery)  # type: ignore[arg-type]
            assert all(result.error is None for result in results)
        await library.images.batches.run(ANA, "remove_from_gallery", ids(*some[1:]), gallery_id=gallery_id)
        counts.append(len(statements))
    assert counts[1] == counts[2] > 10
    assert (await library.galleries.get(ANA, gallery_id)).image_count == 3


async def test_batches_over_the_same_images_do_not_block_each_other_for_good(library: Library) -> None:
    images = await new_images(library, 20)
    first, second = await gallery_of(library, *images), await gallery_of(library, *reversed(images))
    forwards, backwards = ids(*images), ids(*reversed(images))
    run = library.images.batches.run

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(run, ANA, "trash", forwards)
            tasks.start_soon(run, ANA, "restore", backwards)
            tasks.start_soon(run, ANA, "favorite", backwards)
    await run(ANA, "restore", forwards)

    assert await shown_in(library, first) == forwards
    assert await shown_in(library, second) == backwards
