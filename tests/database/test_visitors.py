"""Visitors have few connections of their own and little time, so that whatever they ask for, users are served."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.clock import ManualClock
from tests.support.library import Library

from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import Unavailable
from imagegallery.galleries.service import GalleryService
from imagegallery.principal import Principal

ANA, VISITOR = Principal.user("ana"), Principal.anonymous()
LITTLE = timedelta(milliseconds=50)
# Long enough to open a connection on a busy machine, which is a part of the wait.
A_WHILE = timedelta(seconds=2)


async def test_their_connections_are_few_and_their_own(database_dsn: str) -> None:
    options = DatabaseOptions(dsn=database_dsn, max_size=1, visitor_max_size=2, acquire_timeout=A_WHILE)
    async with Database.connect(options) as database, AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(database.reading(VISITOR))
        with pytest.raises(Unavailable, match="in time"):
            async with database.reading(VISITOR):
                pass
        async with database.reading(ANA), AsyncExitStack() as freed:
            freed.push_async_exit(held.pop_all())
        async with database.connection(), database.reading(VISITOR):
            pass  # nor do users take theirs


async def test_their_statements_have_little_time_and_leave_nothing_running(
    database: Database, database_dsn: str, clock: ManualClock, tmp_path: Path
) -> None:
    """Whatever it is that takes long, here that somebody has locked what they ask for."""
    library = Library.on(database, tmp_path, clock)
    gallery = await library.galleries.create(ANA, name="Lisbon", visibility="public")
    async with Database.connect(DatabaseOptions(dsn=database_dsn, visitor_statement_timeout=LITTLE)) as hasty:
        galleries = GalleryService(hasty, library.delivery, library.clock)
        async with database.transaction() as connection:
            await connection.execute("LOCK TABLE galleries")
            for attempt in (
                galleries.get(VISITOR, gallery.id),
                galleries.list(VISITOR),
                galleries.list_images(VISITOR, gallery.id),
                galleries.list_images_page(VISITOR, gallery.id),
            ):
                with pytest.raises(Unavailable, match="too long"):
                    await attempt
            assert not await connection.fetchval(
                "SELECT count(*) FROM pg_locks WHERE relation = 'galleries'::regclass AND NOT granted"
            )
        async with hasty.reading(ANA) as connection:
            assert await connection.fetchval("SHOW statement_timeout") == "30s"
