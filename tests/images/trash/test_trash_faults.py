"""The trash when something breaks in between: nothing is lost, nothing is counted twice, and again is enough."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest
from attrs import define, evolve, field
from tests.support.clock import ManualClock
from tests.support.library import Library, make_image

from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable
from imagegallery.images.image.image import Image
from imagegallery.images.jobs import PURGE_OBJECTS
from imagegallery.images.trash.purge import PurgeObjects
from imagegallery.images.trash.service import BATCH, TrashOptions, TrashService
from imagegallery.principal import Principal
from imagegallery.queue.job import NewJob
from imagegallery.queue.protocol import JobOutbox
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.streams import bytes_chunks

ANA = Principal.user("ana")
LONG = timedelta(days=31)


@define
class FailingOutbox:
    """Takes ``jobs_left`` jobs, then fails."""

    outbox: JobOutbox
    jobs_left: int

    async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
        if self.jobs_left == 0:
            raise Unavailable("The outbox is away.")
        self.jobs_left -= 1
        await self.outbox.enqueue(connection, job, now=now)


class FailingStore(FilesystemStore):
    """Deletes ``deletions_left`` objects, then fails."""

    deletions_left = 0

    async def delete(self, key: str) -> None:
        if self.deletions_left == 0:
            raise Unavailable("The store is away.")
        self.deletions_left -= 1
        await super().delete(key)


@define
class State:
    """What there is of an owner's images."""

    images: int
    variants: int
    jobs: int
    storage_used: int = field(converter=int)


async def state(library: Library) -> State:
    async with library.database.connection() as connection:
        return State(
            images=await connection.fetchval("SELECT count(*) FROM images"),
            variants=await connection.fetchval("SELECT count(*) FROM image_variants"),
            jobs=await connection.fetchval("SELECT count(*) FROM jobs WHERE kind = $1", PURGE_OBJECTS),
            storage_used=await connection.fetchval("SELECT sum(storage_used) FROM owners"),
        )


async def fill_trash(library: Library, count: int) -> list[Image]:
    images = [await library.add_image(make_image(f"owner {number % 3}")) for number in range(count)]
    for image in images:
        await library.images.delete(Principal.user(image.owner_id), image.id)
    return images


@pytest.mark.parametrize("jobs_left", [0, 1, 4])
async def test_a_sweep_cut_short_has_changed_nothing_and_is_done_again(library: Library, jobs_left: int) -> None:
    await fill_trash(library, 5)
    library.clock.advance(LONG)
    before = await state(library)
    broken = evolve(library.images.trash, outbox=FailingOutbox(library.queue, jobs_left))

    with pytest.raises(Unavailable):
        await broken.sweep()
    assert await state(library) == before

    assert await library.images.trash.sweep() == 5
    assert await state(library) == State(images=0, variants=0, jobs=5, storage_used=0)


async def test_batches_before_the_fault_stay_done(library: Library) -> None:
    await fill_trash(library, BATCH + 2)
    library.clock.advance(LONG)
    broken = evolve(library.images.trash, outbox=FailingOutbox(library.queue, BATCH + 1))

    with pytest.raises(Unavailable):
        await broken.sweep()
    assert await state(library) == State(images=2, variants=6, jobs=BATCH, storage_used=2_000_000)

    assert await library.images.trash.sweep() == 2
    assert await state(library) == State(images=0, variants=0, jobs=BATCH + 2, storage_used=0)


async def test_a_database_that_dies_in_the_middle_has_purged_nothing(library: Library) -> None:
    (image,) = await fill_trash(library, 1)
    before = await state(library)

    @define
    class Killer:
        async def enqueue(self, connection: Connection, job: NewJob, *, now: datetime) -> None:
            await connection.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")

    broken = evolve(library.images.trash, outbox=Killer())
    with pytest.raises(Unavailable):
        await broken.purge(Principal.user(image.owner_id), image.id)
    assert await state(library) == before

    await library.images.trash.purge(Principal.user(image.owner_id), image.id)
    assert await state(library) == State(images=0, variants=0, jobs=1, storage_used=0)


async def test_several_sweepers_purge_each_image_once(library: Library) -> None:
    await fill_trash(library, 30)
    library.clock.advance(LONG)
    counts: list[int] = []

    async def sweep() -> None:
        counts.append(await library.images.trash.sweep())

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(sweep)

    assert sum(counts) == 30
    assert await state(library) == State(images=0, variants=0, jobs=30, storage_used=0)


async def test_a_sweeper_passes_over_what_is_being_restored(library: Library, database: Database) -> None:
    held, other = await fill_trash(library, 2)
    library.clock.advance(LONG)

    async with database.transaction() as connection:
        await connection.execute("SELECT FROM images WHERE id = $1 FOR UPDATE", held.id)
        with anyio.fail_after(30):
            assert await library.images.trash.sweep() == 1

    assert (await state(library)).images == 1
    assert (await library.images.trash.restore(Principal.user(held.owner_id), held.id)).id == held.id
    assert other.owner_id != held.owner_id


@pytest.fixture
async def failing_store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[FailingStore]:
    async with FailingStore(tmp_path, UrlSigner(b"a secret for these tests only", clock), clock) as store:
        yield store


@pytest.mark.parametrize("deletions_left", [0, 1, 3])
async def test_objects_left_by_a_store_that_went_away_go_with_the_next_attempt(
    library: Library, failing_store: FailingStore, deletions_left: int
) -> None:
    image = await library.add_image(make_image())
    for key in (image.original_key, *(variant.key for variant in image.variants)):
        await failing_store.put(key, bytes_chunks(b"bytes"), content_type="image/webp")
    await library.delete_for_good(image)
    (job,) = await library.queue.claim([PURGE_OBJECTS], limit=1, lease=timedelta(minutes=1))
    failing_store.deletions_left = deletions_left

    with pytest.raises(Unavailable):
        await PurgeObjects(library.database, failing_store).run(job)
    assert len([found async for found in failing_store.list()]) == 4 - deletions_left

    failing_store.deletions_left = 100
    await PurgeObjects(library.database, failing_store).run(job)
    assert [found async for found in failing_store.list()] == []


async def test_nothing_is_kept_if_nothing_is_to_be_kept(library: Library) -> None:
    image = await library.add_image(make_image())
    at_once: TrashService = evolve(library.images.trash, options=TrashOptions(timedelta(0)))
    await library.images.delete(ANA, image.id)

    assert await at_once.sweep() == 1
    with pytest.raises(ValueError, match=">= "):
        TrashOptions(timedelta(seconds=-1))
