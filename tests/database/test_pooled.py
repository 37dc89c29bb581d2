"""Through a pooler in transaction mode: nothing is kept in a session, and everything works all the same.

With PgBouncer installed, what matters is seen on a real one; without it, on a session that is looked at afterwards.
"""

import io
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import uuid4

import anyio
import asyncpg
import pytest
import skimage.data
from attrs import evolve
from PIL import Image
from tests.database.pooler import find_pgbouncer, running_pgbouncer, through, until_it_answers
from tests.support.clock import ManualClock
from tests.support.database import DatabaseServer

from imagegallery import ImageGallery, Principal, Settings
from imagegallery.database import notifications, pool
from imagegallery.database.connection import Connection
from imagegallery.database.migrate import migrate, pending
from imagegallery.database.options import pooled_settings
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import ConfigurationError, NotFound, Unavailable
from imagegallery.images.image.image import ProcessingStatus
from imagegallery.queue.job import NewJob
from imagegallery.queue.postgres import PostgresQueue

SESSION = "SELECT pg_backend_pid()"
LONG = timedelta(seconds=30)
# https://www.pgbouncer.org/config.html, track_extra_parameters and before it: what each client keeps for itself.
KEPT_BY_PGBOUNCER = {"client_encoding", "datestyle", "timezone", "standard_conforming_strings", "application_name"}
SCHEMAS = "SELECT array_agg(schemaname::text) FROM pg_tables WHERE tablename = 'images'"
LEFT_BEHIND = """
SELECT 'prepared ' || name FROM pg_prepared_statements
UNION ALL SELECT 'set ' || name FROM pg_settings WHERE source = 'session'
UNION ALL SELECT 'listening to ' || channel FROM pg_listening_channels() AS channel
UNION ALL SELECT 'locked ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE name <> ''
UNION ALL SELECT 'temporary ' || relname FROM pg_class WHERE relpersistence = 't'
"""


@pytest.fixture(scope="module")
def bouncer(database_server: DatabaseServer) -> Iterator[Path]:
    program = find_pgbouncer()
    if program is None:
        pytest.skip("PgBouncer is not installed")
    with running_pgbouncer(program, database_server.dsn) as folder:
        yield folder


@pytest.fixture
async def bounced_dsn(bouncer: Path, database_dsn: str) -> str:
    """The test's database, by way of PgBouncer."""
    dsn = through(bouncer, database_dsn)
    await until_it_answers(dsn)
    return dsn


@pytest.fixture
async def bounced(bounced_dsn: str) -> AsyncIterator[Database]:
    async with Database.connect(DatabaseOptions(dsn=bounced_dsn, pooled=True, max_size=3)) as database:
        yield database


@pytest.fixture
async def pooled(database_dsn: str) -> AsyncIterator[Database]:
    """As if a pooler were there: one session, to be looked at afterwards."""
    async with Database.connect(DatabaseOptions(dsn=database_dsn, pooled=True, max_size=1)) as database:
        yield database


async def test_what_the_pooler_says_is_for_who_runs_the_service(bounced_dsn: str, database_dsn: str) -> None:
    name = database_dsn.rpartition("/")[2].partition("?")[0]
    for dsn, is_pooled, said in (
        (bounced_dsn.replace(name, "nowhere"), True, "It says: "),
        (bounced_dsn, False, "It says: unsupported startup parameter: "),
    ):
        with pytest.raises(Unavailable) as caught:
            async with Database.connect(DatabaseOptions(dsn=dsn, pooled=is_pooled)):
                pass
        assert said in caught.value.full_message
        assert "says" not in caught.value.message
    assert "`database.pooled`" in caught.value.full_message


async def work(database: Database) -> None:
    """Of each kind of thing that is done with connections: parameters, arrays, jsonb, records, savepoints, failures."""
    ids = [uuid4(), uuid4()]
    for use in (database.connection, database.transaction, database.reading):
        async with use() as connection:
            assert await connection.fetchval("SELECT $1::jsonb", {"a": [1]}) == {"a": [1]}
            rows = await connection.fetch("SELECT id, ARRAY(SELECT ROW(id, 1)) FROM unnest($1::uuid[]) AS id", ids)
            assert [row["id"] for row in rows] == ids
            await connection.execute("INSERT INTO owners (owner_id) VALUES ($1)", str(uuid4()))
            with pytest.raises(asyncpg.UniqueViolationError):
                async with connection.transaction():
                    await connection.executemany("INSERT INTO owners (owner_id) VALUES ($1)", [("a",), ("a",)])
    with pytest.raises(NotFound):
        async with database.transaction():
            raise NotFound("this very one")


