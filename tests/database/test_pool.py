"""The pool: what a connection is like, how transactions end, and how failures are named."""

import asyncio
import gc
import ssl
from datetime import UTC, datetime, timedelta
from typing import cast

import anyio
import asyncpg
import pytest
from asyncpg import connect_utils

from imagegallery.database import connections
from imagegallery.database.connection import Connection
from imagegallery.database.connections import check_version, in_transaction
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import ConfigurationError, Unavailable

COUNT = "SELECT count(*) FROM owners"
ADD = "INSERT INTO owners (owner_id) VALUES ('somebody')"

RUNNING = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query = $1)"


async def count(database: Database) -> int:
    async with database.connection() as connection:
        return cast(int, await connection.fetchval(COUNT))


async def test_jsonb_comes_and_goes_as_python_values(database: Database) -> None:
    value = {"text": "ä\"'", "list": [1, 2.5, None, True]}
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT $1::jsonb", value) == value
        assert await connection.fetchval("SELECT $1::jsonb ->> 'text'", value) == value["text"]


async def test_times_are_aware_and_in_utc(database: Database) -> None:
    moment = datetime(2026, 7, 8, 9, 10, 11, 123456, tzinfo=UTC)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT $1::timestamptz", moment) == moment
        assert await connection.fetchval("SHOW timezone") == "UTC"


async def test_a_transaction_is_kept_when_its_body_ends(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(ADD)
    assert await count(database) == 1


async def test_a_transaction_is_undone_by_an_exception_which_passes_unchanged(database: Database) -> None:
    failure = OSError("the disk, not the database")

    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute(ADD)
            raise failure

    with pytest.raises(OSError, match="the disk") as caught:
        await work()
    assert caught.value is failure
    assert await count(database) == 0


async def _cancel_in_transaction(busy: Database, statement: str, observer: Database) -> None:
    """Cancel a task when the server is at work on this statement, after it added a row."""

    async def work() -> None:
        async with busy.transaction() as connection:
            await connection.execute(ADD)
            await connection.execute(statement)

    async with anyio.create_task_group() as tasks, observer.connection() as connection:
        tasks.start_soon(work)
        with anyio.fail_after(30):
            while not await connection.fetchval(RUNNING, statement):
                await anyio.sleep(0)
        tasks.cancel_scope.cancel()


async def test_a_cancelled_transaction_is_undone_and_its_connection_is_free_again(
    database_dsn: str, database: Database
) -> None:
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=1)) as busy:
        await _cancel_in_transaction(busy, "SELECT pg_sleep(60)", database)
        assert await count(busy) == 0


async def test_a_statement_that_ignores_its_cancellation_costs_its_connection_not_the_wait(
    database_dsn: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "ROLLBACK_TIME", timedelta(milliseconds=1))
    monkeypatch.setattr("asyncpg.connect_utils._cancel", _request_without_effect)
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=1)) as busy:
        before = await _server_process(busy)
        await _cancel_in_transaction(busy, "SELECT pg_sleep(20)", database)
        assert await _server_process(busy) != before
        assert await count(busy) == 0


async def _request_without_effect(**_: object) -> None: ...


async def _server_process(database: Database) -> int:
    async with database.connection() as connection:
        return connection.get_server_pid()


async def test_when_all_connections_are_busy_the_wait_ends_as_unavailable(database_dsn: str) -> None:
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=1)) as database, database.connection():
        impatient = Database(database._pool, DatabaseOptions(acquire_timeout=timedelta(milliseconds=1)))
        with pytest.raises(Unavailable, match="in time"):
            await impatient.ping()


