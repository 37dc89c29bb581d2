"""The trash on a real database: out of sight at once, back as it was, gone for good in the end."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import anyio
import asyncpg
import pytest
from attrs import evolve
from tests.support.library import Library, digest_of, make_image, with_failure

from imagegallery.access.audience import VisibilityLike
from imagegallery.errors import (
    Conflict,
    Forbidden,
    InvalidCursor,
    InvalidInput,
    NotFound,
    StillReferenced,
    Unauthenticated,
)
from imagegallery.images.image.image import Image
from imagegallery.images.jobs import PURGE_OBJECTS
from imagegallery.images.trash import service as trash
from imagegallery.images.trash.checks import RefusedPurges
from imagegallery.principal import Principal
from imagegallery.reconciliation.finding import RepairOutcome

ANA, BEN, VISITOR = Principal.user("ana"), Principal.user("ben"), Principal.anonymous()
RETENTION = timedelta(days=30)


async def gallery_of(library: Library, *images: Image, visibility: VisibilityLike = "public") -> UUID:
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility=visibility)
    if images:
        await library.galleries.add_images(ANA, gallery.id, [image.id for image in images])
    return gallery.id


async def shown_in(library: Library, gallery_id: UUID) -> list[UUID]:
    return [image.id for image in (await library.galleries.list_images(ANA, gallery_id)).items]


async def new_images(library: Library, count: int) -> list[Image]:
    images = [make_image() for _ in range(count)]
    await library.add_images(images)
    return images


async def rows_left(library: Library, image_id: UUID) -> Mapping[str, int]:
    columns = {"images": "id", "image_variants": "image_id", "gallery_images": "image_id"}
    columns["trashed_memberships"] = "image_id"
    async with library.database.connection() as connection:
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", image_id)
            for table, column in columns.items()
        }


async def storage_used(library: Library, owner_id: str = "ana") -> int | None:
    async with library.database.connection() as connection:
        used: int | None = await connection.fetchval("SELECT storage_used FROM owners WHERE owner_id = $1", owner_id)
        return used


async def positions(library: Library, gallery_id: UUID) -> dict[UUID, int]:
    sql = "SELECT image_id, position FROM gallery_images WHERE gallery_id = $1"
    async with library.database.connection() as connection:
        return {row["image_id"]: row["position"] for row in await connection.fetch(sql, gallery_id)}


async def put_at(library: Library, gallery_id: UUID, image: Image, position: int) -> None:
    sql = "UPDATE gallery_images SET position = $3 WHERE gallery_id = $1 AND image_id = $2"
    async with library.database.connection() as connection:
        await connection.execute(sql, gallery_id, image.id, position)


async def purges(library: Library) -> list[str]:
    """The images for whose objects there is a job."""
    jobs = await library.queue.claim([PURGE_OBJECTS], limit=1000, lease=timedelta(minutes=1))
    return sorted(str(job.payload["image_id"]) for job in jobs)


async def test_an_image_in_the_trash_does_not_exist(library: Library) -> None:
    image = await library.add_image(make_image())
    gallery_id = await gallery_of(library, image)
    images = library.images

    await images.delete(ANA, image.id)

    assert await rows_left(library, image.id) == {
        "images": 1, "image_variants": 3, "gallery_images": 0, "trashed_memberships": 1,
    }  # fmt: skip
    gallery = await library.galleries.get(ANA, gallery_id)
    assert (gallery.image_count, gallery.cover) == (0, None)
    assert await shown_in(library, gallery_id) == []
    assert (await images.library.list(ANA)).items == ()
    assert await images.library.timeline(ANA) == ()
    assert await images.find_by_content(ANA, digest_of(image)) is None
    for attempt in (
        images.get(ANA, image.id),
        images.view(ANA, image.id),
        images.update(ANA, image.id, alt_text="still here"),
        images.update(ANA, image.id, filename="still-here.jpg"),
        images.retry(ANA, image.id),
        images.download_url(ANA, image.id),
        library.check_open(image.variants[0].key),
        images.delete(ANA, image.id),
        images.get(VISITOR, image.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(InvalidInput, match="not one of your images"):
        await library.galleries.add_images(ANA, gallery_id, [image.id])


async def test_the_trash_takes_storage_until_it_is_purged(library: Library) -> None:
    image, other = await new_images(library, 2)

    await library.images.delete(ANA, image.id)
    assert await storage_used(library) == image.file_size + other.file_size

    await library.images.trash.purge(ANA, image.id)
    assert await storage_used(library) == other.file_size


async def test_the_trash_lists_what_went_in_last_first(library: Library) -> None:
    images = await new_images(library, 5)
    await library.add_image(make_image("ben"))
    for image in images:
        await library.images.delete(ANA, image.id)
        library.clock.advance(timedelta(seconds=1))

    shown: list[Image] = []
    cursor = None
    while not shown or cursor is not None:
        page = await library.images.trash.list(ANA, cursor=cursor, limit=2)
        shown += page.items
        cursor = page.next_cursor

    assert [image.id for image in shown] == [image.id for image in reversed(images)]
    assert all(image.deleted_at is not None for image in shown)
    assert shown[0].variants[0].url.startswith("/objects/")
    assert (await library.images.trash.list(BEN)).items == ()
    with pytest.raises(InvalidCursor):
        await library.images.trash.list(ANA, cursor=(await library.images.library.list(ANA)).next_cursor or "x")


async def test_a_restoration_brings_everything_back(library: Library) -> None:
    images = await new_images(library, 3)
    public = await gallery_of(library, *images)
    private = await gallery_of(library, images[1], visibility="private")
    await library.galleries.update(ANA, public, cover_image_id=images[1].id)
    before = {gallery_id: await positions(library, gallery_id) for gallery_id in (public, private)}

    await library.images.delete(ANA, images[1].id)
    restored = await library.images.trash.restore(ANA, images[1].id)

    assert restored.deleted_at is None
    assert restored.variants[0].url.startswith("/files/")
    assert {gallery_id: await positions(library, gallery_id) for gallery_id in (public, private)} == before
    gallery = await library.galleries.get(ANA, public)
    assert (gallery.image_count, gallery.cover_image_id) == (3, images[1].id)
    assert (await library.galleries.get(ANA, private)).image_count == 1
    assert (await rows_left(library, images[1].id))["trashed_memberships"] == 0
    await library.check_open(images[1].variants[0].key)
    assert len((await library.images.library.list(ANA)).items) == 3


async def test_a_cover_chosen_meanwhile_stays(library: Library) -> None:
    images = await new_images(library, 2)
    gallery_id = await gallery_of(library, *images)
    await library.galleries.update(ANA, gallery_id, cover_image_id=images[0].id)
    await library.images.delete(ANA, images[0].id)
    await library.galleries.update(ANA, gallery_id, cover_image_id=images[1].id)

    await library.images.trash.restore(ANA, images[0].id)

    assert (await library.galleries.get(ANA, gallery_id)).cover_image_id == images[1].id


async def test_what_is_added_meanwhile_goes_behind_the_place_in_the_trash(library: Library) -> None:
    first, second, third = await new_images(library, 3)
    gallery_id = await gallery_of(library, first, second)
    await library.images.delete(ANA, second.id)
    await library.galleries.add_images(ANA, gallery_id, [third.id])

    await library.images.trash.restore(ANA, second.id)

    assert await shown_in(library, gallery_id) == [first.id, second.id, third.id]


async def test_an_image_whose_position_is_taken_comes_right_behind(library: Library) -> None:
    images = await new_images(library, 4)
    gallery_id = await gallery_of(library, *images)
    trashed, taker, neighbour, last = images
    position = (await positions(library, gallery_id))[trashed.id]
    await library.images.delete(ANA, trashed.id)
    await put_at(library, gallery_id, taker, position)
    await put_at(library, gallery_id, neighbour, position + 1)

    await library.images.trash.restore(ANA, trashed.id)

    assert await shown_in(library, gallery_id) == [taker.id, neighbour.id, trashed.id, last.id]
    assert (await library.galleries.get(ANA, gallery_id)).image_count == 4


async def test_several_that_were_at_one_position_all_come_back(library: Library) -> None:
    images = await new_images(library, 8)
    gallery_id = await gallery_of(library, *images)
    *trashed, taker = images
    for image in trashed:
        await put_at(library, gallery_id, image, 7)
        await library.images.delete(ANA, image.id)
    await put_at(library, gallery_id, taker, 10)

    for image in trashed[:2]:
        await library.images.trash.restore(ANA, image.id)
    rest = [image.id for image in trashed[2:]]
    await library.images.batches.run(ANA, "restore", rest)

    found = await positions(library, gallery_id)
    assert len(found) == (await library.galleries.get(ANA, gallery_id)).image_count == 8
    assert sorted(found.values()) == list(range(7, 15))


async def test_galleries_deleted_meanwhile_are_gone(library: Library) -> None:
    image = await library.add_image(make_image())
    gone, kept = await gallery_of(library, image), await gallery_of(library, image)
    await library.images.delete(ANA, image.id)
    await library.galleries.delete(ANA, gone)

    await library.images.trash.restore(ANA, image.id)

    assert await shown_in(library, kept) == [image.id]
    assert (await rows_left(library, image.id))["gallery_images"] == 1


async def test_what_was_uploaded_again_meanwhile_is_another_image(library: Library) -> None:
    image = await library.add_image(make_image())
    await library.images.delete(ANA, image.id)
    again = await library.add_image(evolve(make_image(), sha256=image.sha256))
    assert await library.images.find_by_content(ANA, digest_of(image)) == again.id

    await library.images.trash.restore(ANA, image.id)

    assert {each.id for each in (await library.images.library.list(ANA)).items} == {image.id, again.id}


async def test_restoring_what_is_not_in_the_trash_changes_nothing(library: Library) -> None:
    image = await library.add_image(with_failure(make_image()))
    library.clock.advance(timedelta(seconds=1))

    assert (await library.images.trash.restore(ANA, image.id)).updated_at == image.updated_at


async def test_a_restoration_after_the_purge_finds_nothing(library: Library) -> None:
    image = await library.add_image(make_image())
    await library.delete_for_good(image)

    for attempt in (library.images.trash.restore(ANA, image.id), library.images.trash.purge(ANA, image.id)):
        with pytest.raises(NotFound):
            await attempt
    assert set((await rows_left(library, image.id)).values()) == {0}
    assert await purges(library) == [str(image.id)]


async def test_only_what_is_in_the_trash_is_purged(library: Library) -> None:
    image = await library.add_image(make_image())

    with pytest.raises(Conflict):
        await library.images.trash.purge(ANA, image.id)
    assert (await library.images.get(ANA, image.id)).id == image.id


@pytest.mark.parametrize("is_trashed", [False, True])
async def test_the_trash_is_its_owners(library: Library, is_trashed: bool) -> None:
    image = await library.add_image(make_image())
    await gallery_of(library, image)
    if is_trashed:
        await library.images.delete(ANA, image.id)
    trash, id_, error = library.images.trash, image.id, NotFound if is_trashed else Forbidden

    for attempt in (trash.put(BEN, id_), trash.restore(BEN, id_), trash.purge(BEN, id_)):
        with pytest.raises(error):
            await attempt
    for attempt in (trash.put(VISITOR, id_), trash.restore(VISITOR, id_), trash.purge(VISITOR, id_)):
        with pytest.raises(Unauthenticated):
            await attempt
    with pytest.raises(Unauthenticated):
        await trash.list(VISITOR)
    with pytest.raises(NotFound):
        await trash.restore(ANA, uuid4())
    assert (await rows_left(library, id_))["images"] == 1


async def test_the_sweeper_purges_what_is_over_time_and_nothing_else(library: Library) -> None:
    old, young, kept = await new_images(library, 3)
    await library.images.delete(ANA, old.id)
    library.clock.advance(timedelta(days=1))
    await library.images.delete(ANA, young.id)
    library.clock.advance(RETENTION - timedelta(days=1, seconds=1))
    assert await library.images.trash.sweep() == 0

    library.clock.advance(timedelta(seconds=1))
    assert await library.images.trash.sweep() == 1

    assert await purges(library) == [str(old.id)]
    assert [image.id for image in (await library.images.trash.list(ANA)).items] == [young.id]
    assert [image.id for image in (await library.images.library.list(ANA)).items] == [kept.id]
    assert await storage_used(library) == young.file_size + kept.file_size


async def _attempts(library: Library, image_id: UUID, calls: Sequence[str]) -> list[str]:
    """What came of several calls about one image at the same time."""
    outcomes: list[str] = []
    trash = library.images.trash
    does: dict[str, Callable[[Principal, UUID], Awaitable[object]]] = {
        "put": trash.put,
        "restore": trash.restore,
        "purge": trash.purge,
    }

    async def attempt(call: str) -> None:
        try:
            await does[call](ANA, image_id)
        except (NotFound, Conflict):
            outcomes.append(f"no {call}")
        else:
            outcomes.append(call)

    async with anyio.create_task_group() as tasks:
        for call in calls:
            tasks.start_soon(attempt, call)
    return sorted(outcomes)


async def test_deleting_twice_at_once_deletes_once(library: Library) -> None:
    image = await library.add_image(make_image())
    gallery_id = await gallery_of(library, image)

    assert await _attempts(library, image.id, ["put"] * 4) == ["no put"] * 3 + ["put"]
    assert (await library.galleries.get(ANA, gallery_id)).image_count == 0


async def test_restoring_and_purging_at_once_does_one_of_them(library: Library) -> None:
    image = await library.add_image(make_image())
    gallery_id = await gallery_of(library, image)
    await library.images.delete(ANA, image.id)

    outcomes = await _attempts(library, image.id, ["restore", "purge", "restore", "purge"])

    is_purged = "purge" in outcomes
    assert outcomes.count("purge") <= 1
    assert (await rows_left(library, image.id))["images"] == (0 if is_purged else 1)
    assert (await library.galleries.get(ANA, gallery_id)).image_count == (0 if is_purged else 1)
    assert await storage_used(library) == (0 if is_purged else image.file_size)


async def refer_to(library: Library, image: Image, how: str) -> None:
    """As an application does that shares the database, and knows nothing of the trash."""
    async with library.database.connection() as connection:
        await connection.execute(f"CREATE TABLE orders (image_id uuid REFERENCES images {how})")
        await connection.execute("INSERT INTO orders VALUES ($1)", image.id)


@pytest.mark.parametrize("how", ["", "ON DELETE RESTRICT", "DEFERRABLE INITIALLY DEFERRED"])
async def test_an_image_that_the_application_refers_to_keeps_no_other_in_the_trash(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    monkeypatch.setattr(trash, "BATCH", 2)
    images = await new_images(library, 5)
    for image in images:
        await library.images.delete(ANA, image.id)
    await refer_to(library, images[0], how)
    library.clock.advance(RETENTION)

    assert await library.images.trash.sweep() == 4
    assert [image.id for image in (await library.images.trash.list(ANA)).items] == [images[0].id]
    assert await purges(library) == sorted(str(image.id) for image in images[1:])
    assert await storage_used(library) == images[0].file_size
    assert f"image {images[0].id} stays in the trash" in caplog.text

    with pytest.raises(StillReferenced, match="still refer") as refused:
        await library.images.trash.purge(ANA, images[0].id)
    assert (refused.value.table, refused.value.constraint) == ("orders", "orders_image_id_fkey")
    assert "orders" not in refused.value.message
    async with library.database.connection() as connection:
        await connection.execute("DELETE FROM orders")
    assert await library.images.trash.sweep() == 0, "it waits for a while"
    library.clock.advance(trash.SHORTEST_PAUSE)
    assert await library.images.trash.sweep() == 1
    assert await storage_used(library) == 0


async def test_a_row_that_the_application_holds_keeps_no_other_in_the_trash(
    library: Library, database_dsn: str
) -> None:
    images = await new_images(library, 3)
    for image in images:
        await library.images.delete(ANA, image.id)
    await refer_to(library, images[0], "ON DELETE SET NULL")
    library.clock.advance(RETENTION)
    application = await asyncpg.connect(database_dsn)
    async with application.transaction():
        await application.execute("SELECT FROM orders FOR UPDATE")
        assert await library.images.trash.sweep() == 2
    assert await library.images.trash.sweep() == 1
    assert await application.fetchval("SELECT image_id FROM orders") is None
    await application.close()


async def test_what_the_application_holds_of_one_owner_keeps_nobody_elses_in_the_trash(
    library: Library, database_dsn: str
) -> None:
    """It has attached a picture of Ana's, and not committed yet: what she stores is still to be said."""
    images = [await library.add_image(make_image(owner)) for owner in ("ana", "ben")]
    for image in images:
        await library.images.delete(Principal.user(image.owner_id), image.id)
    library.clock.advance(RETENTION)
    application = await asyncpg.connect(database_dsn)
    async with application.transaction():
        await application.execute("SELECT FROM owners WHERE owner_id = 'ana' FOR UPDATE")
        assert await library.images.trash.sweep() == 1
    assert await library.images.trash.sweep() == 1
    await application.close()