async def left_behind(database: Database) -> list[str]:
    async with database._pool.acquire() as connection:
        return [cast(str, row[0]) for row in await connection.fetch(LEFT_BEHIND)]


async def test_nothing_is_left_in_the_session_of_an_application_either(pooled: Database, database_dsn: str) -> None:
    host = await asyncpg.connect(database_dsn, statement_cache_size=0)
    before = await host.fetch(LEFT_BEHIND)
    async with host.transaction():
        await host.execute("SET LOCAL search_path = nowhere")
        async with pooled.borrow(host) as connection:
            await connection.execute("INSERT INTO owners (owner_id) VALUES ($1)", "ana")
            assert await connection.fetchval("SELECT owner_id FROM owners") == "ana"
    assert await host.fetch(LEFT_BEHIND) == before
    await host.close()
    assert await left_behind(pooled) == []


async def test_nothing_is_left_in_the_session(pooled: Database) -> None:
    await work(pooled)
    assert await left_behind(pooled) == []


async def test_without_a_pooler_statements_stay_prepared(database: Database) -> None:
    """What the test before looks for can be seen."""
    await work(database)
    assert any(each.startswith("prepared") for each in await left_behind(database))


def test_a_connection_is_opened_with_nothing_that_pgbouncer_refuses() -> None:
    assert set(pooled_settings()) <= KEPT_BY_PGBOUNCER


async def test_everything_works_through_pgbouncer(bounced: Database) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(work, bounced)


async def test_two_transactions_of_one_connection_run_in_two_sessions(bounced: Database) -> None:
    """The pooler of these tests does what makes it dangerous: the session that was free last is taken first."""
    async with bounced._pool.acquire() as connection, bounced._pool.acquire() as other:
        transaction, last = connection.transaction(), other.transaction()
        await transaction.start()
        await last.start()
        before = await connection.fetchval(SESSION)
        await transaction.commit()
        await last.commit()
        async with connection.transaction():
            assert await connection.fetchval(SESSION) != before


@pytest.mark.parametrize("schema", [None, "imagegallery"])
async def test_migrations_need_no_session(bouncer: Path, database_server: DatabaseServer, schema: str | None) -> None:
    """Nor does a schema of the gallery's own, which no session keeps as its search path."""
    async with database_server.empty() as empty:
        dsn = through(bouncer, empty)
        await until_it_answers(dsn)
        async with Database.connect(DatabaseOptions(dsn=dsn, pooled=True, schema=schema)) as database:
            applied: list[str] = []

            async def one() -> None:
                applied.extend(await migrate(database))

            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(one)
            assert len(applied) == len(set(applied)) > 0
            assert await pending(database) == []
            await work(database)
            async with database.connection() as connection:
                assert await connection.fetchval(SCHEMAS) == [schema or "public"]


async def test_without_a_session_there_is_none_to_be_had(pooled: Database) -> None:
    assert not pooled.has_sessions
    with pytest.raises(ConfigurationError, match="session_dsn"):
        async with pooled.session():
            pass


async def test_without_a_session_whoever_listens_is_woken_to_look(
    pooled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "POLL_EVERY", timedelta(milliseconds=1))
    async with pooled.listen("jobs") as heard:
        assert await heard.wait(LONG)
        assert await heard.wait(LONG)


async def test_a_session_goes_past_the_pooler(bounced_dsn: str, database_dsn: str) -> None:
    options = DatabaseOptions(dsn=bounced_dsn, pooled=True, session_dsn=database_dsn)
    async with Database.connect(options) as database:
        assert database.has_sessions
        async with database.session() as connection:
            await connection.execute("SELECT pg_advisory_lock(7)")
            assert await connection.fetchval("SELECT pg_advisory_unlock(7)")
        async with database.listen("jobs") as heard:
            async with database.transaction() as connection:
                await connection.execute("SELECT pg_notify('jobs', '')")
            assert await heard.wait(LONG)


