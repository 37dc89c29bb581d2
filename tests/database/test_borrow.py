"""A host's own connection, lent for some statements: by every driver, with whatever the host has told it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio.lowlevel
import anyio.to_thread
import asyncpg
import psycopg
import pytest
import sqlalchemy.orm
from anyio.from_thread import start_blocking_portal
from psycopg.types.json import set_json_dumps, set_json_loads
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from tests.support.clock import ManualClock
from tests.support.database import DatabaseServer
from tests.support.library import Library, make_image

from imagegallery.database.pool import Database
from imagegallery.errors import ConfigurationError, Conflict, InvalidInput, NotFound
from imagegallery.galleries.gallery import Gallery
from imagegallery.principal import Principal

ANA = Principal.user("ana")


@pytest.fixture
def library(database: Database, clock: ManualClock, tmp_path: Path) -> Library:
    return Library.on(database, tmp_path, clock)


Host = Callable[[str], AbstractAsyncContextManager[Any]]
SLEEPS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event = 'PgSleep' AND state = 'active'"""
STATE = "SELECT current_setting('search_path'), current_setting('TimeZone')"


def refuse(_: object) -> str:
    raise AssertionError("The host's codec is the host's.")


@asynccontextmanager
async def by_asyncpg(dsn: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn)
    await connection.set_type_codec("jsonb", encoder=refuse, decoder=refuse, schema="pg_catalog")
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def by_begin(dsn: str) -> AsyncIterator[Any]:
    """In a transaction that asyncpg knows nothing of."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("BEGIN")
    yield connection
    await connection.execute("COMMIT")
    await connection.close()


@asynccontextmanager
async def by_pool(dsn: str) -> AsyncIterator[Any]:
    pool = asyncpg.create_pool(dsn, min_size=1, max_size=1)
    async with pool, pool.acquire() as connection, connection.transaction():
        yield connection


@asynccontextmanager
async def by_psycopg(dsn: str) -> AsyncIterator[Any]:
    connection = await anyio.to_thread.run_sync(lambda: psycopg.connect(dsn))
    set_json_loads(refuse, connection)
    set_json_dumps(refuse, connection)
    try:
        yield connection
        await anyio.to_thread.run_sync(connection.commit)
    finally:
        await anyio.to_thread.run_sync(connection.close)


@asynccontextmanager
async def by_async_psycopg(dsn: str) -> AsyncIterator[Any]:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        yield connection


def _url(dsn: str, driver: str) -> str:
    return dsn.replace("postgresql://", f"postgresql+{driver}://", 1).replace("&sslmode=disable", "")


@asynccontextmanager
async def by_sqlalchemy(dsn: str) -> AsyncIterator[Any]:
    engine = create_async_engine(_url(dsn, "asyncpg"))
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


@asynccontextmanager
async def by_session(dsn: str) -> AsyncIterator[Any]:
    engine = create_async_engine(_url(dsn, "psycopg"))
    try:
        async with AsyncSession(engine) as session:
            yield session
            await session.commit()
    finally:
        await engine.dispose()


@asynccontextmanager
async def by_blocking_session(dsn: str) -> AsyncIterator[Any]:
    engine = sqlalchemy.create_engine(_url(dsn, "psycopg"))
    session = sqlalchemy.orm.Session(engine)
    try:
        yield session
        await anyio.to_thread.run_sync(session.commit)
    finally:
        await anyio.to_thread.run_sync(session.close)
        await anyio.to_thread.run_sync(engine.dispose)


HOSTS = [
    by_asyncpg,
    by_begin,
    by_pool,
    by_psycopg,
    by_async_psycopg,
    by_sqlalchemy,
    by_session,
    by_blocking_session,
]


@pytest.mark.parametrize("host", HOSTS)
async def test_what_is_done_on_a_hosts_connection_is_there_when_the_host_commits(
    library: Library, database_dsn: str, host: Host
) -> None:
    image = await library.add_image(make_image())
    async with host(database_dsn) as connection:
        made = await library.galleries.create(ANA, name='Bikes & "co"', connection=connection)
        filled = await library.galleries.add_images(ANA, made.id, [image.id], connection=connection)
        changed = await library.galleries.update(
            ANA, made.id, description="Two", cover_image_id=image.id, meta={"a": [1]}, connection=connection
        )
        assert (filled.image_count, changed.description) == (1, "Two")
        with pytest.raises(NotFound):
            await library.galleries.get(ANA, made.id)
        seen = await library.images.get(ANA, image.id, connection=connection)
        assert await library.images.get_many(ANA, [image.id], connection=connection) == {image.id: seen}
        assert await library.galleries.get_many(ANA, [made.id], connection=connection) == {made.id: changed}
    assert seen == await library.images.get(ANA, image.id)
    there = await library.galleries.get(ANA, made.id)
    assert (there.name, there.image_count, there.cover) == (made.name, 1, seen)
    assert there == changed

    async with host(database_dsn) as connection:
        await library.images.delete(ANA, image.id, connection=connection)
        await library.galleries.delete(ANA, made.id, connection=connection)
    with pytest.raises(NotFound):
        await library.images.get(ANA, image.id)
    with pytest.raises(NotFound):
        await library.galleries.get(ANA, made.id)


async def test_a_host_that_rolls_back_undoes_it(library: Library, database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    transaction = connection.transaction()
    await transaction.start()
    made = await library.galleries.create(ANA, name="Bikes", connection=connection)
    await transaction.rollback()
    await connection.close()
    with pytest.raises(NotFound):
        await library.galleries.get(ANA, made.id)


async def test_an_error_undoes_what_was_done_and_nothing_of_the_hosts(library: Library, database_dsn: str) -> None:
    made = await library.galleries.create(ANA, name="Bikes")

    def refuse_it(_: Gallery) -> None:
        raise Conflict("No.")

    connection = await asyncpg.connect(database_dsn)
    async with connection.transaction():
        await connection.execute("CREATE TABLE items (name text)")
        with pytest.raises(Conflict):
            await library.galleries.update(ANA, made.id, name="Cars", check=refuse_it, connection=connection)
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with library.database.borrow(connection) as ours:
                await ours.execute("SELECT 1 / 0")
        await connection.execute("INSERT INTO items VALUES ('theirs')")
    assert [row["name"] for row in await connection.fetch("SELECT name FROM items")] == ["theirs"]
    assert await library.galleries.get(ANA, made.id) == made
    await connection.close()


@pytest.mark.parametrize("host", [by_asyncpg, by_async_psycopg])
@pytest.mark.parametrize("fails", [False, True])
async def test_a_connection_is_given_back_as_it_was(
    library: Library, database_dsn: str, host: Host, fails: bool
) -> None:
    async with host(database_dsn) as connection:
        await connection.execute("SET search_path = nowhere, pg_temp")
        await connection.execute("SET TimeZone = 'Asia/Tokyo'")
        if fails:
            with pytest.raises(NotFound):
                await library.galleries.get(ANA, uuid4(), connection=connection)
        else:
            await library.galleries.create(ANA, name="Bikes", connection=connection)
        if isinstance(connection, psycopg.AsyncConnection):
            state = await (await connection.execute(STATE)).fetchone()
        else:
            state = tuple(await connection.fetchrow(STATE))
        assert state == ("nowhere, pg_temp", "Asia/Tokyo")


async def test_a_codec_of_the_host_goes_on_as_it_was(library: Library, database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: json.dumps({"host": value}),
        decoder=lambda text: f"host {text}",
        schema="pg_catalog",
    )
    async with connection.transaction():
        await library.galleries.create(ANA, name="Bikes", connection=connection)
        assert await connection.fetchval("SELECT $1::jsonb", 1) == 'host {"host": 1}'
    await connection.close()
    async with library.database.connection() as ours:
        assert await ours.fetchval("SELECT data ->> 'change' FROM events") == "created"


async def test_a_codec_that_hides_what_we_read_is_refused(library: Library, database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    await connection.set_type_codec("uuid", encoder=str, decoder=str, schema="pg_catalog")
    async with connection.transaction():
        await refused(library, connection, InvalidInput, "a codec of its own for uuid")
    await connection.close()


@pytest.mark.parametrize("host", [by_asyncpg, by_async_psycopg])
async def test_a_statement_that_is_cancelled_leaves_the_application_its_transaction(
    library: Library, database_dsn: str, host: Host
) -> None:
    async with host(database_dsn) as connection, library.database.connection() as observer:

        async def sleep() -> None:
            async with library.database.borrow(connection) as ours:
                await ours.execute("SELECT pg_sleep(600)")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sleep)
            while not await observer.fetchval(SLEEPS):
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        made = await library.galleries.create(ANA, name="Bikes", connection=connection)
    assert (await library.galleries.get(ANA, made.id)).name == "Bikes"


async def refused(library: Library, connection: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        await library.galleries.create(ANA, name="Bikes", connection=connection)
    assert (await library.galleries.list(ANA)).items == ()


async def test_a_connection_outside_of_a_transaction_is_refused(library: Library, database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    await refused(library, connection, InvalidInput, "in no transaction")
    await connection.close()
    await refused(library, connection, InvalidInput, "closed")
    async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as other:
        await refused(library, other, InvalidInput, "in no transaction")


async def test_a_transaction_that_failed_is_refused(library: Library, database_dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_dsn) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await connection.execute("SELECT 1 / 0")
        await refused(library, connection, InvalidInput, "has failed")
        await connection.rollback()


@pytest.mark.parametrize("isolation", ["repeatable_read", "serializable"])
async def test_a_transaction_that_sees_an_old_state_is_for_reading_only(
    library: Library, database_dsn: str, isolation: Any
) -> None:
    image = await library.add_image(make_image())
    connection = await asyncpg.connect(database_dsn)
    async with connection.transaction(isolation=isolation):
        assert (await library.images.get(ANA, image.id, connection=connection)).id == image.id
        await refused(library, connection, InvalidInput, "READ COMMITTED")
    await connection.close()


async def test_another_database_is_refused(library: Library, database_server: DatabaseServer) -> None:
    async with database_server.clone() as elsewhere:
        connection = await asyncpg.connect(elsewhere)
        async with connection.transaction():
            await refused(library, connection, ConfigurationError, "another database")
            assert await connection.fetchval("SELECT count(*) FROM galleries") == 0
        await connection.close()


async def test_a_role_without_rights_is_told_so(library: Library, database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("REVOKE ALL ON galleries FROM CURRENT_USER")
    await refused(library, connection, ConfigurationError, "may not use the gallery's tables")
    await transaction.rollback()
    await connection.close()


async def test_what_is_no_connection_is_refused_in_words(library: Library) -> None:
    await refused(library, object(), InvalidInput, r"A builtins\.object cannot share a transaction")
    django = type("DatabaseWrapper", (), {"ensure_connection": None})()
    await refused(library, django, InvalidInput, r"pass its `connection\.connection`")
    scoped = sqlalchemy.orm.scoped_session(sqlalchemy.orm.sessionmaker())
    await refused(library, scoped, InvalidInput, "another session in another thread")


async def test_another_loops_connection_is_refused(library: Library, database_dsn: str) -> None:
    async def connect() -> Any:
        connection = await asyncpg.connect(database_dsn)
        await connection.execute("BEGIN")
        return connection

    with start_blocking_portal() as elsewhere:
        connection = await anyio.to_thread.run_sync(elsewhere.call, connect)
        await refused(library, connection, InvalidInput, "another event loop")
        await anyio.to_thread.run_sync(elsewhere.call, connection.close)


async def test_caches_look_again_until_the_host_has_committed(library: Library, database_dsn: str) -> None:
    """Nobody says when that is, so each look may be the first one after it."""
    connection = await asyncpg.connect(database_dsn)
    before = library.database.commits
    async with connection.transaction():
        await library.galleries.create(ANA, name="Bikes", connection=connection)
        first, second = library.database.commits, library.database.commits
        assert before < first < second
    after = library.database.commits
    assert second < after == library.database.commits
    await connection.close()
