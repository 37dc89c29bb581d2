"""Read replicas, on two real servers: a read sees all that was committed before, wherever it is carried out."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast
from uuid import UUID

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from anyio.lowlevel import checkpoint
from attrs import evolve
from tests.database.standby import Pair, running_pair
from tests.support.processes import running_process, settle

from imagegallery import Principal
from imagegallery.clock import utc_now
from imagegallery.common.backoff import Backoff
from imagegallery.database import replicas
from imagegallery.database.connection import Connection
from imagegallery.database.migrate import migrate
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.database.wal_position import COMMITTED, REPLAYED, Position
from imagegallery.delivery.options import DeliveryOptions
from imagegallery.delivery.protocol import ObjectUrls
from imagegallery.errors import Unavailable
from imagegallery.galleries.pages import CachedPages, ListPlace, LoadedPage
from imagegallery.galleries.service import GalleryService
from imagegallery.images.presentation.urls import ImageUrls

PATIENT, IMPATIENT = timedelta(seconds=30), timedelta(milliseconds=1)
ADD = "INSERT INTO owners (owner_id) VALUES ($1)"
HAS = "SELECT EXISTS (SELECT FROM owners WHERE owner_id = $1)"
LONG_WORK = "SELECT pg_sleep(60) FROM doomed"
IS_STANDBY = "SELECT pg_is_in_recovery()"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running_pair(folder)) as pair:
        yield pair


def options(pair: Pair, patience: timedelta) -> DatabaseOptions:
    return DatabaseOptions(dsn=pair.primary, replicas=(pair.standby,), replica_patience=patience, max_size=3)


@asynccontextmanager
async def connected(pair: Pair, patience: timedelta = PATIENT) -> AsyncIterator[Database]:
    async with Database.connect(options(pair, patience)) as database:
        yield database


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica that failed is tried again at the next read, and as slow as it is on a busy machine."""
    monkeypatch.setattr(replicas, "LEFT_ALONE", Backoff(timedelta(0), timedelta(0)))
    monkeypatch.setattr(replicas, "ANSWER_TIME", timedelta(seconds=60))


async def reads_from_standby(database: Database) -> bool:
    async with database.reading() as connection:
        return cast(bool, await connection.fetchval(IS_STANDBY))


async def until_read_from_standby(database: Database) -> None:
    with anyio.fail_after(30):
        while not await reads_from_standby(database):
            await checkpoint()


async def add(database: Database, owner_id: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(ADD, owner_id)


async def has(connection: Connection, owner_id: str) -> bool:
    return cast(bool, await connection.fetchval(HAS, owner_id))


async def test_the_schema_of_the_gallery_is_read_there_too(pair: Pair) -> None:
    async with Database.connect(evolve(options(pair, PATIENT), schema="pics")) as database:
        await migrate(database)
        await add(database, "of pics")
        await until_read_from_standby(database)
        async with database.reading() as connection:
            assert await has(connection, "of pics")
    async with connected(pair) as public, public.reading() as connection:
        assert not await has(connection, "of pics")


async def test_reads_go_to_the_replica_and_everything_else_to_the_primary(pair: Pair) -> None:
    async with connected(pair) as database:
        assert await reads_from_standby(database)
        async with database.connection() as connection:
            assert not await connection.fetchval(IS_STANDBY)
        async with database.transaction() as connection:
            assert not await connection.fetchval(IS_STANDBY)


async def test_without_replicas_reads_go_to_the_primary(pair: Pair) -> None:
    async with Database.connect(DatabaseOptions(dsn=pair.primary)) as database:
        assert not await reads_from_standby(database)


async def test_a_read_waits_for_the_replica_to_have_what_was_written(pair: Pair) -> None:
    async with connected(pair) as database:
        for number in range(20):
            await add(database, f"waiting {number}")
            async with database.reading() as connection:
                assert await connection.fetchval(IS_STANDBY)
                assert await has(connection, f"waiting {number}")


async def test_what_the_replica_has_not_replayed_is_read_from_the_primary(pair: Pair) -> None:
    async with connected(pair, IMPATIENT) as database, pair.held_back():
        await add(database, "held back")
        async with database.reading() as connection:
            assert await has(connection, "held back")
            assert not await connection.fetchval(IS_STANDBY)


async def test_what_another_process_wrote_is_seen_just_the_same(pair: Pair) -> None:
    async with connected(pair, IMPATIENT) as database, connected(pair, IMPATIENT) as other, pair.held_back():
        await add(other, "by another process")
        async with database.reading() as connection:
            assert await has(connection, "by another process")


async def test_a_replica_that_has_caught_up_is_read_from_again(pair: Pair) -> None:
    async with connected(pair, IMPATIENT) as database:
        async with pair.held_back():
            await add(database, "caught up with")
            assert not await reads_from_standby(database)
        await until_read_from_standby(database)
        async with database.reading() as connection:
            assert await has(connection, "caught up with")


async def test_without_its_replica_the_primary_is_read_from_until_it_is_back(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, replicas.__name__)
    async with connected(pair) as database:
        assert await reads_from_standby(database)
        async with pair.stopped():
            for _ in range(3):
                assert not await reads_from_standby(database)
        await until_read_from_standby(database)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"], "said once each"
    assert "://" not in caplog.text


async def test_a_replica_that_is_away_from_the_start_does_not_matter(pair: Pair) -> None:
    nowhere = DatabaseOptions(dsn=pair.primary, replicas=("postgresql://nobody@/nothing?host=%2Fnowhere",))
    async with Database.connect(nowhere) as database:
        assert not await reads_from_standby(database)


async def test_a_server_that_is_no_standby_is_not_read_from(pair: Pair) -> None:
    """Another database's primary, say, or a standby that was promoted: its log is no longer ours."""
    itself = DatabaseOptions(dsn=pair.primary, replicas=(pair.primary,))
    async with Database.connect(itself) as database:
        assert database._replicas is not None
        assert not await reads_from_standby(database)
        assert database._replicas._replicas[0]._failures


async def test_a_replica_that_failed_is_left_alone_for_a_while(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "LEFT_ALONE", Backoff(timedelta(hours=1), timedelta(hours=1)))
    async with connected(pair, IMPATIENT) as database:
        async with pair.held_back():
            await add(database, "left alone")
            assert not await reads_from_standby(database)
        assert not await reads_from_standby(database)


async def test_turns_are_taken(pair: Pair) -> None:
    both = DatabaseOptions(dsn=pair.primary, replicas=(pair.standby, pair.standby), replica_patience=PATIENT)
    async with Database.connect(both) as database:
        pids = set[int]()
        for _ in range(2):
            async with database.reading() as connection:
                pids.add(connection.get_server_pid())
        assert len(pids) == 2


async def test_a_statement_that_the_replica_breaks_off_is_unavailable(pair: Pair) -> None:
    await pair.never_waits_for_readers()
    async with connected(pair) as database:
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE doomed AS SELECT 1")

        async def drop() -> None:
            async with Database.connect(DatabaseOptions(dsn=pair.standby)) as standby:
                await _until_running(standby, LONG_WORK)
            async with database.transaction() as connection:
                await connection.execute("DROP TABLE doomed")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drop)
            with pytest.raises(Unavailable, match="broke off"):
                await _work(database)


