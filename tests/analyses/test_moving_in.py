"""A database from before there were analyses has what it needs: nothing is computed again."""

from collections.abc import AsyncIterator

import pytest
from tests.support.clock import START
from tests.support.database import DatabaseServer

from imagegallery.analyses import records
from imagegallery.analyses.analysis import missing_analyses
from imagegallery.analyses.catalogue import ANALYSES
from imagegallery.analyses.words import WORDS
from imagegallery.database.migrate import migrate, packaged_migrations
from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.ids import new_id

EARLIER = packaged_migrations()[:18]
BLURHASH = "LEHV6nWB2yk8pyo0adR*.7kCMdnj"
INSERT = """
INSERT INTO images (
    id, owner_id, original_key, key_prefix, filename, mime_type, width, height, file_size, sha256, taken_at,
    created_at, updated_at, blurhash, phash, exif_data
) VALUES (
    $1, 'ana', encode(uuid_send($1), 'hex'), 'x/', 'a.jpg', 'image/jpeg', 4, 3, 1, sha256('x'), $2, $2, $2, $3, $4, $5
)"""


@pytest.fixture
async def empty(database_server: DatabaseServer) -> AsyncIterator[Database]:
    async with database_server.empty() as dsn, Database.connect(DatabaseOptions(dsn=dsn)) as database:
        yield database


async def test_what_was_recorded_is_taken_over(empty: Database) -> None:
    await migrate(empty, EARLIER)
    known, new = new_id(), new_id()
    async with empty.transaction() as connection:
        await connection.execute(INSERT, known, START, BLURHASH, -2, {"make": "Canon"})
        await connection.execute(INSERT, new, START, None, None, None)
    await migrate(empty)
    async with empty.connection() as connection:
        there = await records.versions(connection, [known, new])
        rows = await connection.fetch("SELECT name, data FROM image_analyses")
    assert missing_analyses(ANALYSES, there[known]) == (WORDS,), "there was none before"
    assert missing_analyses(ANALYSES, there[new]) == ANALYSES
    assert {row["name"]: row["data"] for row in rows} == {
        "placeholder": BLURHASH,
        "phash": "fffffffffffffffe",
        "metadata": {"make": "Canon"},
    }
