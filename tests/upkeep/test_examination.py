"""What `doctor` says about a database and a store, in order and out of it."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.clock import START, ManualClock
from tests.support.library import Library
from tests.support.studio import LEASE, FailingStore

from imagegallery.clock import utc_now
from imagegallery.database.pool import Database
from imagegallery.errors import Unavailable
from imagegallery.images.library.index_records import index_meta
from imagegallery.queue.job import NewJob
from imagegallery.storage.protocol import ByteRange, ObjectInfo, ObjectStream
from imagegallery.storage.signatures import UrlSigner
from imagegallery.storage.streams import bytes_chunks
from imagegallery.upkeep.check import Check, Level
from imagegallery.upkeep.examination import OVERDUE, attempt, check_store, examine_database, judge_clock

SECRET = b"only for tests, never for a service"


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[FailingStore]:
    async with FailingStore(tmp_path / "objects", UrlSigner(SECRET, clock)) as store:
        yield store


async def levels(database: Database, clock: ManualClock | None = None) -> dict[str, Level]:
    return {check.name: check.level async for check in examine_database(database, clock or utc_now)}


async def test_a_database_in_order(database: Database) -> None:
    parts = ["database", "migrations", "clocks", "queue", "worker", "indexes of meta"]
    assert await levels(database) == dict.fromkeys(parts, Level.OK)


async def test_an_index_that_the_settings_name_and_is_not_there(database: Database) -> None:
    checks = {check.name: check async for check in examine_database(database, utc_now, ("sku",))}
    assert "images_meta_sku" in str(checks["indexes of meta"])
    await index_meta(database, ("sku",))
    checks = {check.name: check async for check in examine_database(database, utc_now, ("sku",))}
    assert checks["indexes of meta"].level is Level.OK


async def test_migrations_that_are_not_applied(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("DELETE FROM schema_migrations")
    found = await levels(database)
    assert found["migrations"] is Level.ERROR
    assert "queue" not in found


async def test_a_table_of_migrations_that_is_another_programs(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("ALTER TABLE schema_migrations DROP COLUMN checksum")
    [found] = [check async for check in examine_database(database, utc_now) if check.name == "migrations"]
    assert found.level is Level.ERROR
    assert "set database.schema" in found.detail


async def test_a_clock_that_is_wrong(database: Database, clock: ManualClock) -> None:
    """The database lives in another year than this clock."""
    assert (await levels(database, clock))["clocks"] is Level.ERROR


@pytest.mark.parametrize(
    ("offset", "level"),
    [
        (timedelta(0), Level.OK),
        (timedelta(seconds=4), Level.OK),  # somewhere on the way
        (timedelta(seconds=7), Level.WARNING),
        (timedelta(seconds=-3), Level.WARNING),
        (timedelta(seconds=15), Level.ERROR),
        (timedelta(seconds=-10), Level.ERROR),
    ],
)
def test_the_way_there_and_back_is_not_held_against_a_clock(offset: timedelta, level: Level) -> None:
    assert judge_clock(START + offset, START, START + timedelta(seconds=5)).level is level


async def test_dead_letters_and_jobs_that_nobody_does(database: Database, tmp_path: Path, clock: ManualClock) -> None:
    library = Library.on(database, tmp_path, clock)
    async with database.transaction() as connection:
        for kind in ("image.process", "image.purge"):
            await library.queue.enqueue(connection, NewJob(kind), now=clock())
    (job,) = await library.queue.claim(["image.purge"], limit=1, lease=LEASE)
    await library.queue.bury(job, error="the store went away")
    clock.advance(OVERDUE)
    checks = {check.name: check async for check in examine_database(database, clock)}
    assert checks["queue"].level is Level.WARNING
    assert "the store went away" in checks["queue"].detail
    assert checks["worker"].level is Level.WARNING


async def test_a_store_in_order_is_left_as_it_was(store: FailingStore) -> None:
    assert (await check_store(store)).level is Level.OK
    assert [info async for info in store.list()] == []


async def test_a_store_that_cannot_be_written_to(store: FailingStore) -> None:
    store.puts_left = 0
    found = await attempt("store", "buy a disk", lambda: check_store(store))
    assert found == Check.error("store", "The store went away.", "buy a disk")


class ForgetfulStore(FailingStore):
    """Keeps something else than it is given."""

    async def put(
        self,
        key: str,
        data: AsyncIterable[bytes],
        *,
        content_type: str,
        max_size: int | None = None,
        if_absent: bool = False,
    ) -> ObjectInfo:
        return await super().put(key, bytes_chunks(b"?"), content_type=content_type)


async def test_a_store_that_gives_back_something_else(tmp_path: Path, clock: ManualClock) -> None:
    async with ForgetfulStore(tmp_path, UrlSigner(SECRET, clock)) as store:
        assert (await check_store(store)).level is Level.ERROR
        assert [info async for info in store.list()] == []


async def test_a_probe_that_cannot_be_read_is_taken_back(store: FailingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def unreadable(key: str, byte_range: ByteRange | None = None) -> AsyncIterator[ObjectStream]:
        raise Unavailable("The store went away.")
        yield

    monkeypatch.setattr(store, "get", unreadable)
    with pytest.raises(Unavailable):
        await check_store(store)
    assert [info async for info in store.list()] == []