async def test_a_statement_that_takes_too_long_is_unavailable(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            assert await connection.fetchval("SHOW statement_timeout") == "30s"
            await connection.execute("SET LOCAL statement_timeout = 1")
            await connection.execute("SELECT pg_sleep(60)")

    with pytest.raises(Unavailable, match="too long"):
        await work()


async def test_a_network_that_went_silent_is_unavailable(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver gives up before the server does, as when the server's word does not come through."""
    monkeypatch.setattr(connections, "NETWORK_MARGIN", timedelta(seconds=-59.9))
    options = DatabaseOptions(dsn=database_dsn, statement_timeout=timedelta(seconds=60))
    async with Database.connect(options) as database:
        with pytest.raises(Unavailable, match="too long"):
            async with database.connection() as connection:
                await connection.execute("SELECT pg_sleep(60)")
        await database.ping()


async def test_without_a_time_limit_the_driver_has_none_either(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "NETWORK_MARGIN", timedelta(milliseconds=1))
    options = DatabaseOptions(dsn=database_dsn, statement_timeout=timedelta(0))
    async with Database.connect(options) as database, database.connection() as connection:
        await connection.execute("SELECT pg_sleep(0.1)")


async def test_who_gives_way_in_a_deadlock_is_unavailable(database: Database) -> None:
    await _add_owners(database, "ana", "ben")
    holding = {"ana": anyio.Event(), "ben": anyio.Event()}
    gave_way: list[Unavailable] = []

    async def lock(first: str, second: str) -> None:
        try:
            async with database.transaction() as connection:
                await connection.execute("SELECT FROM owners WHERE owner_id = $1 FOR UPDATE", first)
                holding[first].set()
                await holding[second].wait()
                await connection.execute("SELECT FROM owners WHERE owner_id = $1 FOR UPDATE", second)
        except Unavailable as error:
            gave_way.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lock, "ana", "ben")
        tasks.start_soon(lock, "ben", "ana")
    assert len(gave_way) == 1


async def _add_owners(database: Database, *names: str) -> None:
    async with database.transaction() as connection:
        await connection.executemany("INSERT INTO owners (owner_id) VALUES ($1)", [(name,) for name in names])


async def test_a_migration_that_goes_by_is_unavailable_once(database_dsn: str, database: Database) -> None:
    """What was prepared for the tables of before cannot be carried out."""

    async def look(at: Database) -> int:
        async with at.transaction() as connection:
            rows = await connection.fetch("SELECT * FROM owners")
        return len(rows)

    await _add_owners(database, "ana")
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=1)) as running:
        assert await look(running) == 1
        async with database.connection() as connection:
            await connection.execute("ALTER TABLE owners ADD COLUMN shoe_size integer")
        with pytest.raises(Unavailable, match="tables"):
            await look(running)
        assert await look(running) == 1


async def test_a_server_that_takes_no_writes_is_unavailable(database: Database) -> None:
    """As when another one was made the primary."""

    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute("SET TRANSACTION READ ONLY")
            await connection.execute(ADD)

    with pytest.raises(Unavailable):
        await work()


async def test_a_session_of_its_own_has_no_time_limit(database: Database) -> None:
    async with database.session() as connection:
        assert await connection.fetchval("SHOW statement_timeout") == "0"


async def test_a_lost_connection_is_unavailable_and_the_next_one_works(database: Database) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            await _end(database, connection)
            await connection.execute(ADD)

    with pytest.raises(Unavailable):
        await work()
    await database.ping()
    assert await count(database) == 0


async def _end(database: Database, connection: Connection) -> None:
    async with database.connection() as other:
        assert await other.fetchval("SELECT pg_terminate_backend($1, 10000)", connection.get_server_pid())


# "ErrorResponse" of a server that is being stopped (PostgreSQL manual, section "Message Formats").
_FIELDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
LAST_WORDS = b"E" + (len(_FIELDS) + 4).to_bytes(4) + _FIELDS