async def _work(database: Database) -> None:
    async with database.reading() as connection:
        await connection.execute(LONG_WORK)


async def _until_running(database: Database, statement: str) -> None:
    running = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query = $1)"
    with anyio.fail_after(30):
        async with database.connection() as connection:
            while not await connection.fetchval(running, statement):
                await checkpoint()


async def test_a_page_that_is_made_after_a_change_was_heard_of_shows_the_change(pair: Pair) -> None:
    """The trap: a notification comes from the primary, and a page from a replica that has not got so far is kept."""
    async with (
        running_process(pair.primary, utc_now, options(pair, IMPATIENT)) as process,
        Database.connect(DatabaseOptions(dsn=pair.primary)) as elsewhere,
    ):
        me = Principal.user("me")
        urls = ImageUrls(cast(ObjectUrls, None), DeliveryOptions(), utc_now)  # of no image
        writer, reader = (GalleryService(each, urls, utc_now) for each in (elsewhere, process.database))
        gallery = await writer.create(me, name="before", visibility="public")

        async def page() -> bytes:
            return await _page(process.pages, reader, gallery.id)

        assert await page() == b"before"
        async with pair.held_back():
            await writer.update(me, gallery.id, name="after")
            await settle(process.changes)
            assert await page() == b"after"
        assert await page() == b"after"


async def _page(pages: CachedPages, service: GalleryService, gallery_id: UUID) -> bytes:
    visitor = Principal.anonymous()

    async def load() -> LoadedPage:
        return LoadedPage((await service.get(visitor, gallery_id)).name.encode())

    return (await pages.images(visitor, gallery_id, ListPlace("names"), load)).body


async def test_one_question_serves_all_who_waited_for_it(database: Database) -> None:
    asked = 0

    @asynccontextmanager
    async def counting() -> AsyncIterator[Connection]:
        nonlocal asked
        asked += 1
        async with database.connection() as connection:
            yield connection

    question = Position(counting, COMMITTED)
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(question.ask)
    assert asked == 1
    first = await question.ask()
    await add(database, "more")
    assert await question.ask() > first, "an answer from before does not do"
    assert asked == 3


async def test_a_question_that_fails_fails_for_all_who_shared_it(database: Database) -> None:
    failed = 0

    async def ask() -> None:
        nonlocal failed
        with pytest.raises(Unavailable):
            await no_standby.ask()
        failed += 1

    no_standby = Position(database.connection, REPLAYED)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)
    assert failed == 3
    assert no_standby._begun == 1