async def test_through_a_pooler_what_was_just_written_is_ones_own(
    pooled: Database, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = -1
    assert not pooled.is_own(nobody)
    for each in (pooled, database):
        async with each.transaction() as connection:
            await connection.execute("SELECT 1")
    assert pooled.is_own(nobody)
    assert not database.is_own(nobody)
    monkeypatch.setattr(pool, "JUST_NOW", timedelta(0))
    assert not pooled.is_own(nobody)


@pytest.mark.parametrize("pooled", [False, True])
async def test_the_time_limit_of_statements_holds_however_the_database_is_used(database_dsn: str, pooled: bool) -> None:
    limited = DatabaseOptions(dsn=database_dsn, pooled=pooled, statement_timeout=timedelta(milliseconds=50))
    async with Database.connect(limited) as database:
        for use in (database.connection, database.transaction, database.reading):
            with pytest.raises(Unavailable, match="too long"):
                async with use() as connection:
                    await connection.execute("SELECT pg_sleep(60)")
        async with database.alone() as connection:
            assert await connection.fetchval("SHOW statement_timeout") == "0"


async def test_the_time_limit_holds_through_pgbouncer_which_knows_of_none(bounced_dsn: str) -> None:
    limited = DatabaseOptions(dsn=bounced_dsn, pooled=True, statement_timeout=timedelta(milliseconds=50))
    async with Database.connect(limited) as database:
        for use in (database.connection, database.transaction):
            with pytest.raises(Unavailable, match="too long"):
                async with use() as connection:
                    await connection.execute("SELECT pg_sleep(60)")
        async with database.connection() as connection:
            assert await connection.fetchval("SHOW enable_bitmapscan") == "off"


@pytest.mark.parametrize("with_sessions", [True, False])
async def test_a_gallery_works_through_pgbouncer(
    tmp_path: Path, bounced_dsn: str, database_dsn: str, with_sessions: bool
) -> None:
    options = DatabaseOptions(dsn=bounced_dsn, pooled=True)
    if with_sessions:
        options = evolve(options, session_dsn=database_dsn)
    me = Principal.user("me")
    async with ImageGallery.open(Settings(data_dir=tmp_path, database=options)) as gallery, gallery.worker():
        lisbon = await gallery.galleries.create(me, name="Lisbon", visibility="public")
        uploaded = await gallery.uploads.add(me, _jpeg(), filename="tram.jpg", gallery_id=lisbon.id)
        image = await gallery.images.wait_until_ready(me, uploaded.id)
        assert image.status is ProcessingStatus.COMPLETE
        page = await gallery.galleries.list_images(Principal.anonymous(), lisbon.id)
        assert [each.id for each in page.items] == [image.id]


async def test_a_statement_that_may_fail_and_be_tried_again_spoils_no_transaction(
    database: Database, database_dsn: str, clock: ManualClock
) -> None:
    """A job comes back while a twin of it is being committed: see tests/queue/test_postgres.py."""
    async with Database.connect(DatabaseOptions(dsn=database_dsn, pooled=True)) as pooled:
        queue, twin = PostgresQueue(pooled, clock), NewJob("work", dedupe_key="a")
        async with pooled.transaction() as connection:
            await queue.enqueue(connection, twin, now=clock())
        (job,) = await queue.claim(["work"], limit=1, lease=LONG)
        async with anyio.create_task_group() as tasks, database.transaction() as connection:
            await queue.enqueue(connection, twin, now=clock())
            tasks.start_soon(lambda: queue.retry(job, error="did not work", run_at=clock()))
            await _until_somebody_waits(connection)
        assert len(await queue.claim(["work"], limit=5, lease=LONG)) == 2


async def _until_somebody_waits(connection: Connection) -> None:
    blocked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    with anyio.fail_after(30):
        while not await connection.fetchval(blocked):
            await connection.execute("SELECT pg_stat_clear_snapshot()")


def _jpeg() -> bytes:
    target = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()).save(target, "jpeg")
    return target.getvalue()
