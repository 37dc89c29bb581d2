"""Rows that go for good, while tables that are not ours may refer to them.

An application that shares our database may have foreign keys to our tables, and triggers on them. What those refuse
is no fault of ours or of the rows beside it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from imagegallery.database.connection import Connection
from imagegallery.errors import Conflict

# Also what an application has checked at a commit, where it would take everything else down with it.
CHECK_NOW: Final = "SET CONSTRAINTS ALL IMMEDIATE"


@asynccontextmanager
async def removing(connection: Connection) -> AsyncIterator[None]:
    """Rows are deleted in here, all or none; in a transaction, which can go on either way.

    Raises `Conflict` when an application's foreign key or trigger refuses one of them.
    """
    try:
        async with connection.transaction():
            yield
            await connection.execute(CHECK_NOW)
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.RaiseError) as error:
        raise Conflict("Other records of this application still refer to this, so it cannot be deleted.") from error
