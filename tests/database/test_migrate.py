"""Migrations: applied once and in order, whoever calls, and never behind the back of a changed file."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import anyio
import anyio.to_thread
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.support.database import DatabaseServer

from imagegallery.database.blockers import Blocker
from imagegallery.database.migrate import (
    LOCK,
    SUPERSEDED,
    TAKE_LOCK,
    Migration,
    left_to_apply,
    migrate,
    packaged_migrations,
    pending,
)
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import ConfigurationError, Unavailable

FIRST = Migration.from_file("0001_first.sql", "CREATE TABLE first (id integer); CREATE TABLE other (id integer);")
SECOND = Migration.from_file("0002_second.sql", "ALTER TABLE first ADD COLUMN name text")
BROKEN = Migration.from_file("0002_broken.sql", "CREATE TABLE second (id integer); SELECT 1 / 0;")


@pytest.fixture
async def empty(database_server: DatabaseServer) -> AsyncIterator[Database]:
    async with database_server.empty() as dsn, Database.connect(DatabaseOptions(dsn=dsn)) as database:
        yield database


async def tables(database: Database) -> set[str]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {row["tablename"] for row in rows}


async def test_a_fresh_database_gets_the_whole_schema_and_then_nothing_more(empty: Database) -> None:
    names = [migration.name for migration in await anyio.to_thread.run_sync(packaged_migrations)]
    assert await pending(empty) == names
    assert await tables(empty) == set()
    assert await migrate(empty) == names
    assert {"galleries", "images", "jobs", "schema_migrations"} <= await tables(empty)
    assert await pending(empty) == []
    assert await migrate(empty) == []


async def test_only_what_is_missing_is_applied(empty: Database) -> None:
    assert await migrate(empty, [FIRST]) == ["0001_first"]
    assert await pending(empty, [FIRST, SECOND]) == ["0002_second"]
    assert await migrate(empty, [FIRST, SECOND]) == ["0002_second"]


async def test_a_file_that_fails_leaves_nothing_and_keeps_what_came_before(empty: Database) -> None:
    with pytest.raises(ConfigurationError, match=r"0002_broken\.sql.*division by zero"):
        await migrate(empty, [FIRST, BROKEN])
    assert await tables(empty) == {"schema_migrations", "first", "other"}
    assert await migrate(empty, [FIRST, SECOND]) == ["0002_second"]


async def test_a_user_who_may_not_change_the_schema_is_told_so(empty: Database) -> None:
    async with empty.connection() as connection:
        await connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC, CURRENT_USER, pg_database_owner")
    with pytest.raises(ConfigurationError, match="permission denied"):
        await migrate(empty, [FIRST])


async def test_of_many_at_once_each_file_is_applied_by_one_while_the_others_wait(empty: Database) -> None:
    slow = evolve(FIRST, sql=f"SELECT pg_sleep(0.1); {FIRST.sql}")
    applied: list[str] = []

    async def one() -> None:
        applied.extend(await migrate(empty, [slow, SECOND]))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(one)
    assert sorted(applied) == ["0001_first", "0002_second"]


async def test_one_that_waits_for_a_lock_gives_up_and_says_for_whom(empty: Database) -> None:
    await migrate(empty, [FIRST])
    async with empty.transaction() as reader:
        await reader.execute("SELECT FROM first")
        pid = reader.get_server_pid()
        in_the_way = (
            rf"0002_second\.sql has waited 0.05 s .*: process {pid} \(imagegallery, .*, idle in .*, since 20.* UTC"
        )
        with pytest.raises(Unavailable, match=in_the_way):
            await migrate(empty, [FIRST, SECOND], lock_timeout=timedelta(milliseconds=50))
    assert await pending(empty, [FIRST, SECOND]) == ["0002_second"]
    assert await migrate(empty, [FIRST, SECOND]) == ["0002_second"]


async def test_a_long_one_that_waits_for_nobody_is_left_alone(empty: Database) -> None:
    slow = evolve(FIRST, sql=f"SELECT pg_sleep(0.2); {FIRST.sql}")
    assert await migrate(empty, [slow], lock_timeout=timedelta(milliseconds=1)) == ["0001_first"]


async def test_who_waits_for_another_that_migrates_says_so_and_goes_on_waiting(
    empty: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with anyio.create_task_group() as tasks, empty.transaction() as other:
        await other.execute(TAKE_LOCK, LOCK, "")
        tasks.start_soon(partial(migrate, empty, [FIRST], lock_timeout=timedelta(milliseconds=1)))
        with anyio.fail_after(30):
            while f"migrates: process {other.get_server_pid()}" not in caplog.text:
                await anyio.sleep(0.01)
    assert await pending(empty, [FIRST]) == []


def test_a_blocker_of_which_nothing_is_known_is_named_all_the_same() -> None:
    """What another user does is not everybody's business, and a prepared transaction is no process."""
    assert str(Blocker(0, None, None, None, None)) == "process 0 (unknown)"


async def test_a_file_changed_after_it_was_applied_is_named(empty: Database) -> None:
    await migrate(empty, [FIRST])
    changed = evolve(FIRST, sql=f"{FIRST.sql} -- a comment")
    for check in (migrate, pending):
        with pytest.raises(ConfigurationError, match=r"0001_first\.sql"):
            await check(empty, [changed, SECOND])


async def test_a_database_that_applied_a_superseded_text_goes_on(empty: Database) -> None:
    migrations = await anyio.to_thread.run_sync(packaged_migrations)
    earlier = evolve(migrations[2], sql=migrations[2].sql.replace("AS digits) AS number\n", "AS digits)\n"))
    assert {earlier.checksum} == SUPERSEDED[3]
    await migrate(empty, [*migrations[:2], earlier])
    assert await migrate(empty) == [migration.name for migration in migrations[3:]]


async def test_a_database_that_newer_code_migrated_is_refused(empty: Database) -> None:
    await migrate(empty, [FIRST, SECOND])
    for check in (migrate, pending):
        with pytest.raises(ConfigurationError, match="0002_second"):
            await check(empty, [FIRST])


def test_line_ends_do_not_change_the_checksum() -> None:
    one, other = (Migration.from_file("0001_a.sql", f"SELECT 1;{end}SELECT 2;") for end in ("\n", "\r\n"))
    assert one == other
    assert one.checksum == other.checksum


@pytest.mark.parametrize("name", ["1_first.sql", "0001-first.sql", "0001_First.sql", "0001_first.sql.bak"])
def test_a_file_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="NNNN_name"):
        Migration.from_file(name, "")


def test_packaged_migrations_are_numbered_from_one_without_gaps() -> None:
    versions = [migration.version for migration in packaged_migrations()]
    assert versions == list(range(1, len(versions) + 1))


@given(known=st.sets(st.integers(1, 50)), data=st.data())
def test_what_is_left_is_what_is_known_and_not_applied_in_order(known: set[int], data: st.DataObject) -> None:
    migrations = [Migration(version, f"{version:04}_m", f"SELECT {version}") for version in sorted(known)]
    done = data.draw(st.sets(st.sampled_from(migrations))) if migrations else set()
    applied = {migration.version: (migration.name, migration.checksum) for migration in done}
    assert left_to_apply(migrations, applied) == tuple(m for m in migrations if m not in done)
