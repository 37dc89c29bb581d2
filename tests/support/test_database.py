"""What tests stand on: databases that know nothing of each other, and a guard against blocking the event loop."""

from pathlib import Path
from urllib.parse import urlsplit

import anyio
import asyncpg
import pytest
from blockbuster import BlockingError
from tests.support import database as testing_database
from tests.support.database import DatabaseServer, explain

from imagegallery.database.migrate import packaged_migrations, pending
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import ConfigurationError

ADD = "INSERT INTO owners (owner_id) VALUES ('somebody')"


async def test_clones_are_migrated_and_independent(database_server: DatabaseServer) -> None:
    async with database_server.clone() as one, database_server.clone() as other:
        async with Database.connect(DatabaseOptions(dsn=one)) as database, database.connection() as connection:
            await connection.execute(ADD)
        async with Database.connect(DatabaseOptions(dsn=other)) as database, database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM owners") == 0
            assert await pending(database) == []


async def test_a_clone_is_dropped_even_from_under_a_connection(database_server: DatabaseServer) -> None:
    async with database_server.clone() as dsn:
        left_open = await asyncpg.connect(dsn)
    onlooker = await asyncpg.connect(database_server.dsn)
    with anyio.fail_after(60):  # while the next test begins
        while await onlooker.fetchval(testing_database.DATABASE_EXISTS, urlsplit(dsn).path[1:]):
            pass
    await onlooker.close()
    left_open.terminate()


async def test_explain_answers_the_plan(database: Database) -> None:
    async with database.connection() as connection:
        plan = await explain(connection, "SELECT * FROM owners WHERE owner_id = $1", "somebody")
    assert '"Relation Name": "owners"' in plan


def test_a_server_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    (tmp_path / "imagegallery-tests-12345").mkdir()
    with pytest.raises(ConfigurationError, match="somebody else"):
        testing_database._own_directory()


async def test_a_call_that_blocks_the_event_loop_fails() -> None:
    with pytest.raises(BlockingError):
        packaged_migrations()