async def test_a_statement_between_a_server_s_last_words_and_its_hanging_up_is_unavailable(database: Database) -> None:
    """The driver calls it an error of its own: "cannot switch to state"."""

    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute(ADD)
            connection._protocol.data_received(LAST_WORDS)  # type: ignore[union-attr]
            await connection.execute(ADD)

    with pytest.raises(Unavailable, match="was lost") as caught:
        await work()
    assert isinstance(caught.value.__cause__, asyncpg.InternalClientError)
    assert await count(database) == 0


async def test_a_cancelled_beginning_leaves_no_transaction_behind(database_dsn: str) -> None:
    """Else the pool would find one when it takes the connection back, and complain of it on stderr."""
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    async with Database.connect(DatabaseOptions(dsn=database_dsn, max_size=1)) as busy:
        async with busy.connection() as connection:
            with anyio.CancelScope() as scope:
                loop.call_soon(scope.cancel)
                async with in_transaction(connection):
                    pytest.fail("it was not cancelled")
        await busy.ping()
    assert complaints == []


@pytest.mark.parametrize(
    "dsn", ["postgresql://nobody@/nothing?host=%2Fnowhere", "postgresql://nobody@127.0.0.1:1/nothing"]
)
async def test_a_server_that_does_not_answer_is_unavailable(dsn: str) -> None:
    with pytest.raises(Unavailable):
        async with Database.connect(DatabaseOptions(dsn=dsn)):
            pass


async def test_connecting_that_is_broken_off_leaves_no_complaint() -> None:
    """asyncpg's future for the server's first word: nobody waits for it yet, or any more."""
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    begun = connect_utils.TLSUpgradeProto(loop, "db.test", 5432, ssl.create_default_context(), True)
    begun.connection_lost(None)
    begun.on_data = loop.create_future()
    gc.collect()
    assert complaints == []


async def test_a_server_that_has_gone_does_not_keep_a_pool_from_its_end(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hung_up(_: object, *, timeout: float | None = None) -> None:
        raise BrokenPipeError

    async with Database.connect(DatabaseOptions(dsn=database_dsn, min_size=2)) as database:
        monkeypatch.setattr("asyncpg.Connection.close", hung_up)
    with pytest.raises(asyncpg.InterfaceError, match="is clos"):
        await database._pool.fetchval("SELECT 1")


@pytest.mark.parametrize("change", [("/test_", "/missing_"), ("imagegallery@", "stranger@"), ("postgresql:", "mysql:")])
async def test_settings_that_can_never_work_are_said_so(database_dsn: str, change: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        async with Database.connect(DatabaseOptions(dsn=database_dsn.replace(*change))):
            pass


@pytest.mark.parametrize("dsn", ["postgresql://me:s3/cret@127.0.0.1/app", "postgresql://me:s3#cret@127.0.0.1/app"])
async def test_no_piece_of_a_password_is_told(dsn: str) -> None:
    options = DatabaseOptions(dsn=dsn, session_dsn=dsn, replicas=(dsn,))
    with pytest.raises(ConfigurationError) as caught:
        async with Database.connect(options):
            pass
    assert "s3" not in str(caught.value) + repr(options)


def test_sizes_that_contradict_each_other_are_said_so() -> None:
    with pytest.raises(ConfigurationError, match="max_size"):
        DatabaseOptions(min_size=11)


async def test_no_dsn_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError):
        async with Database.connect(DatabaseOptions()):
            pass


@pytest.mark.parametrize(("major", "works"), [(14, False), (15, True), (18, True)])
def test_versions_before_15_are_refused(major: int, works: bool) -> None:
    class Server:
        def get_server_version(self) -> object:
            return type("Version", (), {"major": major})()

    if works:
        check_version(cast(Connection, Server()))
    else:
        with pytest.raises(ConfigurationError, match="15"):
            check_version(cast(Connection, Server()))


async def test_as_many_connections_are_opened_as_asked_for(database_dsn: str, database: Database) -> None:
    async with Database.connect(DatabaseOptions(dsn=database_dsn, min_size=3)), database.connection() as connection:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert await connection.fetchval(sql) == 3