async def test_the_longer_a_purge_is_refused_the_rarer_it_is_tried(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    image = await library.add_image(make_image())
    await library.images.delete(ANA, image.id)
    await refer_to(library, image, "ON DELETE RESTRICT")
    library.clock.advance(RETENTION)
    attempts = []
    for hour in range(24 * 4):
        caplog.clear()
        assert await library.images.trash.sweep() == 0
        attempts += [hour] if caplog.messages else []
        library.clock.advance(timedelta(hours=1))
    assert attempts == [0, 1, 2, 4, 8, 16, 32, 56, 80]


async def test_what_comes_back_from_the_trash_is_not_refused_any_more(library: Library) -> None:
    image = await library.add_image(make_image())
    await library.images.delete(ANA, image.id)
    await refer_to(library, image, "ON DELETE RESTRICT")
    library.clock.advance(RETENTION)
    await library.images.trash.sweep()
    assert len(await refused_purges(library, repair=False)) == 1
    await library.images.trash.restore(ANA, image.id)
    assert await refused_purges(library, repair=False) == []


async def refused_purges(library: Library, *, repair: bool) -> list[tuple[str, RepairOutcome]]:
    """What `reconcile` says of them."""
    phase = RefusedPurges(library.database, library.images.trash)
    found = [each async for step in phase.run(repair=repair) for each in step.findings]
    assert await phase.total() == len(found) or repair
    return [(each.detail, each.outcome) for each in found]


async def test_reconcile_reports_what_refuses_a_purge_and_tries_once_more(library: Library) -> None:
    image = await library.add_image(make_image())
    await library.images.delete(ANA, image.id)
    await refer_to(library, image, "ON DELETE RESTRICT")
    library.clock.advance(RETENTION)
    await library.images.trash.sweep()

    [(detail, outcome)] = await refused_purges(library, repair=False)
    assert detail.endswith("refused by orders_image_id_fkey of orders")
    assert outcome is RepairOutcome.FOUND
    assert await refused_purges(library, repair=True) == [(detail, RepairOutcome.BEYOND_REPAIR)]
    async with library.database.connection() as connection:
        await connection.execute("DELETE FROM orders")
    assert await refused_purges(library, repair=True) == [(detail, RepairOutcome.REPAIRED)]
    assert await refused_purges(library, repair=False) == []


async def test_in_the_hosts_transaction_its_row_goes_with_the_image_in_either_order(library: Library) -> None:
    """What the host defers is left to its commit."""
    image = await library.add_image(make_image())
    await library.images.delete(ANA, image.id)
    await refer_to(library, image, "DEFERRABLE INITIALLY DEFERRED")
    async with library.database.transaction() as host:
        await library.images.trash.purge(ANA, image.id, connection=host)
        await host.execute("DELETE FROM orders")
    assert (await rows_left(library, image.id))["images"] == 0
